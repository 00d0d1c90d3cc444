output "topic_arn" {
  description = "ARN of the topic that is told of everything that fails."
  value       = aws_sns_topic.alerts.arn
}
