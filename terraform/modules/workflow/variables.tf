variable "account" {
  description = "Where this is deployed: account id, partition and region."
  type        = object({ id = string, partition = string, region = string })
}

variable "arrival" {
  description = "Bucket and prefixes where the files land whose arrival starts a run, after so many files or so many seconds after the first. null: a function starts it."
  type = object({
    bucket   = string
    prefixes = list(string)
    batch    = object({ files = number, seconds = number })
  })
}

variable "jobs" {
  description = "Layer -> name of its job."
  type        = map(string)
}

variable "layers" {
  description = "The layers whose jobs it runs, one after the other."
  type        = list(string)
}

variable "name" {
  description = "Name of the workflow."
  type        = string
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds what the roles may do; null: none."
  type        = string
}
