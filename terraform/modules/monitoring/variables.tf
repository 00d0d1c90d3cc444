variable "account" {
  description = "Where this is deployed: account id, partition and region."
  type        = object({ id = string, partition = string, region = string })
}

variable "email" {
  description = "Address that gets the alerts; null: nobody."
  type        = string
}

variable "expected" {
  description = "Gold table -> hours after which it is old, and rows of silver that must have come for it in that time; watched: whether they are measured by the clock, so that silence is an alarm, too."
  type = object({
    tables  = map(object({ hours = number, rows = number }))
    watched = bool
  })
}

variable "functions" {
  description = "Names of the functions that are watched."
  type        = set(string)
}

variable "jobs" {
  description = "Names of the jobs that are watched."
  type        = list(string)
}

variable "machines" {
  description = "State machine -> its ARN, its queue of messages that couldn't be taken, and the error of runs that have told of their failure."
  type        = map(object({ arn = string, dead_queue = string, told = string }))
}

variable "name" {
  description = "What all names begin with."
  type        = string
}

variable "recorder" {
  description = "Function that writes the records of runs that died."
  type        = object({ name = string, arn = string })
}

variable "raw_bucket" {
  description = "Bucket where records are set aside that couldn't be delivered."
  type        = string
}

variable "schedules" {
  description = "Schedule group -> what to do after a call that was given up, and after how many hours without a try it counts as stopped; null: it may be silent."
  type        = map(object({ remedy = string, hours = number }))
}

variable "streams" {
  description = "Stream, and its delivery -> after how many seconds a record is late, and where the delivery's log is."
  type        = map(object({ late_seconds = number, log_group = string }))
}

variable "starts" {
  description = "Names of the rules that tell of landed files."
  type        = set(string)
}
