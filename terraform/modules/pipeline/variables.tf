variable "account" {
  description = "Where this is deployed: account id, partition and region."
  type        = object({ id = string, partition = string, region = string })
}

variable "archived" {
  description = "Paths below raw/ whose files are copied to archive/."
  type        = list(string)
}

variable "artifacts" {
  description = "Bucket of the artefacts, and the keys of the pipeline's script, the engine, and own Delta jars (none: Glue's Delta)."
  type        = object({ bucket = string, script = string, engine = string, jars = list(string) })
}

variable "catalog" {
  description = "What the names of the databases begin with."
  type        = string
}

variable "gold" {
  description = "Names of the gold tables."
  type        = list(string)
}

variable "key_arn" {
  description = "Key of buckets and logs."
  type        = string
}

variable "lake" {
  description = "Bucket of the tables."
  type        = string
}

variable "log_retention_days" {
  description = "Days that the jobs' logs are kept."
  type        = number
}

variable "maintenance" {
  description = "When the tables are maintained, as a cron of Glue, in UTC; and whether they are by themselves."
  type        = object({ cron = string, enabled = bool })
}

variable "name" {
  description = "Name of the pipeline."
  type        = string
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds what the roles may do; null: none."
  type        = string
}

variable "persons" {
  description = "Whether records say whose they are: there is a job then that erases a person, and no run begins while that isn't finished."
  type        = bool
}

variable "prefix" {
  description = "What all names begin with."
  type        = string
}

variable "raw" {
  description = "Bucket of the files as they arrived."
  type        = string
}

variable "security" {
  description = "Name of Glue's security configuration."
  type        = string
}

variable "silver" {
  description = "Names of the silver tables."
  type        = list(string)
}

variable "sizes" {
  description = "Worker type, most workers and time-out of each layer's job."
  type        = map(object({ worker_type = string, workers = number, timeout_minutes = number }))
}

variable "sources" {
  description = "Bronze table -> path below raw/ where its files land."
  type        = map(string)
}
