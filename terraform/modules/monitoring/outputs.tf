output "key_arn" {
  description = "Key of the topic; who publishes must be allowed to use it."
  value       = module.key.arn
}

output "runs_topic_arn" {
  description = "ARN of the topic that is told of runs that have succeeded."
  value       = aws_sns_topic.runs.arn
}

output "topic_arn" {
  description = "ARN of the topic that is told of everything that fails."
  value       = aws_sns_topic.alerts.arn
}
