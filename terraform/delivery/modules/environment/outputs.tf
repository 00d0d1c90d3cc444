output "boundary_arn" {
  description = "ARN of the policy that bounds the environment's roles."
  value       = aws_iam_policy.boundary.arn
}

output "role_arns" {
  description = "Purpose -> ARN of its role."
  value       = { for purpose, role in aws_iam_role.this : purpose => role.arn }
}
