# What tells that a gold table isn't what its declaration expects. The function check_gold measures it each hour.

locals {
  measured = {
    period  = 3600
    periods = 2 # one call may come late
    missing = var.expected.watched ? "breaching" : "notBreaching"
  }

  gold_alarms = merge(
    { for table, expected in var.expected.tables : "${var.name}-${table}-old" => merge(local.measured, {
      description = "The gold table ${table} was last written over ${expected.hours} hours ago, or nobody has measured it for two hours, or it has only just been declared. Look at make status: has the schedule started the runs, have files landed, has a run failed? Then: make run."
      metric      = "${var.name} ${table}.hours"
      dimensions  = {}
      statistic   = "Maximum"
      comparison  = "GreaterThanThreshold"
      threshold   = expected.hours
    }) },
    { for table, expected in var.expected.tables : "${var.name}-${table}-few" => merge(local.measured, {
      description = "Fewer than ${expected.rows} rows have come for the gold table ${table} in ${expected.hours} hours. Look at make status, and at what sends the data."
      metric      = "${var.name} ${table}.rows"
      dimensions  = {}
      statistic   = "Minimum"
      comparison  = "LessThanThreshold"
      threshold   = expected.rows
    }) },
  )
}
