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

  # Here, for the key's policy knows it before the function is made.
  generate_movies = "${local.name}-generate-movies"
}

module "lake" {
  source = "./modules/lake"

  name       = local.name
  catalog    = local.catalog
  account    = local.account
  disposable = var.disposable
  functions  = [local.generate_movies]
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
  writes = {
    bucket = module.lake.raw_bucket
    prefix = "raw/movies/"
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
  log_retention_days       = var.log_retention_days
  permissions_boundary_arn = var.permissions_boundary_arn
}

module "workflow" {
  source   = "./modules/workflow"
  for_each = local.pipelines

  name       = "${local.name}-${each.key}"
  account    = local.account
  jobs       = module.pipeline[each.key].jobs
  raw_bucket = module.lake.raw_bucket
  prefixes   = [for path in values(each.value.sources) : "raw/${path}/"]
  batch      = var.start_batch

  permissions_boundary_arn = var.permissions_boundary_arn
}

module "analytics" {
  source = "./modules/analytics"

  name       = local.name
  account    = local.account
  lake       = module.lake.lake_bucket
  queries    = module.lake.queries_bucket
  key_arn    = module.lake.key_arn
  databases  = module.lake.databases
  pipelines  = { for name, tables in local.pipelines : name => { silver = tables.silver, gold = tables.gold } }
  principals = var.analyst_principals
  limit      = var.query_limit_bytes

  permissions_boundary_arn = var.permissions_boundary_arn
}

module "monitoring" {
  source = "./modules/monitoring"

  name      = local.name
  account   = local.account
  jobs      = flatten([for pipeline in module.pipeline : values(pipeline.jobs)])
  functions = [module.generate_movies.name]
  schedules = [module.generate_movies.schedule_group]
  starts    = [for workflow in module.workflow : workflow.start_rule]
  email     = var.alert_email
}
