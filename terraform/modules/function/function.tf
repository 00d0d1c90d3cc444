resource "aws_lambda_function" "this" {
  function_name = var.name
  description   = var.description
  role          = aws_iam_role.this.arn

  # The key holds the zip's hash: another zip is another key.
  s3_bucket = var.package.bucket
  s3_key    = var.package.key

  runtime       = "python3.13"
  architectures = ["arm64"]
  handler       = var.handler
  memory_size   = 1024 # MB; CPU grows with it
  timeout       = var.timeout
  kms_key_arn   = var.key_arn

  # No concurrency is reserved: two calls for one thing are harmless, since an object is put once, and a new account's
  # limit leaves nothing to reserve.

  environment {
    variables = var.environment
  }

  tracing_config {
    mode = "Active"
  }

  # With its first call it would make a log group of its own, without key and retention.
  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]
}

resource "aws_lambda_function_event_invoke_config" "this" {
  function_name                = aws_lambda_function.this.function_name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 3600

  destination_config {
    on_failure {
      destination = var.topic.arn
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  kms_key_id        = var.key_arn
  retention_in_days = var.log_retention_days
}
