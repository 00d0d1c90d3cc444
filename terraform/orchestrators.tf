# What runs a pipeline's jobs one after the other: a workflow when files have landed or by the clock, or a state machine.

module "workflow" {
  source   = "./modules/workflow"
  for_each = local.workflows

  name    = "${local.name}-${each.key}"
  account = local.account
  layers  = each.value.layers
  jobs    = module.pipeline[each.value.pipeline].jobs
  arrival = contains(keys(local.clocks), each.value.pipeline) ? null : {
    bucket   = module.lake.raw_bucket
    prefixes = [for path in values(local.pipelines[each.value.pipeline].sources) : "raw/${path}/"]
    batch    = var.start_batch
  }

  permissions_boundary_arn = var.permissions_boundary_arn
}

module "start_layers" {
  source   = "./modules/function"
  for_each = local.clocks

  name        = local.start_layers[each.key]
  description = "Starts the layers of ${each.key} that are due by the clock, unless they run."
  account     = local.account
  key_arn     = module.lake.key_arn
  topic       = { arn = module.monitoring.topic_arn, key_arn = module.monitoring.key_arn }
  package = {
    bucket = local.deployment_bucket
    key    = local.artifacts["start_layers.zip"].key
  }
  handler     = "start_layers.handler"
  timeout     = local.start_seconds
  environment = { for part in ["hourly", "daily"] : upper(part) => module.workflow["${each.key}-${part}"].name }
  rights = {
    StartWorkflows = { actions = ["glue:StartWorkflowRun"], resources = [for part in ["hourly", "daily"] : "${local.glue_arn}:workflow/${local.name}-${each.key}-${part}"] }
  }
  schedules = {
    hourly = merge({ name = "${local.name}-${each.key}-hourly", event = { part = "hourly" } }, var.hourly_schedule)
    daily  = merge({ name = "${local.name}-${each.key}-daily", event = { part = "daily" } }, var.daily_schedule)
  }
  log_retention_days       = var.log_retention_days
  permissions_boundary_arn = var.permissions_boundary_arn
}

module "start_runs" {
  source   = "./modules/function"
  for_each = local.state_machines

  name        = local.start_runs[each.key]
  description = "Starts the runs of ${each.value}, one at a time, when files have landed."
  account     = local.account
  key_arn     = module.lake.key_arn
  topic       = { arn = module.monitoring.topic_arn, key_arn = module.monitoring.key_arn }
  package = {
    bucket = local.deployment_bucket
    key    = local.artifacts["start_runs.zip"].key
  }
  handler = "start_runs.handler"
  timeout = local.start_seconds
  environment = {
    PIPELINE      = each.key
    RAW_BUCKET    = module.lake.raw_bucket
    LAKE_BUCKET   = module.lake.lake_bucket
    PREFIXES      = jsonencode([for path in values(local.pipelines[each.key].sources) : "raw/${path}/"])
    STATE_MACHINE = "${local.states_arn}:stateMachine:${each.value}"
    TOPIC         = module.monitoring.topic_arn
  }
  rights = {
    TakeMessages = {
      actions   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
      resources = ["arn:${local.account.partition}:sqs:${local.account.region}:${local.account.id}:${local.arrivals_queue[each.key]}"]
    }
    CountArrivals = { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${local.lake_arn}/arrivals/${each.key}.json"] }
    # Before the first call there is no such object: without this, S3 would say that it is forbidden. It knows no prefix
    # when an object is asked for, so none can limit this.
    MissArrivals = { actions = ["s3:ListBucket"], resources = [local.lake_arn] }
    StartRuns    = { actions = ["states:StartExecution"], resources = ["${local.states_arn}:stateMachine:${each.value}"] }
    LookAtRuns   = { actions = ["states:DescribeExecution"], resources = ["${local.states_arn}:execution:${each.value}:*"] }
  }
  log_retention_days       = var.log_retention_days
  permissions_boundary_arn = var.permissions_boundary_arn
}

module "state_machine" {
  source   = "./modules/state_machine"
  for_each = local.state_machines

  name       = each.value
  pipeline   = each.key
  account    = local.account
  jobs       = { for layer, size in var.jobs : layer => { name = module.pipeline[each.key].jobs[layer], timeout_minutes = size.timeout_minutes } }
  starter    = { name = module.start_runs[each.key].name, arn = module.start_runs[each.key].arn }
  recorder   = { name = module.record_failed_run.name, arn = module.record_failed_run.arn }
  topics     = { alerts = module.monitoring.topic_arn, runs = module.monitoring.runs_topic_arn, key_arn = module.monitoring.key_arn }
  raw_bucket = module.lake.raw_bucket
  key_arn    = module.lake.key_arn
  batch      = var.start_batch
  patience   = 6 * local.start_seconds # as Lambda asks for
  archived   = length(local.pipelines[each.key].archive_days) > 0

  retry_seconds            = var.retry_seconds
  log_retention_days       = var.log_retention_days
  permissions_boundary_arn = var.permissions_boundary_arn
}
