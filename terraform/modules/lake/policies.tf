locals {
  bucket_arns = { for name in local.buckets : name => "arn:${var.account.partition}:s3:::${aws_s3_bucket.this[name].bucket}" }

  bucket_policies = { for name, arn in local.bucket_arns : name => concat(
    [{
      Sid       = "OnlyOverTls"
      Effect    = "Deny"
      Principal = "*"
      # The wildcard actions of this project: they take rights away.
      Action    = "s3:*"
      Resource  = [arn, "${arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }, {
      Sid       = "OnlyOverModernTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [arn, "${arn}/*"]
      Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
    }],
    var.disposable ? [] : [{
      Sid       = "NobodyDeletesTheBucket"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["s3:DeleteBucket"]
      Resource  = [arn]
    }],
    name != "logs" ? [] : [{
      Sid       = "AccessLogsArrive"
      Effect    = "Allow"
      Principal = { Service = "logging.s3.amazonaws.com" }
      Action    = ["s3:PutObject"]
      Resource  = ["${arn}/access/*"]
      Condition = {
        ArnLike      = { "aws:SourceArn" = [for store in local.stores : local.bucket_arns[store]] }
        StringEquals = { "aws:SourceAccount" = var.account.id }
      }
    }],
  ) }
}

resource "aws_s3_bucket_policy" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].bucket
  policy = jsonencode({ Version = "2012-10-17", Statement = local.bucket_policies[each.key] })

  # S3 refuses two changes of a bucket's access at once.
  depends_on = [aws_s3_bucket_public_access_block.this]
}
