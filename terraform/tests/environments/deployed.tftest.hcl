# Not for `terraform test` alone: tests/terraform runs it for each environment file and reads the state that it prints.

mock_provider "aws" {
  source = "./tests/mocks"

  # The topic has a key of its own.
  override_resource {
    target = module.monitoring.module.key.aws_kms_key.this
    values = { arn = "arn:aws:kms:us-east-1:111122223333:key/alerts" }
  }

  # Each role has an ARN of its own, so that a mix-up shows.
  override_resource {
    target = module.generate_movies.aws_iam_role.schedule[0]
    values = { arn = "arn:aws:iam::111122223333:role/generate-movies-schedule" }
  }
  override_resource {
    target = module.generate_movies.aws_iam_role.this
    values = { arn = "arn:aws:iam::111122223333:role/generate-movies-this" }
  }
  override_resource {
    target = module.check_gold.aws_iam_role.this
    values = { arn = "arn:aws:iam::111122223333:role/check-gold-this" }
  }
  override_resource {
    target = module.check_gold.aws_iam_role.schedule[0]
    values = { arn = "arn:aws:iam::111122223333:role/check-gold-schedule" }
  }
  override_resource {
    target = module.record_failed_run.aws_iam_role.this
    values = { arn = "arn:aws:iam::111122223333:role/record-failed-run-this" }
  }
  override_resource {
    target = module.record_failed_run.aws_lambda_function.this
    values = { arn = "arn:aws:lambda:us-east-1:111122223333:function:record-failed-run" }
  }
  override_resource {
    target = module.monitoring.aws_cloudwatch_event_rule.failed_runs
    values = { arn = "arn:aws:events:us-east-1:111122223333:rule/failed-runs" }
  }
  override_resource {
    target = module.workflow["movies"].aws_iam_role.start
    values = { arn = "arn:aws:iam::111122223333:role/workflow-movies-start" }
  }
  override_resource {
    target = module.pipeline["movies"].aws_iam_role.this["bronze"]
    values = { arn = "arn:aws:iam::111122223333:role/pipeline-movies-this-bronze" }
  }
  override_resource {
    target = module.pipeline["movies"].aws_iam_role.this["silver"]
    values = { arn = "arn:aws:iam::111122223333:role/pipeline-movies-this-silver" }
  }
  override_resource {
    target = module.pipeline["movies"].aws_iam_role.this["gold"]
    values = { arn = "arn:aws:iam::111122223333:role/pipeline-movies-this-gold" }
  }
  override_resource {
    target = module.workflow["shop"].aws_iam_role.start
    values = { arn = "arn:aws:iam::111122223333:role/workflow-shop-start" }
  }
  override_resource {
    target = module.pipeline["shop"].aws_iam_role.this["bronze"]
    values = { arn = "arn:aws:iam::111122223333:role/pipeline-shop-this-bronze" }
  }
  override_resource {
    target = module.pipeline["shop"].aws_iam_role.this["silver"]
    values = { arn = "arn:aws:iam::111122223333:role/pipeline-shop-this-silver" }
  }
  override_resource {
    target = module.pipeline["shop"].aws_iam_role.this["gold"]
    values = { arn = "arn:aws:iam::111122223333:role/pipeline-shop-this-gold" }
  }
  override_resource {
    target = module.workflow["movies"].aws_glue_workflow.this
    values = { arn = "arn:aws:glue:us-east-1:111122223333:workflow/movies" }
  }
  override_resource {
    target = module.workflow["shop"].aws_glue_workflow.this
    values = { arn = "arn:aws:glue:us-east-1:111122223333:workflow/shop" }
  }
  override_resource {
    target = module.start_runs["market"].aws_iam_role.this
    values = { arn = "arn:aws:iam::111122223333:role/start-runs-this" }
  }
  override_resource {
    target = module.start_runs["market"].aws_lambda_function.this
    values = { arn = "arn:aws:lambda:us-east-1:111122223333:function:start-runs" }
  }
  override_resource {
    target = module.state_machine["market"].aws_iam_role.this
    values = { arn = "arn:aws:iam::111122223333:role/state-machine-market-this" }
  }
  override_resource {
    target = module.state_machine["market"].aws_sqs_queue.arrivals
    values = { arn = "arn:aws:sqs:us-east-1:111122223333:arrivals" }
  }
  override_resource {
    target = module.state_machine["market"].aws_sqs_queue.dead
    values = { arn = "arn:aws:sqs:us-east-1:111122223333:dead" }
  }
  override_resource {
    target = module.state_machine["market"].aws_sfn_state_machine.this
    values = { arn = "arn:aws:states:us-east-1:111122223333:stateMachine:market" }
  }
  override_resource {
    target = module.monitoring.aws_sns_topic.alerts
    values = { arn = "arn:aws:sns:us-east-1:111122223333:alerts" }
  }
  override_resource {
    target = module.monitoring.aws_sns_topic.runs
    values = { arn = "arn:aws:sns:us-east-1:111122223333:runs" }
  }
  override_resource {
    target = module.pipeline["market"].aws_iam_role.this["bronze"]
    values = { arn = "arn:aws:iam::111122223333:role/pipeline-market-this-bronze" }
  }
  override_resource {
    target = module.pipeline["market"].aws_iam_role.this["silver"]
    values = { arn = "arn:aws:iam::111122223333:role/pipeline-market-this-silver" }
  }
  override_resource {
    target = module.pipeline["market"].aws_iam_role.this["gold"]
    values = { arn = "arn:aws:iam::111122223333:role/pipeline-market-this-gold" }
  }
  override_resource {
    target = module.stream["clicks/web"].aws_iam_role.delivery
    values = { arn = "arn:aws:iam::111122223333:role/stream-clicks-web-delivery" }
  }
  override_resource {
    target = module.stream["clicks/web"].aws_kinesis_stream.this
    values = { arn = "arn:aws:kinesis:us-east-1:111122223333:stream/clicks-web" }
  }
  override_resource {
    target = module.start_layers["clicks"].aws_iam_role.this
    values = { arn = "arn:aws:iam::111122223333:role/start-layers-this" }
  }
  override_resource {
    target = module.start_layers["clicks"].aws_iam_role.schedule[0]
    values = { arn = "arn:aws:iam::111122223333:role/start-layers-schedule" }
  }
  override_resource {
    target = module.start_layers["clicks"].aws_lambda_function.this
    values = { arn = "arn:aws:lambda:us-east-1:111122223333:function:start-layers" }
  }
  override_resource {
    target = module.pipeline["clicks"].aws_iam_role.this["bronze"]
    values = { arn = "arn:aws:iam::111122223333:role/pipeline-clicks-this-bronze" }
  }
  override_resource {
    target = module.pipeline["clicks"].aws_iam_role.this["silver"]
    values = { arn = "arn:aws:iam::111122223333:role/pipeline-clicks-this-silver" }
  }
  override_resource {
    target = module.pipeline["clicks"].aws_iam_role.this["gold"]
    values = { arn = "arn:aws:iam::111122223333:role/pipeline-clicks-this-gold" }
  }
}

run "deployed" {
  command = apply
}
