# The architecture, in the order in which a record travels through it; what runs its jobs is in orchestrators.tf.

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
  check_gold        = "${local.name}-check-gold"
  generate_movies   = "${local.name}-generate-movies"
  record_failed_run = "${local.name}-record-failed-run"
  start_layers      = { for name in keys(local.clocks) : name => "${local.name}-${name}-start-layers" }
  start_runs        = { for name in keys(local.state_machines) : name => "${local.name}-${name}-start-runs" }

  # Which of the three runs a pipeline's jobs one after the other. Names here, for others know them before they are made.
  workflows = merge(
    { for name, pipeline in local.pipelines : name => { pipeline = name, layers = ["bronze", "silver", "gold"] } if pipeline.orchestrator == "glue_workflow" },
    { for name in keys(local.clocks) : "${name}-hourly" => { pipeline = name, layers = ["bronze", "silver"] } },
    { for name in keys(local.clocks) : "${name}-daily" => { pipeline = name, layers = ["gold"] } },
  )
  clocks         = { for name, pipeline in local.pipelines : name => pipeline if pipeline.orchestrator == "schedules" }
  state_machines = { for name, pipeline in local.pipelines : name => "${local.name}-${name}" if pipeline.orchestrator == "step_functions" }
  start_seconds  = 60
  clock_remedy   = "start a run by hand (make run): it takes all that has landed."
  arrivals_queue = { for name, machine in local.state_machines : name => "${machine}-arrivals" }

  # Path below raw/ -> name of the stream whose records land there.
  streams = merge([for pipeline in local.pipelines : { for path in pipeline.streams : path => "${local.name}-${replace(path, "/", "-")}" }]...)

  states_arn   = "arn:${local.account.partition}:states:${local.account.region}:${local.account.id}"
  glue_arn     = "arn:${local.account.partition}:glue:${local.account.region}:${local.account.id}"
  lake_arn     = "arn:${local.account.partition}:s3:::${module.lake.lake_bucket}"
  film_files   = "arn:${local.account.partition}:s3:::${module.lake.raw_bucket}/raw/movies/*"
  jobs         = flatten([for pipeline in module.pipeline : values(pipeline.jobs)])
  gold_runs    = [for name, pipeline in local.pipelines : "runs/${name}/gold/" if length(pipeline.expected) > 0]
  run_prefixes = flatten([for name in keys(local.pipelines) : [for layer in keys(var.jobs) : "runs/${name}/${layer}/"]])
}

module "lake" {
  source = "./modules/lake"

  name       = local.name
  catalog    = local.catalog
  account    = local.account
  disposable = var.disposable
  functions  = concat([local.check_gold, local.generate_movies, local.record_failed_run], values(local.start_layers), values(local.start_runs))
  machines   = values(local.state_machines)
  streamed   = length(local.streams) > 0
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
  schedules                = { daily = merge({ name = local.generate_movies }, var.film_schedule) }
  log_retention_days       = var.log_retention_days
  permissions_boundary_arn = var.permissions_boundary_arn
}

module "stream" {
  source   = "./modules/stream"
  for_each = local.streams

  name       = each.value
  path       = each.key
  prefix     = local.name
  account    = local.account
  raw_bucket = module.lake.raw_bucket
  key_arn    = module.lake.key_arn
  settings   = var.stream

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

module "check_gold" {
  source = "./modules/function"

  name        = local.check_gold
  description = "Measures how old and how full each gold table is of which something is expected."
  account     = local.account
  key_arn     = module.lake.key_arn
  topic       = { arn = module.monitoring.topic_arn, key_arn = module.monitoring.key_arn }
  package = {
    bucket = local.deployment_bucket
    key    = local.artifacts["check_gold.zip"].key
  }
  handler = "check_gold.handler"
  environment = {
    LAKE_BUCKET  = module.lake.lake_bucket
    NAMESPACE    = local.name
    EXPECTATIONS = jsonencode({ for name, pipeline in local.pipelines : name => { for table, each in pipeline.expected : table => each.hours } if length(pipeline.expected) > 0 })
  }
  # Where nothing is expected there is nothing to read, and IAM takes no statement about nothing.
  rights = { for sid, right in {
    FindRecords = { actions = ["s3:ListBucket"], resources = [local.lake_arn], prefixes = local.gold_runs, namespace = null }
    ReadRecords = { actions = ["s3:GetObject"], resources = [for prefix in local.gold_runs : "${local.lake_arn}/${prefix}*"], prefixes = null, namespace = null }
    # CloudWatch has no resources for this; the namespace limits it.
    PutMetrics = { actions = ["cloudwatch:PutMetricData"], resources = ["*"], prefixes = null, namespace = local.name }
  } : sid => right if length(local.gold_runs) > 0 }
  schedules                = { hourly = merge({ name = local.check_gold }, var.check_schedule) }
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
  functions = concat([module.check_gold.name, module.generate_movies.name, module.record_failed_run.name], values(local.start_layers), values(local.start_runs))
  recorder  = { name = module.record_failed_run.name, arn = module.record_failed_run.arn }
  schedules = merge(
    { (local.check_gold) = { remedy = "nobody knows how old gold is. Call the function with the time.", hours = var.check_schedule.enabled ? 3 : null } },
    { (local.generate_movies) = { remedy = "the day's file is missing. Invoke the function with that day.", hours = null } },
    merge([for name in keys(local.clocks) : {
      "${local.name}-${name}-hourly" = { remedy = local.clock_remedy, hours = var.hourly_schedule.enabled ? 2 : null }
      "${local.name}-${name}-daily"  = { remedy = local.clock_remedy, hours = var.daily_schedule.enabled ? 26 : null }
    }]...),
  )
  expected = {
    tables  = merge(values(local.pipelines)[*].expected...)
    watched = var.check_schedule.enabled
  }
  streams    = { for stream in module.stream : stream.name => { late_seconds = max(900, 3 * var.stream.buffer_seconds), log_group = stream.log_group } }
  starts     = concat([for workflow in module.workflow : workflow.start_rule if workflow.start_rule != null], [for machine in module.state_machine : machine.start_rule])
  machines   = { for name, machine in module.state_machine : local.state_machines[name] => { arn = machine.arn, dead_queue = machine.dead_queue, told = machine.told } }
  raw_bucket = module.lake.raw_bucket
  email      = var.alert_email
}
