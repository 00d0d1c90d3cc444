resource "aws_athena_workgroup" "this" {
  name        = var.name
  description = "Queries over the lake: settings that nobody can go round, and a limit on what a query may cost."
  state       = "ENABLED"
  # A history of queries isn't data.
  force_destroy = true

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.limit

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    result_configuration {
      output_location       = "s3://${var.queries}/results/"
      expected_bucket_owner = var.account.id

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = var.key_arn
      }
    }
  }
}
