# Now and then each job compacts its tables and deletes files that nobody needs any more, outside of what runs them one after the other.

resource "aws_glue_trigger" "maintenance" {
  name        = "${var.prefix}-${var.name}-maintenance"
  description = "Starts the maintenance of all tables of ${var.prefix}-${var.name}."
  type        = "SCHEDULED"
  schedule    = var.maintenance.cron
  enabled     = var.maintenance.enabled

  dynamic "actions" {
    for_each = [for layer in ["bronze", "silver", "gold"] : aws_glue_job.this[layer].name]
    content {
      job_name  = actions.value
      arguments = { "--mode" = "maintain" }
    }
  }
}
