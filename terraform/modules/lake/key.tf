# One key for all that the environment stores; only what the alerts topic holds for a moment has another.

module "key" {
  source = "../key"

  name          = var.name
  description   = "Everything that ${var.name} stores: objects, logs, queries' results."
  account       = var.account
  deletion_days = var.disposable ? 7 : 30
  statements = [
    {
      Sid       = "LogsEncryptOwnGroups"
      Effect    = "Allow"
      Principal = { Service = "logs.${var.account.region}.amazonaws.com" }
      Action = [
        "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom", "kms:ReEncryptTo",
      ]
      Resource = "*"
      Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = concat(
        ["${local.log_groups}:/${var.name}/*"],
        [for name in var.functions : "${local.log_groups}:/aws/lambda/${name}"],
        [for name in var.machines : "${local.log_groups}:/aws/vendedlogs/states/${name}"],
      ) } }
    },
  ]
}

locals {
  log_groups = "arn:${var.account.partition}:logs:${var.account.region}:${var.account.id}:log-group"
}
