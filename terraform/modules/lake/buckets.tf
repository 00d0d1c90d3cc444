locals {
  # raw: files exactly as they arrived, and in archive/ copies of those that are loaded; in
  # undelivered/ what a stream's delivery couldn't write there. lake: tables, ledger, gates,
  # leases and run records. queries: Athena's results. logs: who read and wrote the others.
  stores  = toset(["raw", "lake", "queries"])
  buckets = setunion(local.stores, ["logs"])
  # A deleted file of raw/ can't be made again, and neither can the ledger beside the tables.
  versioned = toset(["raw", "lake"])
}

resource "aws_s3_bucket" "this" {
  for_each = local.buckets

  bucket = "${var.name}-${each.key}-${var.account.id}"
  # Results of queries aren't data: whoever needs one asks again.
  force_destroy = var.disposable || each.key == "queries"

  # A bucket that can't be deleted keeps its key, without which nobody could read what it holds.
  depends_on = [module.key]
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].bucket
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = local.buckets

  bucket                  = aws_s3_bucket.this[each.key].bucket
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].bucket
  rule {
    # With a bucket key, KMS is asked once in a while instead of once an object.
    bucket_key_enabled = each.key != "logs"
    apply_server_side_encryption_by_default {
      # S3 delivers no access logs to a bucket that is encrypted with a key of ours.
      sse_algorithm     = each.key == "logs" ? "AES256" : "aws:kms"
      kms_master_key_id = each.key == "logs" ? null : module.key.arn
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = local.versioned

  bucket = aws_s3_bucket.this[each.key].bucket
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_logging" "this" {
  for_each = local.stores

  bucket        = aws_s3_bucket.this[each.key].bucket
  target_bucket = aws_s3_bucket.this["logs"].bucket
  target_prefix = "access/${each.key}/"

  depends_on = [aws_s3_bucket_policy.this]
}

# A landed file becomes an event, which starts its pipeline.
resource "aws_s3_bucket_notification" "raw" {
  bucket      = aws_s3_bucket.this["raw"].bucket
  eventbridge = true
}
