# One function: its zip, its schedule, what becomes of a call that fails.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  account            = { id = "111122223333", partition = "aws", region = "us-east-1" }
  name               = "oakvale-dev-generate-movies"
  description        = "Makes films."
  handler            = "generate_movies.handler"
  environment        = { RAW_BUCKET = "oakvale-dev-raw-111122223333" }
  key_arn            = "arn:aws:kms:us-east-1:111122223333:key/mocked"
  topic              = { arn = "arn:aws:sns:us-east-1:111122223333:oakvale-dev-alerts", key_arn = "arn:aws:kms:us-east-1:111122223333:key/alerts" }
  writes             = { bucket = "oakvale-dev-raw-111122223333", prefix = "raw/movies/" }
  schedule           = { cron = "cron(0 2 * * ? *)", enabled = true }
  log_retention_days = 14

  permissions_boundary_arn = null
  package = {
    bucket = "deployment"
    key    = "artifacts/generate_movies.zip"
  }
}

run "scheduled" {
  command = plan

  module {
    source = "./modules/function"
  }

  assert {
    condition     = aws_lambda_function.this.s3_key == var.package.key && aws_lambda_function.this.s3_bucket == var.package.bucket
    error_message = "The zip is the one of the package."
  }
  assert {
    condition     = aws_scheduler_schedule.this.state == "ENABLED" && aws_scheduler_schedule.this.schedule_expression_timezone == "UTC"
    error_message = "The schedule runs, in UTC."
  }
  assert {
    condition     = aws_lambda_function.this.kms_key_arn == var.key_arn && aws_cloudwatch_log_group.this.kms_key_id == var.key_arn
    error_message = "Environment and log are encrypted with our key."
  }
}

run "not_scheduled" {
  command = plan

  variables {
    schedule = { cron = "cron(0 2 * * ? *)", enabled = false }
  }

  module {
    source = "./modules/function"
  }

  assert {
    condition     = aws_scheduler_schedule.this.state == "DISABLED"
    error_message = "The schedule is there, and doesn't run."
  }
}
