resource "aws_glue_catalog_database" "this" {
  for_each = {
    bronze = "Every record of every file as text, the ledger of the files, and the records of all runs."
    silver = "Typed and checked, one row per key, or one per version of it; beside each table its rejected records."
    gold   = "Business tables."
  }

  name        = "${var.catalog}_${each.key}"
  description = each.value
  # Without a location, whoever makes a table without one fails with "empty path".
  location_uri = "s3://${aws_s3_bucket.this["lake"].bucket}/${each.key}/"
}

# The only table that no job registers: it has no commits, and is there before the first run.
resource "aws_glue_catalog_table" "runs" {
  name          = "runs"
  description   = "One row per run of a layer: what it did, its accounts, its error."
  database_name = aws_glue_catalog_database.this["bronze"].name
  table_type    = "EXTERNAL_TABLE"
  parameters = {
    EXTERNAL       = "TRUE"
    classification = "json"
  }

  storage_descriptor {
    location      = "s3://${aws_s3_bucket.this["lake"].bucket}/runs/"
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    ser_de_info {
      serialization_library = "org.openx.data.jsonserde.JsonSerDe"
      parameters            = { "serialization.format" = "1" }
    }

    dynamic "columns" {
      for_each = var.run_columns
      content {
        name    = columns.value.name
        type    = columns.value.type
        comment = columns.value.description
      }
    }
  }
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
