output "alerts_topic_arn" {
  description = "Topic that is told of everything that fails; subscribe to it."
  value       = module.monitoring.topic_arn
}

output "analyst_role_arn" {
  description = "Role that reads gold through Athena, and nothing else."
  value       = module.analytics.analyst_role_arn
}

output "catalog" {
  description = "What the names of the databases begin with; the jobs' --catalog."
  value       = local.catalog
}

output "databases" {
  description = "Layer -> name of its database in the Glue catalog."
  value       = module.lake.databases
}

output "functions" {
  description = "Function -> its name in AWS."
  value = merge(
    { check_gold = module.check_gold.name, generate_movies = module.generate_movies.name, record_failed_run = module.record_failed_run.name },
    { for name, function in module.start_runs : "${name}-start_runs" => function.name },
    { for name, function in module.start_layers : "${name}-start_layers" => function.name },
  )
}

output "jobs" {
  description = "<pipeline>-<layer>, and <pipeline>-erasure where there are persons -> name of its Glue job."
  value       = merge([for name, pipeline in module.pipeline : { for layer, job in pipeline.jobs : "${name}-${layer}" => job }]...)
}

output "lake_bucket" {
  description = "Bucket of the tables, the ledger, the gates and the run records."
  value       = module.lake.lake_bucket
}

output "log_groups" {
  description = "Job as in jobs -> what the names of its log groups begin with; /output and /error follow."
  value       = merge([for name, pipeline in module.pipeline : { for layer, group in pipeline.log_groups : "${name}-${layer}" => group }]...)
}

output "name" {
  description = "What all names of this environment begin with."
  value       = local.name
}

output "named_queries" {
  description = "Queries to begin with, in the workgroup."
  value       = module.analytics.named_queries
}

output "next" {
  description = "What to do now."
  value       = <<-TEXT
    make a day of films   aws lambda invoke --function-name ${module.generate_movies.name} --cli-binary-format raw-in-base64-out --payload '{"date": "${var.film_days.first_day}"}' /dev/stdout
    a pipeline starts     by itself, when ${var.start_batch.files} files have landed or ${var.start_batch.seconds} s after the first
    look at gold          Athena, workgroup ${module.analytics.workgroup}, database ${module.lake.databases["gold"]}
  TEXT
}

output "queries_bucket" {
  description = "Bucket of Athena's results."
  value       = module.lake.queries_bucket
}

output "raw_bucket" {
  description = "Bucket where files land, below raw/<path of a source>/."
  value       = module.lake.raw_bucket
}

output "region" {
  description = "Region of everything."
  value       = var.region
}

output "roles" {
  description = "Job as in jobs, function, <path>-delivery and <pipeline>-state_machine -> name of its role."
  value = merge(concat(
    [{ check_gold = module.check_gold.role, generate_movies = module.generate_movies.role, record_failed_run = module.record_failed_run.role }],
    [for name, function in module.start_runs : { "${name}-start_runs" = function.role }],
    [for name, function in module.start_layers : { "${name}-start_layers" = function.role }],
    [for path, stream in module.stream : { "${path}-delivery" = stream.role }],
    [for name, machine in module.state_machine : { "${name}-state_machine" = machine.role }],
    [for name, pipeline in module.pipeline : { for layer, role in pipeline.roles : "${name}-${layer}" => role }],
  )...)
}

output "runs_topic_arn" {
  description = "Topic that is told of each run of a state machine that has succeeded."
  value       = module.monitoring.runs_topic_arn
}

output "scheduled_workflows" {
  description = "Pipeline -> names of its workflows, for those that run by the clock: the hour's, then the day's."
  value       = { for name in keys(local.clocks) : name => [for part in ["hourly", "daily"] : module.workflow["${name}-${part}"].name] }
}

output "state_machines" {
  description = "Pipeline -> ARN of its state machine, for those that Step Functions runs."
  value       = { for name, machine in module.state_machine : name => machine.arn }
}

output "streams" {
  description = "Path below raw/ -> name of the stream whose records land there."
  value       = { for path, stream in module.stream : path => stream.name }
}

output "workflows" {
  description = "Pipeline -> name of its workflow, for those that Glue runs when files have landed."
  value       = { for name, workflow in module.workflow : name => workflow.name if contains(keys(local.pipelines), name) }
}

output "workgroup" {
  description = "Athena's workgroup."
  value       = module.analytics.workgroup
}
