# What tells that records of a stream don't arrive as files: late, refused, or set aside.

locals {
  undelivered = "${var.name}-undelivered"

  stream_alarms = merge(
    { for name, stream in var.streams : "${name}-not-read" => {
      description = "The oldest record of the stream ${name} that Firehose hasn't read is over ${stream.late_seconds} seconds old. It reads on by itself, but what is older than the stream keeps is lost. Look at the role ${name}-delivery and at the log group ${stream.log_group}."
      metric      = "AWS/Kinesis GetRecords.IteratorAgeMilliseconds"
      dimensions  = { StreamName = name }
      statistic   = "Maximum"
      threshold   = stream.late_seconds * 1000
    } },
    { for name, stream in var.streams : "${name}-not-delivered" => {
      description = "The oldest record that Firehose holds for ${name} is over ${stream.late_seconds} seconds old: files come late. Look at the log group ${stream.log_group}."
      metric      = "AWS/Firehose DeliveryToS3.DataFreshness"
      dimensions  = { DeliveryStreamName = name }
      statistic   = "Maximum"
      threshold   = stream.late_seconds
    } },
    { for name, stream in var.streams : "${name}-refused" => {
      description = "S3 refuses files of ${name}. Firehose tries again for as long as the stream keeps its records; then they are lost. The reason is in the log group ${stream.log_group}."
      metric      = "AWS/Firehose DeliveryToS3.Success"
      dimensions  = { DeliveryStreamName = name }
      statistic   = "Average"
      comparison  = "LessThanThreshold"
    } },
    { for rule in aws_cloudwatch_event_rule.undelivered[*].name : "${rule}-not-told" => {
      description = "Records were set aside below undelivered/ in the raw bucket, but the rule ${rule} couldn't tell this topic. Look there, and at the policies of the topic and of its key."
      metric      = "AWS/Events FailedInvocations"
      dimensions  = { RuleName = rule }
    } },
  )
}

resource "aws_cloudwatch_event_rule" "undelivered" {
  count = length(var.streams) == 0 ? 0 : 1

  name        = local.undelivered
  description = "Records that Firehose has set aside."
  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created"]
    detail = {
      bucket = { name = [var.raw_bucket] }
      object = { key = [{ prefix = "undelivered/" }] }
    }
  })
}

resource "aws_cloudwatch_event_target" "undelivered" {
  count = length(var.streams) == 0 ? 0 : 1

  rule      = aws_cloudwatch_event_rule.undelivered[0].name
  target_id = "alerts"
  arn       = aws_sns_topic.alerts.arn

  input_transformer {
    input_paths = { bucket = "$.detail.bucket.name", key = "$.detail.object.key" }
    # Each line of the message is a text of its own.
    input_template = <<-TEXT
      "Firehose couldn't deliver records of a stream and has set them aside: s3://<bucket>/<key>"
      "Each line of that file tells why. Once the reason is gone: make redeliver puts them back into their stream."
      "They are kept for 90 days, but what comes later than its table lets records arrive is rejected there. One of over 1,000 KiB can't be put back."
    TEXT
  }
}
