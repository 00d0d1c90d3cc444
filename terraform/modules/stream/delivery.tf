# Records of the stream -> files of raw/, many a file, below the hour in which they arrived.

resource "aws_kinesis_firehose_delivery_stream" "this" {
  name        = var.name
  destination = "extended_s3"

  kinesis_source_configuration {
    kinesis_stream_arn = aws_kinesis_stream.this.arn
    role_arn           = aws_iam_role.delivery.arn
  }

  extended_s3_configuration {
    role_arn   = aws_iam_role.delivery.arn
    bucket_arn = local.raw_arn
    prefix     = "raw/${var.path}/!{timestamp:yyyy/MM/dd/HH}/"
    # Outside of what is read: these files hold records in an envelope, which make redeliver opens.
    error_output_prefix = "undelivered/${var.path}/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/"
    buffering_size      = var.settings.buffer_mb
    buffering_interval  = var.settings.buffer_seconds
    compression_format  = "GZIP"
    file_extension      = ".jsonl.gz"
    kms_key_arn         = var.key_arn

    processing_configuration {
      enabled = true
      processors {
        # A newline, which is what it appends by default: said here, AWS would forget it, and each plan add it again.
        type = "AppendDelimiterToRecord"
      }
    }

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.delivery.name
      log_stream_name = aws_cloudwatch_log_stream.delivery.name
    }
  }

  depends_on = [aws_iam_role_policy.delivery]
}

resource "aws_cloudwatch_log_group" "delivery" {
  name              = local.log_group
  kms_key_id        = var.key_arn
  retention_in_days = var.log_retention_days
}

# Firehose makes none by itself.
resource "aws_cloudwatch_log_stream" "delivery" {
  name           = "errors"
  log_group_name = aws_cloudwatch_log_group.delivery.name
}

locals {
  raw_arn   = "arn:${var.account.partition}:s3:::${var.raw_bucket}"
  log_group = "/${var.prefix}/firehose/${var.name}"
}
