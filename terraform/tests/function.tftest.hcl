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
  rights             = { PutFiles = { actions = ["s3:PutObject"], resources = ["arn:aws:s3:::oakvale-dev-raw-111122223333/raw/movies/*"] } }
  schedules          = { daily = { name = "oakvale-dev-generate-movies", cron = "cron(0 2 * * ? *)", enabled = true } }
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
    condition     = aws_scheduler_schedule.this["daily"].state == "ENABLED" && aws_scheduler_schedule.this["daily"].schedule_expression_timezone == "UTC"
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
    schedules = { daily = { name = "oakvale-dev-generate-movies", cron = "cron(0 2 * * ? *)", enabled = false } }
  }

  module {
    source = "./modules/function"
  }

  assert {
    condition     = aws_scheduler_schedule.this["daily"].state == "DISABLED"
    error_message = "The schedule is there, and doesn't run."
  }
}

run "called_by_a_rule" {
  command = plan

  variables {
    schedules = {}
    rights    = { FindRecords = { actions = ["s3:ListBucket"], resources = ["arn:aws:s3:::lake"], prefixes = ["runs/movies/gold/"] } }
  }

  module {
    source = "./modules/function"
  }

  assert {
    condition     = length(aws_scheduler_schedule.this) + length(aws_scheduler_schedule_group.this) + length(aws_iam_role.schedule) == 0
    error_message = "Without a schedule there is nothing of one."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.this.policy).Statement[0] == { Sid = "FindRecords", Effect = "Allow", Action = ["s3:ListBucket"], Resource = ["arn:aws:s3:::lake"], Condition = { StringEquals = { "s3:prefix" = ["runs/movies/gold/"] } } }
    error_message = "It lists below its prefixes only."
  }
}
