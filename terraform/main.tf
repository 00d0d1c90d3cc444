# The architecture, in the order in which a film record travels through it.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  # Not a variable: scripts/deployment_bucket.py names the deployment bucket alike.
  project    = "oakvale"
  production = var.environment == "production"
  name       = local.production ? local.project : "${local.project}-${var.environment}"
  catalog    = replace(local.name, "-", "_")

  account = {
    id        = data.aws_caller_identity.current.account_id
    partition = data.aws_partition.current.partition
    region    = var.region
  }

  # Made by `make bootstrap`, filled by `make upload`: one per account and region, so no environment owns it.
  deployment_bucket = "${local.project}-deployment-${local.account.id}-${var.region}"

  # Here, for the key's policy knows them before the functions are made.
  generate_movies   = "${local.name}-generate-movies"
  record_failed_run = "${local.name}-record-failed-run"
  start_runs        = { for name in keys(local.state_machines) : name => "${local.name}-${name}-start-runs" }

  # Which of the two runs a pipeline's jobs one after the other. Names here, for others know them before they are made.
  workflows      = { for name, pipeline in local.pipelines : name => pipeline if pipeline.orchestrator == "glue_workflow" }
  state_machines = { for name, pipeline in local.pipelines : name => "${local.name}-${name}" if pipeline.orchestrator == "step_functions" }
  start_seconds  = 60
  arrivals_queue = { for name, machine in local.state_machines : name => "${machine}-arrivals" }

  states_arn   = "arn:${local.account.partition}:states:${local.account.region}:${local.account.id}"
  glue_arn     = "arn:${local.account.partition}:glue:${local.account.region}:${local.account.id}"
  lake_arn     = "arn:${local.account.partition}:s3:::${module.lake.lake_bucket}"
  film_files   = "arn:${local.account.partition}:s3:::${module.lake.raw_bucket}/raw/movies/*"
  jobs         = flatten([for pipeline in module.pipeline : values(pipeline.jobs)])
  run_prefixes = flatten([for name in keys(local.pipelines) : [for layer in keys(var.jobs) : "runs/${name}/${layer}/"]])
}

module "lake" {
  source = "./modules/lake"

  name       = local.name
  catalog    = local.catalog
  account    = local.account
  disposable = var.disposable
  functions  = concat([local.generate_movies, local.record_failed_run], values(local.start_runs))
  machines   = values(local.state_machines)
  archived   = merge(values(local.pipelines)[*].archive_days...)
  # Beside what writes the records, for queries on a folder read it too.
  run_columns = jsondecode(file("${path.root}/../glue_scripts/lakehouse/run_record.json"))
}

module "generate_movies" {
  source = "./modules/function"

  name        = local.generate_movies
  description = "Puts a day's file of invented films into the raw bucket, once."
  account     = local.account
  key_arn     = module.lake.key_arn
  topic       = { arn = module.monitoring.topic_arn, key_arn = module.monitoring.key_arn }
  package = {
    bucket = local.deployment_bucket
    key    = local.artifacts["generate_movies.zip"].key
  }
  handler = "generate_movies.handler"
  environment = {
    RAW_BUCKET = module.lake.raw_bucket
    SEED       = tostring(var.film_days.seed)
    MOVIES     = tostring(var.film_days.movies)
    FIRST_DAY  = var.film_days.first_day
  }
  rights = {
    PutFiles = { actions = ["s3:PutObject"], resources = [local.film_files] }
    # Of a file that is there already: does it hold the same bytes?
    CompareFiles = { actions = ["s3:GetObject"], resources = [local.film_files] }
  }
  schedule                 = var.film_schedule
  log_retention_days       = var.log_retention_days
  permissions_boundary_arn = var.permissions_boundary_arn
}

module "pipeline" {
  source   = "./modules/pipeline"
  for_each = local.pipelines

