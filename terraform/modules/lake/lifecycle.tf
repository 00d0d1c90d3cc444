locals {
  # What is deleted after how many days: objects by prefix, and versions that were replaced or deleted.
  expiring = {
    # undelivered/: time to notice it and to deliver it again.
    raw     = merge({ for path, days in var.archived : "archive/${path}/" => days }, var.streamed ? { "undelivered/" = 90 } : {})
    lake    = { "temporary/" = 7, "runs/" = 730 }
    queries = { "results/" = 30 }
    logs    = { "access/" = 90 }
  }
  # raw/: time to notice a deletion. lake: as long as Delta itself keeps what VACUUM may take.
  replaced_versions = { raw = 90, lake = 7 }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].bucket

  rule {
    id     = "abort-incomplete-uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  dynamic "rule" {
    for_each = local.expiring[each.key]
    content {
      id     = "expire-${replace(trimsuffix(rule.key, "/"), "/", "-")}"
      status = "Enabled"
      filter {
        prefix = rule.key
      }
      # Copies that are kept for long are hardly ever read.
      dynamic "transition" {
        for_each = each.key == "raw" && rule.value > 90 ? ["STANDARD_IA"] : []
        content {
          days          = 30
          storage_class = transition.value
        }
      }
      expiration {
        days = rule.value
      }
    }
  }

  dynamic "rule" {
    for_each = contains(local.versioned, each.key) ? [local.replaced_versions[each.key]] : []
    content {
      id     = "expire-replaced-versions"
      status = "Enabled"
      filter {}
      noncurrent_version_expiration {
        noncurrent_days = rule.value
      }
      expiration {
        expired_object_delete_marker = true
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}
