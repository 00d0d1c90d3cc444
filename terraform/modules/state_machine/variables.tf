variable "account" {
  description = "Where this is deployed: account id, partition and region."
  type        = object({ id = string, partition = string, region = string })
}

variable "archived" {
  description = "Whether the pipeline's files are archived."
  type        = bool
}

variable "batch" {
  description = "The function is called when so many files have landed, or so many seconds after the first of them."
  type        = object({ files = number, seconds = number })
}

variable "jobs" {
  description = "Layer -> name of its job and the minutes after which Glue stops it, for bronze, silver and gold."
  type        = map(object({ name = string, timeout_minutes = number }))
}

variable "key_arn" {
  description = "Key of the state machine's log."
  type        = string
}

variable "log_retention_days" {
  description = "Days that the log of executions is kept."
  type        = number
}

variable "name" {
  description = "Name of the state machine, its role, its rule and its queue."
  type        = string
}

variable "patience" {
  description = "Seconds for which messages are left to the function that has them, before they are given out again."
  type        = number
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds what the roles may do; null: none."
  type        = string
}

variable "pipeline" {
  description = "Name of the pipeline."
  type        = string
}

variable "raw_bucket" {
  description = "Bucket where the files land."
  type        = string
}

variable "recorder" {
  description = "Function that records and explains steps that failed."
  type        = object({ name = string, arn = string })
}

variable "retry_seconds" {
  description = "Pause before a job that failed is tried again, at most; the pauses after it are longer."
  type        = number
}

variable "starter" {
  description = "Function that starts the runs, one at a time."
  type        = object({ name = string, arn = string })
}

variable "topics" {
  description = "Topics that are told of runs that failed and of runs that succeeded, and the key of their messages."
  type        = object({ alerts = string, runs = string, key_arn = string })
}
