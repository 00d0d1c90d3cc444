# What runs, when, how large, and within which limits.

variable "check_schedule" {
  description = "When the age of gold is measured, as a cron of EventBridge Scheduler, in UTC, once an hour; and whether that runs."
  type = object({
    cron    = string
    enabled = bool
  })
  default = { cron = "cron(55 * * * ? *)", enabled = false }
}

variable "daily_schedule" {
  description = "When gold is computed of pipelines that run by the clock, as a cron of EventBridge Scheduler, in UTC; and whether it runs. At a minute when the hour's silver is done."
  type = object({
    cron    = string
    enabled = bool
  })
  default = { cron = "cron(40 0 * * ? *)", enabled = false }
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

variable "hourly_schedule" {
  description = "When bronze and silver run of pipelines that run by the clock, as a cron of EventBridge Scheduler, in UTC; and whether it runs. Some minutes after the hour its last records have landed."
  type = object({
    cron    = string
    enabled = bool
  })
  default = { cron = "cron(10 * * * ? *)", enabled = false }
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

variable "maintenance_schedule" {
  description = "When tables are compacted and vacuumed, as a cron of Glue, in UTC; and whether that runs by itself."
  type = object({
    cron    = string
    enabled = bool
  })
  default = { cron = "cron(0 6 ? * SUN *)", enabled = false }
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

variable "retry_seconds" {
  description = "Pause before a state machine tries a failed job again, at most; further pauses are longer."
  type        = number
  default     = 60

  validation {
    condition     = var.retry_seconds >= 1 && var.retry_seconds <= 300 && var.retry_seconds == floor(var.retry_seconds)
    error_message = "retry_seconds must be a whole number from 1 to 300."
  }
}

variable "start_batch" {
  description = "A pipeline starts when so many files have landed, or so many seconds after the first of them; a state machine after 300 at most."
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

variable "stream" {
  description = "Size of streams: shards (null: AWS takes what comes, and bills it so), hours that records are kept, and after how many MB or seconds a file is written."
  type = object({
    shards          = number
    retention_hours = number
    buffer_mb       = number
    buffer_seconds  = number
  })
  default = { shards = null, retention_hours = 72, buffer_mb = 64, buffer_seconds = 300 }

  validation {
    condition     = var.stream.shards == null || try(var.stream.shards >= 1 && var.stream.shards == floor(var.stream.shards), false)
    error_message = "stream.shards must be a whole number from 1 on, or null."
  }
  validation {
    condition     = var.stream.retention_hours >= 24 && var.stream.retention_hours <= 8760 && var.stream.retention_hours == floor(var.stream.retention_hours)
    error_message = "stream.retention_hours must be a whole number from 24 to 8760: Kinesis keeps records no shorter and no longer."
  }
  validation {
    condition     = var.stream.buffer_mb >= 1 && var.stream.buffer_mb <= 128 && var.stream.buffer_seconds >= 0 && var.stream.buffer_seconds <= 900
    error_message = "stream: Firehose gathers 1 to 128 MB, for 0 to 900 seconds."
  }
}
