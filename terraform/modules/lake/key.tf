# One key for all that the environment stores. What may use it is decided here for services, and by the roles'
# own policies for everybody in the account.

resource "aws_kms_key" "this" {
  description             = "Everything that ${var.name} stores: objects, logs, queries' results, messages."
  enable_key_rotation     = true
  deletion_window_in_days = var.disposable ? 7 : 30
  policy                  = jsonencode({ Version = "2012-10-17", Statement = local.key_policy })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}

locals {
  region_arn = "${var.account.region}:${var.account.id}"
  # In a key's policy, the resource * is that key: AWS takes nothing else.
  key_policy = [
    {
      Sid       = "AccountAdministersAndDelegates"
      Effect    = "Allow"
      Principal = { AWS = "arn:${var.account.partition}:iam::${var.account.id}:root" }
      Action = [
        "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:CreateGrant", "kms:Decrypt", "kms:DeleteAlias", "kms:DescribeKey",
        "kms:DisableKey", "kms:DisableKeyRotation", "kms:EnableKey", "kms:EnableKeyRotation", "kms:Encrypt",
        "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus",
        "kms:ListGrants", "kms:ListKeyPolicies", "kms:ListKeyRotations", "kms:ListResourceTags", "kms:PutKeyPolicy",
        "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:RetireGrant", "kms:RevokeGrant", "kms:RotateKeyOnDemand",
        "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
      ]
      Resource = "*"
    },
    {
      Sid       = "LogsEncryptOwnGroups"
      Effect    = "Allow"
      Principal = { Service = "logs.${var.account.region}.amazonaws.com" }
      Action = [
        "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom", "kms:ReEncryptTo",
      ]
      Resource = "*"
      Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = [
        "arn:${var.account.partition}:logs:${local.region_arn}:log-group:/${var.name}/*",
        "arn:${var.account.partition}:logs:${local.region_arn}:log-group:/aws/lambda/${var.name}-*",
      ] } }
    },
    {
      # An encrypted topic takes no message from these services otherwise, and says nothing about it.
      Sid       = "AlertsReachTheTopic"
      Effect    = "Allow"
      Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com"] }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "*"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account.id } }
    },
  ]
}
