# A landed file -> EventBridge -> the workflow; one that the clock starts has none of it.

locals {
  arrivals = var.arrival == null ? 0 : 1
}

resource "aws_cloudwatch_event_rule" "landed" {
  count = local.arrivals

  name        = "${var.name}-start"
  description = "Files that have landed for ${var.name}."
  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created"]
    detail = {
      bucket = { name = [var.arrival.bucket] }
      object = { key = [for prefix in var.arrival.prefixes : { prefix = prefix }] }
    }
  })
}

resource "aws_cloudwatch_event_target" "workflow" {
  count = local.arrivals

  rule      = aws_cloudwatch_event_rule.landed[0].name
  target_id = "workflow"
  arn       = aws_glue_workflow.this.arn
  role_arn  = aws_iam_role.start[0].arn

  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 20
  }
}

resource "aws_iam_role" "start" {
  count = local.arrivals

  name                 = "${var.name}-start"
  description          = "Tells the workflow ${var.name} of landed files, nothing else."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Sid       = "EventBridgeNotifiesTheWorkflow"
    Effect    = "Allow"
    Action    = ["sts:AssumeRole"]
    Principal = { Service = "events.amazonaws.com" }
    Condition = { StringEquals = {
      "aws:SourceAccount" = var.account.id
      "aws:SourceArn"     = "arn:${var.account.partition}:events:${var.account.region}:${var.account.id}:rule/${var.name}-start"
    } }
  }] })
}

resource "aws_iam_role_policy" "start" {
  count = local.arrivals

  name = "${var.name}-start"
  role = aws_iam_role.start[0].name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Sid      = "NotifyWorkflow"
    Effect   = "Allow"
    Action   = ["glue:NotifyEvent"]
    Resource = ["arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}:workflow/${var.name}"]
  }] })
}
