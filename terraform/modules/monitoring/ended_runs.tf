# Runs of state machines that couldn't tell of their end themselves: aborted by somebody, or cut off from the topic.

resource "aws_cloudwatch_event_rule" "ended_runs" {
  count = length(var.machines) == 0 ? 0 : 1

  name        = "${var.name}-ended-runs"
  description = "Executions of this environment's state machines that ended without a word."
  event_pattern = jsonencode({
    source      = ["aws.states"]
    detail-type = ["Step Functions Execution Status Change"]
    detail = {
      stateMachineArn = values(var.machines)[*].arn
      "$or" = [
        { status = ["ABORTED", "TIMED_OUT"] },
        # Failures of a kind that no state can catch are among them.
        { status = ["FAILED"], error = [{ "anything-but" = distinct(values(var.machines)[*].told) }] },
      ]
    }
  })
}

resource "aws_cloudwatch_event_target" "ended_runs" {
  count = length(var.machines) == 0 ? 0 : 1

  rule      = aws_cloudwatch_event_rule.ended_runs[0].name
  target_id = "alerts"
  arn       = aws_sns_topic.alerts.arn

  input_transformer {
    input_paths = {
      run     = "$.detail.name"
      machine = "$.detail.stateMachineArn"
      status  = "$.detail.status"
      time    = "$.time"
    }
    # Each line of the message is a text of its own.
    input_template = <<-TEXT
      "The run <run> of the state machine <machine> ended as <status> at <time>, and couldn't say so itself."
      "Its history in Step Functions says why."
      "Nothing is published that doesn't balance, and no file is left out: the next run takes up where this one ended."
      "It starts when files land; to start it now: make run."
    TEXT
  }
}
