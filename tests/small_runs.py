"""Spark's settings for runs of a few rows, whose time is that of planning: none changes a result."""

SMALL_RUNS = {
    # To compile plans takes half of such a run.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    # Each plan is made once and not checked after each of the optimizer's rules.
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.lightweightPlanChangeValidation": "false",
    "spark.sql.ui.explainMode": "simple",
    "spark.sql.shuffle.partitions": "1",
    "spark.databricks.delta.snapshotPartitions": "1",
}
