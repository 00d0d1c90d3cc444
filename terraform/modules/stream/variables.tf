variable "account" {
  description = "Where this is deployed: account id, partition and region."
  type        = object({ id = string, partition = string, region = string })
}

variable "key_arn" {
  description = "Key of the records that wait, of the files and of the log."
  type        = string
}

variable "log_retention_days" {
  description = "Days that the log of the delivery is kept."
  type        = number
}

variable "name" {
  description = "Name of the stream and of its delivery."
  type        = string

  validation {
    condition     = length(var.name) <= 55
    error_message = "name leaves room for -delivery in the 64 characters of a role's name: give the source a shorter path."
  }
}

variable "path" {
  description = "Path below raw/ where the records' files land."
  type        = string
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds what the role may do; null: none."
  type        = string
}

variable "prefix" {
  description = "What all names of the environment begin with; its log groups lie below."
  type        = string
}

variable "raw_bucket" {
  description = "Bucket where the files land."
  type        = string
}

variable "settings" {
  description = "Shards (null: on demand), hours that records are kept, and after how many MB or seconds a file is written."
  type        = object({ shards = number, retention_hours = number, buffer_mb = number, buffer_seconds = number })
}
