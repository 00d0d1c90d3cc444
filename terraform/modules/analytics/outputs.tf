output "analyst_role_arn" {
  description = "ARN of the role that reads gold."
  value       = aws_iam_role.analyst.arn
}

output "named_queries" {
  description = "Names of the queries to begin with."
  value       = sort([for query in aws_athena_named_query.this : query.name])
}

output "workgroup" {
  description = "Name of Athena's workgroup."
  value       = aws_athena_workgroup.this.name
}
