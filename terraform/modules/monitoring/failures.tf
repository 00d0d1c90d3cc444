# What fails is said in one place, in words, and has a run record.

locals {
  failed_runs = "${var.name}-failed-runs"
}

resource "aws_cloudwatch_event_rule" "failed_runs" {
  name        = local.failed_runs
  description = "Runs of this environment's jobs that didn't succeed."
  event_pattern = jsonencode({
    source      = ["aws.glue"]
    detail-type = ["Glue Job State Change"]
    detail = {
      jobName = var.jobs
      state   = ["ERROR", "EXPIRED", "FAILED", "STOPPED", "TIMEOUT"]
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
      "Nothing is published that doesn't balance, and a new run takes up where this one ended: wait for the next files or the next hour, or start one (make run). A state machine tries once more, and tells when that fails too. An erasure is finished by asking for it again (make erase)."
    TEXT
  }
}

# A job that was killed, took too long or never started has written no record of its run.
resource "aws_cloudwatch_event_target" "record" {
  rule      = aws_cloudwatch_event_rule.failed_runs.name
  target_id = "record"
  arn       = var.recorder.arn

  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 20
  }
}

resource "aws_lambda_permission" "record" {
  statement_id  = "RuleOfFailedRunsCallsThis"
  action        = "lambda:InvokeFunction"
  function_name = var.recorder.name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.failed_runs.arn
}
