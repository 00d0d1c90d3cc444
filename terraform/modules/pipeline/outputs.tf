output "jobs" {
  description = "Layer, or erasure where there are persons -> name of its job."
  value       = { for name, job in aws_glue_job.this : name => job.name }
}

output "log_groups" {
  description = "Job -> what the names of its two log groups begin with."
  value       = local.log_groups
}

output "roles" {
  description = "Job -> name of its role."
  value       = { for name, role in aws_iam_role.this : name => role.name }
}
