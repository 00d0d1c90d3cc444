# What a deployment makes and changes. What holds data it can make, and not delete: buckets, streams, databases and keys
# are an administrator's to take away (make destroy).

locals {
  storage_writes = {
    WriteState   = { actions = ["s3:PutObject"], resources = [local.state] }
    PutArtifacts = { actions = ["s3:GetObject", "s3:PutObject"], resources = ["${local.deployment}/artifacts/*"] }
    MakeBuckets = {
      actions = [
        "s3:CreateBucket", "s3:PutBucketLogging", "s3:PutBucketNotification", "s3:PutBucketOwnershipControls",
        "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock", "s3:PutBucketTagging", "s3:PutBucketVersioning",
        "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration",
        # Newer providers write tags by these.
        "s3:TagResource", "s3:UntagResource",
      ]
      resources = local.buckets
    }
    MakeKeys = { actions = ["kms:CreateKey"], resources = ["*"], conditions = { StringEquals = local.tagged_anew } }
    # A new key gets its tags as it is made. Without the second condition any key could be made one of this environment;
    # with it, only one that has no such tag.
    TagNewKeys = {
      actions   = ["kms:TagResource"]
      resources = [local.keys]
      conditions = {
        StringEquals = local.tagged_anew
        Null         = { "aws:ResourceTag/project" = "true" }
      }
    }
    ChangeKeys = {
      actions = [
        "kms:CreateAlias", "kms:DeleteAlias", "kms:EnableKeyRotation", "kms:PutKeyPolicy", "kms:TagResource",
        "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
      ]
      resources  = [local.keys]
      conditions = { StringEquals = local.tagged }
    }
    NameKeys = { actions = ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"], resources = local.aliases }
    # A service that is given a key tries it in the name of who gives it.
    HandKeysOn = {
      actions   = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
      resources = [local.keys]
      conditions = { StringEquals = merge(local.tagged, {
        "kms:ViaService" = [for service in ["kinesis", "lambda", "scheduler"] : "${service}.${var.account.region}.amazonaws.com"]
      }) }
    }
    MakeDatabases = {
      actions   = ["glue:CreateDatabase", "glue:TagResource", "glue:UntagResource", "glue:UpdateDatabase"]
      resources = local.catalogs
    }
    # The table of runs is Terraform's; all others are registered by the jobs.
    MakeTables = {
      actions   = ["glue:CreateTable", "glue:DeleteTable", "glue:UpdateTable"]
      resources = concat(local.catalogs, ["${local.glue}:table/${local.databases["bronze"]}/runs"])
    }
    # AWS knows no resource for it. Nor for its deletion, which would be that of any environment's: an administrator's.
    MakeSecurityConfiguration = { actions = ["glue:CreateSecurityConfiguration"], resources = ["*"] }
  }

  service_writes = {
    MakeJobs = {
      actions = [
        "glue:CreateJob", "glue:CreateTrigger", "glue:CreateWorkflow", "glue:DeleteJob", "glue:DeleteTrigger",
        "glue:DeleteWorkflow", "glue:StartTrigger", "glue:StopTrigger", "glue:TagResource", "glue:UntagResource",
        "glue:UpdateJob", "glue:UpdateTrigger", "glue:UpdateWorkflow",
      ]
      resources = [local.own.job, local.own.trigger, local.own.workflow]
    }
    MakeFunctions = {
      actions = [
        "lambda:AddPermission", "lambda:CreateFunction", "lambda:DeleteFunction",
        "lambda:DeleteFunctionEventInvokeConfig", "lambda:PutFunctionEventInvokeConfig", "lambda:RemovePermission",
        "lambda:TagResource", "lambda:UntagResource", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration",
        "lambda:UpdateFunctionEventInvokeConfig",
      ]
      resources = [local.own.function]
    }
    # A mapping has no name of ours, its function has. A new one isn't there yet, so AWS knows no resource for it.
    MakeMappings = {
      actions    = ["lambda:CreateEventSourceMapping"]
      resources  = ["*"]
      conditions = { ArnLike = { "lambda:FunctionArn" = local.own.function } }
    }
    ChangeMappings = {
      actions    = ["lambda:DeleteEventSourceMapping", "lambda:UpdateEventSourceMapping"]
      resources  = [local.mappings]
      conditions = { ArnLike = { "lambda:FunctionArn" = local.own.function } }
    }
    # A new mapping gets its tags as it is made, as a key does.
    TagNewMappings = {
      actions   = ["lambda:TagResource"]
      resources = [local.mappings]
      conditions = {
        StringEquals = local.tagged_anew
        Null         = { "aws:ResourceTag/project" = "true" }
      }
    }
    TagMappings = {
      actions    = ["lambda:TagResource", "lambda:UntagResource"]
      resources  = [local.mappings]
      conditions = { StringEquals = local.tagged }
    }
    MakeLogGroups = {
      actions = [
        "logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:DeleteLogGroup",
        "logs:DeleteLogStream", "logs:DeleteRetentionPolicy",
        "logs:DisassociateKmsKey", "logs:PutRetentionPolicy", "logs:TagResource", "logs:UntagResource",
      ]
      resources = local.logs
    }
    MakeEvents = {
      actions = [
        "events:DeleteRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets", "events:TagResource",
        "events:UntagResource", "scheduler:CreateSchedule", "scheduler:CreateScheduleGroup", "scheduler:DeleteSchedule",
        "scheduler:DeleteScheduleGroup", "scheduler:TagResource", "scheduler:UntagResource", "scheduler:UpdateSchedule",
      ]
      resources = [local.own.rule, local.own.schedule, local.own.schedule_list]
    }
    # Nobody is unsubscribed: AWS knows no resource for that, so it would be from any topic of the account.
    MakeMessages = {
      actions = [
        "sns:CreateTopic", "sns:DeleteTopic", "sns:SetTopicAttributes", "sns:Subscribe", "sns:TagResource",
        "sns:UntagResource", "sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", "sqs:TagQueue",
        "sqs:UntagQueue",
      ]
      resources = [local.own.topic, local.own.queue]
    }
    MakeAlarms = {
      actions = [
        "cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:UntagResource",
      ]
      resources = [local.own.alarm]
    }
    MakeMachines = {
      actions = [
        "states:CreateStateMachine", "states:DeleteStateMachine", "states:TagResource", "states:UntagResource",
        "states:UpdateStateMachine",
      ]
      resources = [local.own.machine]
    }
    MakeStreams = {
      actions = [
        "firehose:CreateDeliveryStream", "firehose:DeleteDeliveryStream", "firehose:TagDeliveryStream",
        "firehose:UntagDeliveryStream", "firehose:UpdateDestination", "kinesis:AddTagsToStream", "kinesis:CreateStream",
        "kinesis:DecreaseStreamRetentionPeriod", "kinesis:IncreaseStreamRetentionPeriod", "kinesis:RemoveTagsFromStream",
        "kinesis:UpdateShardCount", "kinesis:UpdateStreamMode",
      ]
      resources = [local.own.delivery, local.own.stream]
    }
    # It wants the right on the stream and on its key.
    EncryptStreams = { actions = ["kinesis:StartStreamEncryption"], resources = [local.keys, local.own.stream] }
    MakeQueries = {
      actions = [
        "athena:CreateNamedQuery", "athena:CreateWorkGroup", "athena:DeleteNamedQuery", "athena:DeleteWorkGroup",
        "athena:TagResource", "athena:UntagResource", "athena:UpdateNamedQuery", "athena:UpdateWorkGroup",
      ]
      resources = [local.workgroup]
    }
  }

  right_writes = {
    # A role is made, and gets rights, only under the boundary: what a deployment could give away is what it says.
    MakeBoundedRoles = {
      actions    = ["iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
      resources  = [local.own.role]
      conditions = { StringEquals = { "iam:PermissionsBoundary" = local.boundary_arn } }
    }
    # These know no such condition; what a role may do stays below the boundary that it has.
    ChangeRoles = {
      actions = [
        "iam:DeleteRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
        "iam:UpdateRoleDescription",
      ]
      resources = [local.own.role]
    }
    PassRoles = {
      actions   = ["iam:PassRole"]
      resources = [local.own.role]
      conditions = { StringEquals = {
        "iam:PassedToService" = [for service in ["events", "firehose", "glue", "lambda", "scheduler", "states"] : "${service}.amazonaws.com"]
      } }
    }
  }

  # The wildcard action takes rights away: what production's patterns would take of others, these roles among them.
  refusals = length(local.others) == 0 ? [] : [
    { Sid = "LeaveOthersAlone", Effect = "Deny", Action = ["*"], Resource = local.others },
  ]
}
