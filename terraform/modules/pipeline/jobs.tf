locals {
  layers = toset(["bronze", "silver", "gold"])

  # One job per layer; and where records say whose they are, one that erases a person from all of them, which is as
  # large as silver's and has the time of all three.
  jobs = merge(
    { for layer in local.layers : layer => {
      description = "Brings the ${layer} tables of ${var.name} up to date."
      size        = var.sizes[layer]
      arguments   = { "--layer" = layer, "--catalog" = var.catalog }
    } },
    { for job in var.persons ? ["erasure"] : [] : job => {
      description = "Erases a person from raw files and all tables of ${var.name}."
      size        = merge(var.sizes["silver"], { timeout_minutes = sum(values(var.sizes)[*].timeout_minutes) })
      arguments   = { "--layer" = "bronze", "--mode" = "erase" }
    } },
  )

  artifacts = "s3://${var.artifacts.bucket}"
  own_jars  = [for key in var.artifacts.jars : "${local.artifacts}/${key}"]
  engine    = "${local.artifacts}/${var.artifacts.engine}"

  # Glue takes one --conf; each further setting stands in the same text. While S3 answers 503, S3A waits twice as long
  # each time: 20 times by default, which is days. And it waits 200 seconds for an answer, forty times.
  spark_settings = {
    "--conf" = join(" --conf ", [
      "spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension",
      "spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog",
      "spark.hadoop.fs.s3a.retry.throttle.limit=8",
      "spark.hadoop.fs.s3a.connection.timeout=30s",
    ])
  }
  glue_delta = {
    "--datalake-formats" = "delta"
    "--extra-py-files"   = local.engine
  }
  own_delta = {
    "--extra-jars"      = join(",", local.own_jars)
    "--user-jars-first" = "true"
    # Delta's jar also holds its Python package.
    "--extra-py-files" = join(",", concat([local.engine], local.own_jars))
  }
}

resource "aws_glue_job" "this" {
  for_each = local.jobs

  name        = "${var.prefix}-${var.name}-${each.key}"
  description = each.value.description
  role_arn    = aws_iam_role.this[each.key].arn

  glue_version           = "6.0"
  execution_class        = "STANDARD"
  worker_type            = each.value.size.worker_type
  number_of_workers      = each.value.size.workers
  timeout                = each.value.size.timeout_minutes
  security_configuration = var.security

  # One writer per table. A run that comes while another is busy waits for it, so that no landed file is left behind;
  # Glue then repeats nothing by itself (it refuses both together), and a failure is told at once.
  max_retries             = 0
  job_run_queuing_enabled = true
  execution_property {
    max_concurrent_runs = 1
  }

  command {
    name            = "glueetl"
    python_version  = "3"
    script_location = "${local.artifacts}/${var.artifacts.script}"
  }

  default_arguments = merge(
    local.spark_settings,
    length(var.artifacts.jars) == 0 ? local.glue_delta : local.own_delta,
    each.value.arguments,
    {
      "--pipeline" = var.name
      "--lake"     = "s3://${var.lake}"
      "--raw"      = "s3://${var.raw}"

      "--TempDir"                      = "s3://${var.lake}/temporary/${var.name}-${each.key}/"
      "--custom-logGroup-prefix"       = local.log_groups[each.key]
      "--enable-auto-scaling"          = "true"
      "--enable-metrics"               = "true"
      "--enable-observability-metrics" = "true"
      "--job-bookmark-option"          = "job-bookmark-disable"
      "--job-language"                 = "python"
    },
  )

  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]
}

locals {
  log_groups = { for job in keys(local.jobs) : job => "/${var.prefix}/glue/${var.name}-${job}" }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(flatten([for prefix in values(local.log_groups) : ["${prefix}/output", "${prefix}/error"]]))

  name              = each.key
  kms_key_id        = var.key_arn
  retention_in_days = var.log_retention_days
}
