resource "aws_iam_role" "this" {
  name                 = var.name
  description          = "What the function ${var.name} may do."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    # Without aws:SourceAccount: Lambda isn't known to send it, and a role can only be passed inside its account.
    Sid       = "LambdaRunsAsThis"
    Effect    = "Allow"
    Action    = ["sts:AssumeRole"]
    Principal = { Service = "lambda.amazonaws.com" }
  }] })
}

resource "aws_iam_role_policy" "this" {
  name   = var.name
  role   = aws_iam_role.this.name
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}

locals {
  objects   = "arn:${var.account.partition}:s3:::${var.writes.bucket}/${var.writes.prefix}*"
  log_group = "arn:${var.account.partition}:logs:${var.account.region}:${var.account.id}:log-group:/aws/lambda/${var.name}"

  statements = [
    {
      Sid      = "PutFiles"
      Effect   = "Allow"
      Action   = ["s3:PutObject"]
      Resource = [local.objects]
    },
    {
      # Of a file that is there already: does it hold the same bytes?
      Sid      = "CompareFiles"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = [local.objects]
    },
    {
      Sid      = "UseKey"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = [var.key_arn]
      # Objects, and the function's own environment.
      Condition = { StringEquals = { "kms:ViaService" = ["lambda.${var.account.region}.amazonaws.com", "s3.${var.account.region}.amazonaws.com"] } }
    },
    {
      Sid    = "WriteLogs"
      Effect = "Allow"
      Action = ["logs:CreateLogStream", "logs:PutLogEvents"]
      # A stream is made in the group, and written as a part of it.
      Resource = [local.log_group, "${local.log_group}:*"]
    },
    {
      Sid      = "ReportFailures"
      Effect   = "Allow"
      Action   = ["sns:Publish"]
      Resource = [var.topic.arn]
    },
    {
      Sid       = "EncryptReports"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = [var.topic.key_arn]
      Condition = { StringEquals = { "kms:ViaService" = ["sns.${var.account.region}.amazonaws.com"] } }
    },
    {
      Sid    = "Trace"
      Effect = "Allow"
      Action = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      # X-Ray has no resources for these.
      Resource = ["*"]
    },
  ]
}
