resource "aws_sns_topic" "alerts" {
  name              = "${var.name}-alerts"
  display_name      = "${var.name} alerts"
  kms_master_key_id = module.key.arn
}

# Apart from the alerts: nobody wants a message a run beside those that ask for something.
resource "aws_sns_topic" "runs" {
  name              = "${var.name}-runs"
  display_name      = "${var.name} runs"
  kms_master_key_id = module.key.arn
}

resource "aws_sns_topic_policy" "runs" {
  arn = aws_sns_topic.runs.arn
  policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Sid       = "OnlyOverTls"
    Effect    = "Deny"
    Principal = "*"
    Action    = ["sns:Publish"]
    Resource  = ["arn:${var.account.partition}:sns:${var.account.region}:${var.account.id}:${var.name}-runs"]
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  }] })
}

resource "aws_sns_topic_subscription" "email" {
  count = var.email == null ? 0 : 1

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = var.email
}

locals {
  alarm_arn = "arn:${var.account.partition}:cloudwatch:${var.account.region}:${var.account.id}:alarm"
  topic_arn = "arn:${var.account.partition}:sns:${var.account.region}:${var.account.id}:${var.name}-alerts"
}

# Functions publish by their own roles.
resource "aws_sns_topic_policy" "alerts" {
  arn = aws_sns_topic.alerts.arn
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    {
      # Without a condition: EventBridge supports none in a topic's policy.
      Sid       = "RulesOfFailedRunsPublish"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = ["sns:Publish"]
      Resource  = [local.topic_arn]
    },
    {
      Sid       = "AlarmsPublish"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = ["sns:Publish"]
      Resource  = [local.topic_arn]
      Condition = {
        ArnEquals    = { "aws:SourceArn" = [for alarm in keys(local.alarms) : "${local.alarm_arn}:${alarm}"] }
        StringEquals = { "aws:SourceAccount" = var.account.id }
      }
    },
    {
      Sid       = "OnlyOverTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["sns:Publish"]
      Resource  = [local.topic_arn]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    },
  ] })
}
