output "jobs" {
  description = "Layer -> name of its job."
  value       = { for layer, job in aws_glue_job.this : layer => job.name }
}

output "log_groups" {
  description = "Layer -> what the names of its job's two log groups begin with."
  value       = local.log_groups
}

output "roles" {
  description = "Layer -> name of its job's role."
  value       = { for layer, role in aws_iam_role.this : layer => role.name }
}
