locals {
  first = var.layers[0]
  # Layer -> the one whose success starts it.
  after = { for place, layer in slice(var.layers, 1, length(var.layers)) : layer => var.layers[place] }
}

resource "aws_glue_workflow" "this" {
  name        = var.name
  description = "${var.arrival == null ? "The clock" : "Landed files"} -> ${join(" -> ", var.layers)}."
  # Of landed files no limit of runs: what lands while a run is busy begins another, whose jobs wait for their turn. With
  # a limit, AWS would drop that start, and the files would wait for others to land. The clock comes again by itself.
  max_concurrent_runs = var.arrival == null ? 1 : null
}

resource "aws_glue_trigger" "start" {
  name          = "${var.name}-start"
  description   = var.arrival == null ? "Starts when a function asks for a run." : "Starts when enough files have landed, or the first of them has waited long enough."
  workflow_name = aws_glue_workflow.this.name
  type          = var.arrival == null ? "ON_DEMAND" : "EVENT"
  # The provider starts an ON_DEMAND trigger that is on when it creates it; a run may be asked for in either case.
  enabled = var.arrival != null

  dynamic "event_batching_condition" {
    for_each = var.arrival == null ? [] : [var.arrival.batch]
    content {
      batch_size   = event_batching_condition.value.files
      batch_window = event_batching_condition.value.seconds
    }
  }

  actions {
    job_name = var.jobs[local.first]
  }
}

resource "aws_glue_trigger" "next" {
  for_each = local.after

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
