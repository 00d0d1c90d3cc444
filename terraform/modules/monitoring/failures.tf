# What fails is said in one place, in words.

resource "aws_cloudwatch_event_rule" "failed_runs" {
  name        = "${var.name}-failed-runs"
  description = "Runs of this environment's jobs that didn't succeed."
  event_pattern = jsonencode({
    source      = ["aws.glue"]
    detail-type = ["Glue Job State Change"]
    detail = {
      jobName = var.jobs
      state   = ["ERROR", "FAILED", "STOPPED", "TIMEOUT"]
    }
  })
}

resource "aws_cloudwatch_event_target" "failed_runs" {
  rule      = aws_cloudwatch_event_rule.failed_runs.name
  target_id = "alerts"
  arn       = aws_sns_topic.alerts.arn

  input_transformer {
    input_paths = {
      job     = "$.detail.jobName"
      state   = "$.detail.state"
      run     = "$.detail.jobRunId"
      message = "$.detail.message"
      time    = "$.time"
    }
    # Each line of the message is a text of its own.
    input_template = <<-TEXT
      "The Glue job <job> ended as <state> at <time>."
      "Reason: <message>"
      "Its log is in CloudWatch, in the log groups that begin with /${var.name}/glue/, in the stream <run>."
      "What FAILED is tried once more by itself. Nothing is published that doesn't balance, and a new run takes up where this one ended: start the workflow again, or wait for the next files."
    TEXT
  }
}

resource "aws_cloudwatch_metric_alarm" "function_errors" {
  for_each = var.functions

  alarm_name          = "${each.key}-errors"
  alarm_description   = "The function ${each.key} failed. The reason is in the log group /aws/lambda/${each.key}; a call that failed for good is in a message of its own. Invoke it again with the same day: it puts a file only once."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = each.key }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "dropped_schedules" {
  for_each = var.schedules

  alarm_name          = "${each.key}-not-called"
  alarm_description   = "EventBridge Scheduler gave up calling ${each.key}: the day's file is missing. Invoke the function with that day."
  namespace           = "AWS/Scheduler"
  metric_name         = "InvocationDroppedCount"
  dimensions          = { ScheduleGroup = each.key }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "failed_starts" {
  for_each = var.starts

  alarm_name          = "${each.key}-failed"
  alarm_description   = "Files have landed, but the rule ${each.key} couldn't tell the workflow. Start the workflow by hand: it takes all that has landed."
  namespace           = "AWS/Events"
  metric_name         = "FailedInvocations"
  dimensions          = { RuleName = each.key }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
}
