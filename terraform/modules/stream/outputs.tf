output "log_group" {
  description = "Log group of the delivery."
  value       = aws_cloudwatch_log_group.delivery.name
}

output "name" {
  description = "Name of the stream, and of its delivery."
  value       = aws_kinesis_stream.this.name
}

output "role" {
  description = "Name of the role that delivers."
  value       = aws_iam_role.delivery.name
}
