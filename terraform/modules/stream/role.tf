resource "aws_iam_role" "delivery" {
  name                 = "${var.name}-delivery"
  description          = "Takes records from the stream ${var.name} to raw/${var.path}/, nothing else."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    # Firehose says for which account it works as the external id, and isn't known to send aws:SourceArn.
    Sid       = "FirehoseDeliversForThisAccount"
    Effect    = "Allow"
    Action    = ["sts:AssumeRole"]
    Principal = { Service = "firehose.amazonaws.com" }
    Condition = { StringEquals = { "sts:ExternalId" = var.account.id } }
  }] })
}

resource "aws_iam_role_policy" "delivery" {
  name = aws_iam_role.delivery.name
  role = aws_iam_role.delivery.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    {
      Sid      = "ReadStream"
      Effect   = "Allow"
      Action   = ["kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
      Resource = ["arn:${var.account.partition}:kinesis:${var.account.region}:${var.account.id}:stream/${var.name}"]
    },
    {
      Sid      = "FindBucket"
      Effect   = "Allow"
      Action   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
      Resource = [local.raw_arn]
    },
    {
      Sid      = "PutFiles"
      Effect   = "Allow"
      Action   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
      Resource = [for folder in ["raw", "undelivered"] : "${local.raw_arn}/${folder}/${var.path}/*"]
    },
    {
      Sid      = "UseKey"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = [var.key_arn]
      # Records that wait in the stream, and files.
      Condition = { StringEquals = { "kms:ViaService" = ["kinesis.${var.account.region}.amazonaws.com", "s3.${var.account.region}.amazonaws.com"] } }
    },
    {
      Sid      = "WriteLogs"
      Effect   = "Allow"
      Action   = ["logs:PutLogEvents"]
      Resource = ["arn:${var.account.partition}:logs:${var.account.region}:${var.account.id}:log-group:${local.log_group}:log-stream:errors"]
    },
  ] })
}
