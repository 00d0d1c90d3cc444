variable "account" {
  description = "Where this is deployed: account id, partition and region."
  type        = object({ id = string, partition = string, region = string })
}

variable "batch" {
  description = "A run starts when so many files have landed, or so many seconds after the first of them."
  type        = object({ files = number, seconds = number })
}

variable "jobs" {
  description = "Layer -> name of its job, for bronze, silver and gold."
  type        = map(string)
}

variable "name" {
  description = "Name of the workflow."
  type        = string
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds what the roles may do; null: none."
  type        = string
}

variable "prefixes" {
  description = "Where the files land whose arrival starts the workflow."
  type        = list(string)
}

variable "raw_bucket" {
  description = "Bucket where the files land."
  type        = string
}
