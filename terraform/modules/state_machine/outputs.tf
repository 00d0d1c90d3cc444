output "arn" {
  description = "ARN of the state machine."
  value       = aws_sfn_state_machine.this.arn
}

output "dead_queue" {
  description = "Name of the queue of messages that the function couldn't take."
  value       = aws_sqs_queue.dead.name
}

output "role" {
  description = "Name of the state machine's role."
  value       = aws_iam_role.this.name
}

output "start_rule" {
  description = "Name of the rule that tells the queue of landed files."
  value       = aws_cloudwatch_event_rule.landed.name
}

output "told" {
  description = "Error of an execution that has told of its failure; any other has not."
  value       = local.told
}
