# Now and then each job compacts its tables and deletes files that nobody needs any more, outside the workflow.

resource "aws_glue_trigger" "maintenance" {
  name        = "${var.name}-maintenance"
  description = "Starts the maintenance of all tables of ${var.name}."
  type        = "SCHEDULED"
  schedule    = var.maintenance.cron
  enabled     = var.maintenance.enabled

  dynamic "actions" {
    for_each = [for layer in ["bronze", "silver", "gold"] : var.jobs[layer]]
    content {
      job_name  = actions.value
      arguments = { "--mode" = "maintain" }
    }
  }
}
