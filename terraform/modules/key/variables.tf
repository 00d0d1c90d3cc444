variable "account" {
  description = "Where this is deployed: account id, partition and region."
  type        = object({ id = string, partition = string, region = string })
}

variable "deletion_days" {
  description = "Days between the key's deletion and its end, in which it can still be called back."
  type        = number
}

variable "description" {
  description = "What the key encrypts."
  type        = string
}

variable "name" {
  description = "Name of the key's alias."
  type        = string
}

variable "statements" {
  description = "Statements of the key's policy for the services that use it."
  type        = any # each has conditions of its own, so they have no common type
}
