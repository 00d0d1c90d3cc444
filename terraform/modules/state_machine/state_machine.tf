resource "aws_sfn_state_machine" "this" {
  name       = var.name
  role_arn   = aws_iam_role.this.arn
  definition = local.definition

  logging_configuration {
    level                  = "ALL"
    include_execution_data = true
    log_destination        = "${aws_cloudwatch_log_group.this.arn}:*"
  }

  tracing_configuration {
    enabled = true
  }

  depends_on = [aws_iam_role_policy.this]
}

resource "aws_cloudwatch_log_group" "this" {
  # Groups of that beginning don't count against the size of the account's log policy.
  name              = "/aws/vendedlogs/states/${var.name}"
  kms_key_id        = var.key_arn
  retention_in_days = var.log_retention_days
}

resource "aws_iam_role" "this" {
  name                 = var.name
  description          = "What the state machine ${var.name} may do."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Sid       = "StepFunctionsRunsAsThis"
    Effect    = "Allow"
    Action    = ["sts:AssumeRole"]
    Principal = { Service = "states.amazonaws.com" }
    Condition = { StringEquals = {
      "aws:SourceAccount" = var.account.id
      "aws:SourceArn"     = local.arn
    } }
  }] })
}

locals {
  arn = "arn:${var.account.partition}:states:${var.account.region}:${var.account.id}:stateMachine:${var.name}"
}

resource "aws_iam_role_policy" "this" {
  name = var.name
  role = aws_iam_role.this.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    {
      Sid      = "RunJobs"
      Effect   = "Allow"
      Action   = ["glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun"]
      Resource = [for job in var.jobs : "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}:job/${job.name}"]
    },
    {
      Sid      = "CallFunctions"
      Effect   = "Allow"
      Action   = ["lambda:InvokeFunction"]
      Resource = [var.starter.arn, var.recorder.arn]
    },
    {
      Sid      = "TellPeople"
      Effect   = "Allow"
      Action   = ["sns:Publish"]
      Resource = [var.topics.alerts, var.topics.runs]
    },
    {
      Sid       = "EncryptMessages"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = [var.topics.key_arn]
      Condition = { StringEquals = { "kms:ViaService" = ["sns.${var.account.region}.amazonaws.com"] } }
    },
    {
      Sid    = "DeliverLogs"
      Effect = "Allow"
      Action = [
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
      ]
      # CloudWatch has no resources for these.
      Resource = ["*"]
    },
    {
      Sid    = "Trace"
      Effect = "Allow"
      Action = [
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
      ]
      # X-Ray has no resources for these.
      Resource = ["*"]
    },
  ] })
}
