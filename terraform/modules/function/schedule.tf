# When the function is called by the clock; one that a rule calls has no schedule.

resource "aws_scheduler_schedule_group" "this" {
  for_each = var.schedules

  # A group of its own for each: the metrics of a schedule are those of its group.
  name = each.value.name
}

resource "aws_scheduler_schedule" "this" {
  for_each = var.schedules

  name                         = each.value.name
  description                  = var.description
  group_name                   = aws_scheduler_schedule_group.this[each.key].name
  schedule_expression          = each.value.cron
  schedule_expression_timezone = "UTC"
  state                        = each.value.enabled ? "ENABLED" : "DISABLED"
  kms_key_arn                  = var.key_arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.this.arn
    role_arn = aws_iam_role.schedule[0].arn
    # The scheduled time, not the time of the call: a late retry makes the file of the day that was meant.
    # Put in afterwards: jsonencode writes < and > as \u003c and \u003e, which Scheduler wouldn't know as its keyword.
    input = replace(jsonencode(merge(each.value.event, { time = "SCHEDULED" })), "SCHEDULED", "<aws.scheduler.scheduled-time>")

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }
  }

  depends_on = [aws_iam_role_policy.schedule]
}

# A function had one schedule at most, and it ran once a day.
moved {
  from = aws_scheduler_schedule_group.this[0]
  to   = aws_scheduler_schedule_group.this["daily"]
}

moved {
  from = aws_scheduler_schedule.this[0]
  to   = aws_scheduler_schedule.this["daily"]
}

locals {
  schedule_roles = length(var.schedules) == 0 ? 0 : 1
}

resource "aws_iam_role" "schedule" {
  count = local.schedule_roles

  name                 = "${var.name}-schedule"
  description          = "Calls the function ${var.name}, nothing else."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Sid       = "SchedulerCallsTheFunction"
    Effect    = "Allow"
    Action    = ["sts:AssumeRole"]
    Principal = { Service = "scheduler.amazonaws.com" }
    Condition = { StringEquals = {
      "aws:SourceAccount" = var.account.id
      "aws:SourceArn" = [
        for schedule in var.schedules :
        "arn:${var.account.partition}:scheduler:${var.account.region}:${var.account.id}:schedule-group/${schedule.name}"
      ]
    } }
  }] })
}

resource "aws_iam_role_policy" "schedule" {
  count = local.schedule_roles

  name = aws_iam_role.schedule[0].name
  role = aws_iam_role.schedule[0].name
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    {
      Sid      = "CallFunction"
      Effect   = "Allow"
      Action   = ["lambda:InvokeFunction"]
      Resource = ["arn:${var.account.partition}:lambda:${var.account.region}:${var.account.id}:function:${var.name}"]
    },
    {
      # The schedule itself is encrypted.
      Sid      = "ReadSchedule"
      Effect   = "Allow"
      Action   = ["kms:Decrypt"]
      Resource = [var.key_arn]
    },
  ] })
}
