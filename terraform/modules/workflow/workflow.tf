resource "aws_glue_workflow" "this" {
  name        = var.name
  description = "Landed files -> bronze -> silver -> gold."
  # Two runs at once would meet at a job that runs already. A run takes all that has landed, whatever started it.
  max_concurrent_runs = 1
}

resource "aws_glue_trigger" "start" {
  name          = "${var.name}-start"
  description   = "Starts when enough files have landed, or the first of them has waited long enough."
  workflow_name = aws_glue_workflow.this.name
  # Not ON_DEMAND: the provider starts such a trigger when it creates it.
  type = "EVENT"

  event_batching_condition {
    batch_size   = var.batch.files
    batch_window = var.batch.seconds
  }

  actions {
    job_name = var.jobs["bronze"]
  }
}

resource "aws_glue_trigger" "next" {
  for_each = { silver = "bronze", gold = "silver" }

  name              = "${var.name}-${each.key}"
  description       = "Starts when ${each.value} has succeeded."
  workflow_name     = aws_glue_workflow.this.name
  type              = "CONDITIONAL"
  start_on_creation = true

  predicate {
    logical = "AND"
    conditions {
      job_name         = var.jobs[each.value]
      state            = "SUCCEEDED"
      logical_operator = "EQUALS"
    }
  }

  actions {
    job_name = var.jobs[each.key]
  }

  # A workflow's triggers change one after another, its start first.
  depends_on = [aws_glue_trigger.start]
}
