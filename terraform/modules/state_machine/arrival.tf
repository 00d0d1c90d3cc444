# A landed file -> EventBridge -> a queue, whose messages are gathered -> the function that starts the runs.

locals {
  # A queue's window is five minutes at most.
  window  = min(var.batch.seconds, 300)
  queue   = "${var.name}-arrivals"
  queues  = "arn:${var.account.partition}:sqs:${var.account.region}:${var.account.id}"
  rule    = "${var.name}-start"
  longest = 1209600 # seconds: 14 days
}

resource "aws_cloudwatch_event_rule" "landed" {
  name        = local.rule
  description = "Files that have landed for ${var.name}, also in folders of no table, which are reported."
  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created"]
    detail = {
      bucket = { name = [var.raw_bucket] }
      object = { key = [{ prefix = "raw/${var.pipeline}/" }] }
    }
  })
}

resource "aws_cloudwatch_event_target" "queue" {
  rule      = aws_cloudwatch_event_rule.landed.name
  target_id = "queue"
  arn       = aws_sqs_queue.arrivals.arn

  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 20
  }
}

# Policies stand in the queues: as resources of their own, each would keep an apply waiting for half a minute more.
resource "aws_sqs_queue" "arrivals" {
  name                       = local.queue
  sqs_managed_sse_enabled    = true
  visibility_timeout_seconds = var.patience + local.window
  message_retention_seconds  = local.longest
  policy                     = local.queue_policies[local.queue]
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 5
  })
}

# What the function couldn't read or take, five times.
resource "aws_sqs_queue" "dead" {
  name                      = "${local.queue}-dead"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = local.longest
  policy                    = local.queue_policies["${local.queue}-dead"]
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = ["${local.queues}:${local.queue}"]
  })
}

locals {
  queue_policies = { for name in [local.queue, "${local.queue}-dead"] : name => jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      name != local.queue ? [] : [{
        Sid       = "RuleOfLandedFilesSends"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = ["sqs:SendMessage"]
        Resource  = ["${local.queues}:${name}"]
        Condition = { ArnEquals = {
          "aws:SourceArn" = "arn:${var.account.partition}:events:${var.account.region}:${var.account.id}:rule/${local.rule}"
        } }
      }],
      [{
        Sid       = "OnlyOverTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["sqs:*"]
        Resource  = ["${local.queues}:${name}"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
    )
  }) }
}

resource "aws_lambda_event_source_mapping" "arrivals" {
  event_source_arn                   = aws_sqs_queue.arrivals.arn
  function_name                      = var.starter.arn
  batch_size                         = var.batch.files
  maximum_batching_window_in_seconds = local.window
  function_response_types            = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = 2
  }
}
