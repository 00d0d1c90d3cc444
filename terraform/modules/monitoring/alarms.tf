# What fails where no event tells of it: one alarm for each metric that must stay at nothing, or must not stay away.

locals {
  usual = {
    statistic  = "Sum"
    comparison = "GreaterThanOrEqualToThreshold"
    threshold  = 1
    period     = 300
    periods    = 1
    missing    = "notBreaching"
  }

  alarms = merge(
    { for name in var.functions : "${name}-errors" => {
      description = "The function ${name} failed. The reason is in the log group /aws/lambda/${name}. What an event or a schedule called in vain is in a message of its own: invoke the function again with that event, nothing is done twice. What a queue or a state machine calls is called again by itself."
      metric      = "AWS/Lambda Errors"
      dimensions  = { FunctionName = name }
    } },
    { for name, schedule in var.schedules : "${name}-not-called" => {
      description = "EventBridge Scheduler gave up a call of ${name}: ${schedule.remedy}"
      metric      = "AWS/Scheduler InvocationDroppedCount"
      dimensions  = { ScheduleGroup = name }
    } },
    { for name in var.starts : "${name}-failed" => {
      description = "Files have landed, but the rule ${name} couldn't tell what starts the pipeline. Start a run by hand (make run): it takes all that has landed."
      metric      = "AWS/Events FailedInvocations"
      dimensions  = { RuleName = name }
    } },
    { for name, machine in var.machines : "${machine.dead_queue}-filled" => {
      description = "Events of landed files couldn't be taken, five times; they are in the queue ${machine.dead_queue}. Look at the log of the function that starts the runs of ${name}, then start a run by hand (make run): it takes all that has landed."
      metric      = "AWS/SQS ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = machine.dead_queue }
    } },
    { for rule in aws_cloudwatch_event_rule.ended_runs[*].name : "${rule}-not-told" => {
      description = "A run of a state machine ended without a word, but the rule ${rule} couldn't tell this topic. Look at the last executions, and at the policies of the topic and of its key."
      metric      = "AWS/Events FailedInvocations"
      dimensions  = { RuleName = rule }
    } },
    { for name, schedule in var.schedules : "${name}-silent" => {
      description = "EventBridge Scheduler hasn't tried a call of ${name} for ${schedule.hours} hours, or the schedule has only just been made: is it there, and enabled? Until then: ${schedule.remedy}"
      metric      = "AWS/Scheduler InvocationAttemptCount"
      dimensions  = { ScheduleGroup = name }
      comparison  = "LessThanThreshold"
      period      = 3600
      periods     = schedule.hours
      missing     = "breaching" # what has stopped sends no metric either
    } if schedule.hours != null },
    local.stream_alarms,
    local.gold_alarms,
    # CloudWatch reaches the topic by rights of its own, so this arrives when the rule's own messages don't.
    { "${local.failed_runs}-not-told" = {
      description = "A job failed, but the rule ${local.failed_runs} couldn't tell this topic, or the function ${var.recorder.name}. Look at the jobs' last runs, and at the policies of the topic, of its key and of the function."
      metric      = "AWS/Events FailedInvocations"
      dimensions  = { RuleName = local.failed_runs }
    } },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for name, alarm in local.alarms : name => merge(local.usual, alarm) }

  alarm_name          = each.key
  alarm_description   = each.value.description
  namespace           = split(" ", each.value.metric)[0]
  metric_name         = split(" ", each.value.metric)[1]
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.periods
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alerts.arn]
}
