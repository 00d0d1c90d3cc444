variable "account" {
  description = "Where this is deployed: account id, partition and region."
  type        = object({ id = string, partition = string, region = string })
}

variable "description" {
  description = "What the function does, in a sentence."
  type        = string
}

variable "environment" {
  description = "The function's environment variables."
  type        = map(string)
}

variable "handler" {
  description = "Module and function that Lambda calls."
  type        = string
}

variable "key_arn" {
  description = "Key for the function's environment, logs and schedule, and for the objects that it writes."
  type        = string
}

variable "log_retention_days" {
  description = "Days that the function's log is kept."
  type        = number
}

variable "name" {
  description = "Name of the function, its role and its log group."
  type        = string

  validation {
    condition     = length(var.name) <= (length(var.schedules) == 0 ? 64 : 54)
    error_message = "name has 64 characters at most, as a role's name has, and leaves room for -schedule where there are any."
  }
}

variable "package" {
  description = "Where the zip lies: bucket and key."
  type        = object({ bucket = string, key = string })
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds what the roles may do; null: none."
  type        = string
}

variable "rights" {
  description = "What the function itself does, by Sid: actions on resources, below which prefixes it lists, and into which namespace it puts metrics."
  type = map(object({
    actions   = list(string)
    resources = list(string)
    prefixes  = optional(list(string))
    namespace = optional(string)
  }))
}

variable "schedules" {
  description = "What calls it by the clock: name, cron of EventBridge Scheduler, in UTC, whether it runs, and what the event says besides the time."
  type = map(object({
    name    = string
    cron    = string
    enabled = bool
    event   = optional(map(string), {})
  }))
  default = {}
}

variable "timeout" {
  description = "Seconds after which a call of the function is cut off."
  type        = number
  default     = 300
}

variable "topic" {
  description = "Topic that is told of a call that failed for good, and the key of its messages."
  type        = object({ arn = string, key_arn = string })
}
