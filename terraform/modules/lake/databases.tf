resource "aws_glue_catalog_database" "this" {
  for_each = {
    bronze = "Every record of every file as text, and the ledger of the files."
    silver = "Typed and checked, one row per key; beside each table its rejected records."
    gold   = "Business tables."
  }

  name        = "${var.catalog}_${each.key}"
  description = each.value
  # Without a location, whoever makes a table without one fails with "empty path".
  location_uri = "s3://${aws_s3_bucket.this["lake"].bucket}/${each.key}/"
}

resource "aws_glue_security_configuration" "this" {
  name = var.name

  encryption_configuration {
    s3_encryption {
      s3_encryption_mode = "SSE-KMS"
      kms_key_arn        = module.key.arn
    }
    job_bookmarks_encryption {
      job_bookmarks_encryption_mode = "CSE-KMS"
      kms_key_arn                   = module.key.arn
    }
    cloudwatch_encryption {
      # The log groups carry the key themselves. Said here too, Glue would write to other groups,
      # <prefix>/<security configuration>-role/<role>/output, which it makes without retention.
      cloudwatch_encryption_mode = "DISABLED"
    }
  }
}
