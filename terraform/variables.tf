# Where everything lies, for whom, and for how long.

variable "alert_email" {
  description = "Address that gets the alerts; AWS asks it to confirm. null: nobody is subscribed."
  type        = string
  default     = null

  validation {
    condition     = var.alert_email == null || can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", var.alert_email))
    error_message = "alert_email must be an address such as data@example.com, or null."
  }
}

variable "analyst_principals" {
  description = "ARNs that may assume the analyst role. Empty: whoever in this account is allowed to by a policy of their own."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for principal in var.analyst_principals : startswith(principal, "arn:")])
    error_message = "analyst_principals must be ARNs of roles, users or accounts."
  }
}

variable "aws_profile" {
  description = "Profile of the AWS configuration to deploy with. null: what the environment holds."
  type        = string
  default     = null
}

variable "disposable" {
  description = "Whether destroy may delete raw files, tables and access logs. Only in environments named local..."
  type        = bool
  default     = false

  validation {
    condition     = !var.disposable || startswith(var.environment, "local")
    error_message = "Only an environment whose name begins with local may be disposable."
  }
}

variable "environment" {
  description = "Name of the environment; a part of every name, except in production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.environment))
    error_message = "environment must be 2 to 12 small letters and digits, a letter first."
  }
  validation {
    condition     = !contains(["delivery", "deployment"], var.environment)
    error_message = "environment can't be delivery or deployment: the roles of GitHub's jobs and the deployment bucket are called so."
  }
}

variable "log_retention_days" {
  description = "Days that logs of jobs and functions are kept."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_retention_days)
    error_message = "log_retention_days must be a period that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731."
  }
}

variable "package" {
  description = "Folder with what `make package` built: manifest.json and the pipelines' declarations."
  type        = string
  default     = "../build/package"

  validation {
    condition     = fileexists("${var.package}/manifest.json")
    error_message = "There is no build in ${var.package}: run make package (make plan and make apply do it for you)."
  }
  validation {
    condition = !fileexists("${var.package}/manifest.json") || try(alltrue([
      for name in concat(
        ["lakehouse.zip", "check_gold.zip", "generate_movies.zip", "record_failed_run.zip", "start_layers.zip", "start_runs.zip"],
        [for file in fileset("${var.package}/pipelines", "*.json") : "${trimsuffix(file, ".json")}.py"],
      ) : can(jsondecode(file("${var.package}/manifest.json")).artifacts[name].key)
    ]), false)
    error_message = "The manifest in ${var.package} lacks a script, the engine or a function: run make package."
  }
  validation {
    # The longest name that is made of it is a job's: project, environment, pipeline and layer in 64 characters.
    condition = alltrue([
      for file in fileset("${var.package}/pipelines", "*.json") : can(regex("^[a-z][a-z0-9_]{0,28}\\.json$", file))
    ])
    error_message = "A pipeline's name has 1 to 29 small letters, digits and underscores, a letter first."
  }
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds what every role may do, where an account demands one. null: none."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary_arn == null || can(regex("^arn:[^:]+:iam::[^:]*:policy/", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn must be the ARN of a policy, or null."
  }
}

variable "region" {
  description = "AWS region of everything."
  type        = string
  default     = "us-east-1"
}
