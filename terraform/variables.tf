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

variable "delta_jars" {
  description = "Where jobs get Delta Lake from: glue = what Glue 6.0 brings (4.2.0), own = the jars of the package."
  type        = string
  default     = "glue"

  validation {
    condition     = contains(["glue", "own"], var.delta_jars)
    error_message = "delta_jars must be glue or own."
  }
  validation {
    condition     = var.delta_jars != "own" || length(local.own_jars) > 0
    error_message = "delta_jars is own, but the package holds no delta-*.jar: run make jars, then make package."
  }
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
}

variable "film_days" {
  description = "How the invented films are made: the catalogue's seed, its first day, and new films a day."
  type = object({
    seed      = number
    first_day = string
    movies    = number
  })
  default = { seed = 7, first_day = "2026-11-01", movies = 1000 }

  validation {
    condition     = can(regex("^\\d{4}-\\d\\d-\\d\\d$", var.film_days.first_day))
    error_message = "film_days.first_day must be a day such as 2026-11-01."
  }
  validation {
    condition     = var.film_days.movies >= 0 && var.film_days.movies == floor(var.film_days.movies) && var.film_days.seed >= 0 && var.film_days.seed == floor(var.film_days.seed)
    error_message = "film_days.movies and film_days.seed must be whole numbers from 0 on."
  }
}

variable "film_schedule" {
  description = "When a day's films are made, as a cron of EventBridge Scheduler, in UTC; and whether it runs."
  type = object({
    cron    = string
    enabled = bool
  })
  default = { cron = "cron(0 2 * * ? *)", enabled = false }
}

variable "jobs" {
  description = "Size and limits of the jobs, per layer. Workers are the most that auto scaling takes; the first is the driver."
  type = map(object({
    worker_type     = string
    workers         = number
    timeout_minutes = number
  }))
  default = {
    bronze = { worker_type = "G.1X", workers = 3, timeout_minutes = 60 }
    silver = { worker_type = "G.1X", workers = 5, timeout_minutes = 60 }
    gold   = { worker_type = "G.1X", workers = 3, timeout_minutes = 30 }
  }

  validation {
    condition     = toset(keys(var.jobs)) == toset(["bronze", "silver", "gold"])
    error_message = "jobs must hold bronze, silver and gold, and nothing else."
  }
  validation {
    condition     = alltrue([for job in var.jobs : job.workers >= 2 && job.timeout_minutes >= 1])
    error_message = "A job needs 2 workers or more (one is the driver) and a time-out of a minute or more."
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
        ["lakehouse.zip", "generate_movies.zip", "record_failed_run.zip"],
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

variable "query_limit_bytes" {
  description = "Athena stops a query that scans more bytes than this."
  type        = number
  default     = 10737418240 # 10 GiB, 5 cents

  validation {
    condition     = var.query_limit_bytes >= 10485760
    error_message = "query_limit_bytes must be 10485760 (10 MiB) or more: Athena knows no smaller limit."
  }
}

variable "region" {
  description = "AWS region of everything."
  type        = string
  default     = "us-east-1"
}

variable "start_batch" {
  description = "A pipeline starts when so many files have landed, or so many seconds after the first of them."
  type = object({
    files   = number
    seconds = number
  })
  default = { files = 100, seconds = 900 }

  validation {
    condition     = var.start_batch.files >= 1 && var.start_batch.files <= 100 && var.start_batch.seconds >= 1 && var.start_batch.seconds <= 900
    error_message = "start_batch: Glue takes 1 to 100 files and 1 to 900 seconds."
  }
}
