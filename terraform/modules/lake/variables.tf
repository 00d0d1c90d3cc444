variable "account" {
  description = "Where this is deployed: account id, partition and region."
  type        = object({ id = string, partition = string, region = string })
}

variable "archived" {
  description = "Path below archive/ -> days that copies of raw files are kept there."
  type        = map(number)
}

variable "catalog" {
  description = "What the names of the databases begin with."
  type        = string
}

variable "disposable" {
  description = "Whether all buckets may be deleted with what is in them; query results always may."
  type        = bool
}

variable "machines" {
  description = "Names of the state machines whose logs the key encrypts."
  type        = list(string)
}

variable "functions" {
  description = "Names of the functions whose logs the key encrypts."
  type        = list(string)
}

variable "name" {
  description = "What all names begin with."
  type        = string

  validation {
    condition     = length(var.name) <= 42
    error_message = "name must leave room for -queries- and an account id in the 63 characters of a bucket's name."
  }
}

variable "run_columns" {
  description = "Columns of the table of run records, in their order."
  type        = list(object({ name = string, type = string, description = string }))
}

variable "streamed" {
  description = "Whether records come through streams, so that some may be left undelivered."
  type        = bool
}
