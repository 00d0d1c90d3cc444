resource "aws_glue_workflow" "this" {
  name        = var.name
  description = "Landed files -> bronze -> silver -> gold."
  # No limit of runs: what lands while a run is busy begins another, whose jobs wait for their turn. With a limit, AWS
  # would drop that start, and the files would wait for others to land.
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