  name     = each.key
  sources  = each.value.sources
  archived = keys(each.value.archive_days)
  persons  = each.value.persons
  silver   = each.value.silver
  gold     = sort(keys(each.value.gold))
  prefix   = local.name
  catalog  = local.catalog
  account  = local.account
  raw      = module.lake.raw_bucket
  lake     = module.lake.lake_bucket
  key_arn  = module.lake.key_arn
  security = module.lake.security_configuration
  artifacts = {
    bucket = local.deployment_bucket
    script = local.artifacts["${each.key}.py"].key
    engine = local.artifacts["lakehouse.zip"].key
    jars   = var.delta_jars == "own" ? local.own_jars : []
  }
  sizes                    = var.jobs
  maintenance              = var.maintenance_schedule
  log_retention_days       = var.log_retention_days
  permissions_boundary_arn = var.permissions_boundary_arn
}

module "workflow" {
  source   = "./modules/workflow"
  for_each = local.workflows

  name       = "${local.name}-${each.key}"
  account    = local.account
  jobs       = module.pipeline[each.key].jobs
  raw_bucket = module.lake.raw_bucket
  prefixes   = [for path in values(each.value.sources) : "raw/${path}/"]
  batch      = var.start_batch

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

module "record_failed_run" {
  source = "./modules/function"

  name        = local.record_failed_run
  description = "Writes the run record of a job that ended before it could."
  account     = local.account
  key_arn     = module.lake.key_arn
  topic       = { arn = module.monitoring.topic_arn, key_arn = module.monitoring.key_arn }
  package = {
    bucket = local.deployment_bucket
    key    = local.artifacts["record_failed_run.zip"].key
  }
  handler     = "record_failed_run.handler"
  environment = { LAKE_BUCKET = module.lake.lake_bucket }
  rights = {
    ReadRuns = { actions = ["glue:GetJobRun"], resources = [for job in local.jobs : "${local.glue_arn}:job/${job}"] }
    # The names of the records tell whether the job has left one.
    FindRecords = { actions = ["s3:ListBucket"], resources = [local.lake_arn], prefixes = local.run_prefixes }
    PutRecords  = { actions = ["s3:PutObject"], resources = [for prefix in local.run_prefixes : "${local.lake_arn}/${prefix}*"] }
  }
  log_retention_days       = var.log_retention_days
  permissions_boundary_arn = var.permissions_boundary_arn
}

module "analytics" {
  source = "./modules/analytics"

  name      = local.name
  account   = local.account
  lake      = module.lake.lake_bucket
  queries   = module.lake.queries_bucket
  key_arn   = module.lake.key_arn
  databases = module.lake.databases
  pipelines = { for name, tables in local.pipelines : name => { silver = tables.silver, gold = tables.gold } }
  # queries/<pipeline>/<name>.sql: one SELECT on gold, below a comment that says what it answers.
  examples = merge([for pipeline in keys(local.pipelines) : {
    for file in fileset("${path.root}/queries/${pipeline}", "*.sql") :
    "${pipeline}_${trimsuffix(file, ".sql")}" => file("${path.root}/queries/${pipeline}/${file}")
  }]...)
  principals = var.analyst_principals
  limit      = var.query_limit_bytes

  permissions_boundary_arn = var.permissions_boundary_arn
}

module "monitoring" {
  source = "./modules/monitoring"

  name      = local.name
  account   = local.account
  jobs      = local.jobs
  functions = concat([module.generate_movies.name, module.record_failed_run.name], values(local.start_runs))
  recorder  = { name = module.record_failed_run.name, arn = module.record_failed_run.arn }
  schedules = [module.generate_movies.schedule_group]
  starts    = concat([for workflow in module.workflow : workflow.start_rule], [for machine in module.state_machine : machine.start_rule])
  machines  = { for name, machine in module.state_machine : local.state_machines[name] => { arn = machine.arn, dead_queue = machine.dead_queue, told = machine.told } }
  email     = var.alert_email
}
