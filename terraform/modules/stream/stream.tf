# Where records come in one by one, and wait until they are delivered.

resource "aws_kinesis_stream" "this" {
  name             = var.name
  retention_period = var.settings.retention_hours
  shard_count      = var.settings.shards
  encryption_type  = "KMS"
  kms_key_id       = var.key_arn

  stream_mode_details {
    stream_mode = var.settings.shards == null ? "ON_DEMAND" : "PROVISIONED"
  }
}
