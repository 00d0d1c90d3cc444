# What the environment is made of, as ARNs: where a name says whose a thing is, and where a tag does.

locals {
  arn      = "arn:${var.account.partition}"
  here     = "${var.account.region}:${var.account.id}"
  catalog  = replace(var.name, "-", "_")
  delivery = "${var.project}-delivery-${var.environment}"
  # As a text: what a deployment may do names the boundary, and both are made of the same tables.
  boundary_arn = "${local.arn}:iam::${var.account.id}:policy/${local.delivery}-boundary"
  databases    = { for layer in ["bronze", "silver", "gold"] : layer => "${local.catalog}_${layer}" }

  buckets    = [for store in ["raw", "lake", "queries", "logs"] : "${local.arn}:s3:::${var.name}-${store}-${var.account.id}"]
  deployment = "${local.arn}:s3:::${var.project}-deployment-${var.account.id}-${var.account.region}"
  state      = "${local.deployment}/state/${var.environment}.tfstate"
  keys       = "${local.arn}:kms:${local.here}:key/*"
  glue       = "${local.arn}:glue:${local.here}"
  mappings   = "${local.arn}:lambda:${local.here}:event-source-mapping:*"

  # Kind -> what the ARNs of its things begin with, before the name.
  kinds = {
    alarm         = "${local.arn}:cloudwatch:${local.here}:alarm:"
    delivery      = "${local.arn}:firehose:${local.here}:deliverystream/"
    execution     = "${local.arn}:states:${local.here}:execution:"
    function      = "${local.arn}:lambda:${local.here}:function:"
    function_log  = "${local.arn}:logs:${local.here}:log-group:/aws/lambda/"
    job           = "${local.glue}:job/"
    machine       = "${local.arn}:states:${local.here}:stateMachine:"
    machine_log   = "${local.arn}:logs:${local.here}:log-group:/aws/vendedlogs/states/"
    queue         = "${local.arn}:sqs:${local.here}:"
    role          = "${local.arn}:iam::${var.account.id}:role/"
    rule          = "${local.arn}:events:${local.here}:rule/"
    schedule      = "${local.arn}:scheduler:${local.here}:schedule/"
    schedule_list = "${local.arn}:scheduler:${local.here}:schedule-group/"
    stream        = "${local.arn}:kinesis:${local.here}:stream/"
    topic         = "${local.arn}:sns:${local.here}:"
    trigger       = "${local.glue}:trigger/"
    workflow      = "${local.glue}:workflow/"
  }
  own = { for kind, beginning in local.kinds : kind => "${beginning}${var.name}-*" }
  # What these patterns would take of others: production's do, for its names have no environment in them.
  others = flatten([
    for other in var.other_names : [for beginning in values(local.kinds) : "${beginning}${other}-*"]
    if startswith(other, "${var.name}-")
  ])

  logs      = ["${local.arn}:logs:${local.here}:log-group:/${var.name}/*", local.own.function_log, local.own.machine_log]
  workgroup = "${local.arn}:athena:${local.here}:workgroup/${var.name}"
  aliases   = [for end in ["", "-alerts"] : "${local.arn}:kms:${local.here}:alias/${var.name}${end}"]
  tables    = [for database in values(local.databases) : "${local.glue}:table/${database}/*"]
  catalogs  = concat(["${local.glue}:catalog"], [for database in values(local.databases) : "${local.glue}:database/${database}"])

  # Keys have no names of ours, only the tags that Terraform gives to all that it makes.
  tagged      = { "aws:ResourceTag/project" = var.project, "aws:ResourceTag/environment" = var.environment }
  tagged_anew = { "aws:RequestTag/project" = var.project, "aws:RequestTag/environment" = var.environment }
}
