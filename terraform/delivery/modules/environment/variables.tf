variable "account" {
  description = "Where the environment is deployed: account id, partition and region."
  type        = object({ id = string, partition = string, region = string })
}

variable "environment" {
  description = "Name of the environment; all that it is made of has it as a tag."
  type        = string
}

variable "identity" {
  description = "ARN of GitHub's identity provider, and the host that its claims are named after."
  type        = object({ provider_arn = string, issuer = string })
}

variable "name" {
  description = "What all names of the environment begin with."
  type        = string
}

variable "other_names" {
  description = "What the names of other environments, and of this root, begin with."
  type        = list(string)
}

variable "project" {
  description = "Name of the project; all that it is made of has it as a tag."
  type        = string
}

variable "subjects" {
  description = "Purpose (deploy, plan) -> the job that takes the role, as GitHub signs it."
  type        = map(string)
}
