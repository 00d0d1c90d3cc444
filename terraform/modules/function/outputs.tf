output "arn" {
  description = "ARN of the function."
  value       = aws_lambda_function.this.arn
}

output "name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "role" {
  description = "Name of the function's role."
  value       = aws_iam_role.this.name
}

output "schedule_group" {
  description = "Name of the group of the function's schedule; null without one."
  value       = one(aws_scheduler_schedule_group.this[*].name)
}
