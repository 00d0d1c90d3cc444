variable "account" {
  description = "Where this is deployed: account id, partition and region."
  type        = object({ id = string, partition = string, region = string })
}

variable "databases" {
  description = "Layer -> name of its database."
  type        = map(string)
}

variable "examples" {
  description = "Name -> SQL of a query on gold; its first line is a comment that says what it answers."
  type        = map(string)
}

variable "key_arn" {
  description = "Key of the tables and of the results."
  type        = string
}

variable "lake" {
  description = "Bucket of the tables."
  type        = string
}

variable "limit" {
  description = "Bytes that a query may scan."
  type        = number
}

variable "name" {
  description = "Name of the workgroup, and what other names begin with."
  type        = string
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds what the roles may do; null: none."
  type        = string
}

variable "pipelines" {
  description = "Pipeline -> its silver tables, and its gold tables with description and columns."
  type = map(object({
    silver = list(string)
    gold   = map(object({ description = string, columns = list(string) }))
  }))
}

variable "principals" {
  description = "ARNs that may assume the analyst role; empty: the account itself."
  type        = list(string)
}

variable "queries" {
  description = "Bucket of the results."
  type        = string
}
