output "name" {
  description = "Name of the workflow."
  value       = aws_glue_workflow.this.name
}

output "start_rule" {
  description = "Name of the rule that tells the workflow of landed files; null without one."
  value       = one(aws_cloudwatch_event_rule.landed[*].name)
}
