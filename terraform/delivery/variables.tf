variable "deployments" {
  description = "Environment -> what GitHub calls the job that may deploy it: a branch's job, or one that an environment of GitHub guards."
  type        = map(string)
  default = {
    staging    = "ref:refs/heads/main"
    production = "environment:production"
  }

  validation {
    condition     = alltrue([for subject in values(var.deployments) : can(regex("^(ref:refs/heads/|environment:)[A-Za-z0-9._/-]+$", subject))])
    error_message = "deployments: a job is ref:refs/heads/<branch> or environment:<name>, without wildcards."
  }
  validation {
    condition     = length(setsubtract(keys(var.deployments), keys(local.names))) == 0
    error_message = "deployments: each environment needs its file in terraform/environments."
  }
}

variable "identity_provider_arn" {
  description = "GitHub's identity provider in this account, where there is one already: an account can have only one. null: it is made."
  type        = string
  default     = null

  validation {
    condition     = var.identity_provider_arn == null || can(regex("^arn:[^:]+:iam::[0-9]{12}:oidc-provider/token\\.actions\\.githubusercontent\\.com$", var.identity_provider_arn))
    error_message = "identity_provider_arn must be the ARN of oidc-provider/token.actions.githubusercontent.com, or null."
  }
}

variable "planned" {
  description = "Environment that pull requests plan."
  type        = string
  default     = "staging"

  validation {
    condition     = contains(keys(var.deployments), var.planned)
    error_message = "planned must be one of the environments in deployments."
  }
}

variable "region" {
  description = "AWS region of the environments."
  type        = string
  default     = "us-east-1"
}

variable "repository" {
  description = "Repository on GitHub whose jobs take the roles: OWNER/NAME, or OWNER@id/NAME@id where GitHub signs so."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,38}(@[0-9]+)?/[A-Za-z0-9._-]{1,100}(@[0-9]+)?$", var.repository))
    error_message = "repository must be OWNER/NAME, as GitHub spells it, each with its @id where GitHub signs so."
  }
}
