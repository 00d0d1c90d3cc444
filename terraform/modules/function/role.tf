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
  policy = jsonencode({ Version = "2012-10-17", Statement = concat(local.own_statements, local.service_statements) })
}

locals {
  log_group = "arn:${var.account.partition}:logs:${var.account.region}:${var.account.id}:log-group:/aws/lambda/${var.name}"

  own_statements = [for sid, right in var.rights : merge(
    { Sid = sid, Effect = "Allow", Action = right.actions, Resource = right.resources },
    right.prefixes == null ? {} : { Condition = { StringEquals = { "s3:prefix" = right.prefixes } } },
    right.namespace == null ? {} : { Condition = { StringEquals = { "cloudwatch:namespace" = [right.namespace] } } },
  )]

  service_statements = [
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
