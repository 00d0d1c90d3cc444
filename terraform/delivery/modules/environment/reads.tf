# What a plan looks at: settings, never data. The provider asks for all settings of a thing, also those that we don't use.

locals {
  reads = {
    FindState = { actions = ["s3:ListBucket"], resources = [local.deployment] }
    ReadState = { actions = ["s3:GetObject"], resources = [local.state] }
    # Whoever plans holds the lock meanwhile, which is an object that is put and deleted.
    HoldLock = { actions = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], resources = ["${local.state}.tflock"] }
    ReadBuckets = {
      actions = [
        "s3:GetAccelerateConfiguration", "s3:GetBucketAcl", "s3:GetBucketCORS", "s3:GetBucketLogging",
        "s3:GetBucketNotification", "s3:GetBucketObjectLockConfiguration", "s3:GetBucketOwnershipControls",
        "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock", "s3:GetBucketRequestPayment", "s3:GetBucketTagging",
        "s3:GetBucketVersioning", "s3:GetBucketWebsite", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration",
        "s3:GetReplicationConfiguration", "s3:ListBucket",
        # Newer providers read tags by this one.
        "s3:ListTagsForResource",
      ]
      resources = local.buckets
    }
    ReadKeys = {
      actions    = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"]
      resources  = [local.keys]
      conditions = { StringEquals = local.tagged }
    }
    ReadCatalog = {
      actions   = ["glue:GetDatabase", "glue:GetPartitionIndexes", "glue:GetTable", "glue:GetTags"]
      resources = concat(local.catalogs, local.tables)
    }
    ReadJobs = {
      actions   = ["glue:GetJob", "glue:GetTags", "glue:GetTrigger", "glue:GetWorkflow"]
      resources = [local.own.job, local.own.trigger, local.own.workflow]
    }
    ReadFunctions = {
      actions = [
        "lambda:GetFunction", "lambda:GetFunctionCodeSigningConfig", "lambda:GetFunctionConfiguration",
        "lambda:GetFunctionEventInvokeConfig", "lambda:GetPolicy", "lambda:ListTags", "lambda:ListVersionsByFunction",
      ]
      resources = [local.own.function]
    }
    # An event source mapping has no name of ours.
    ReadMappings  = { actions = ["lambda:GetEventSourceMapping", "lambda:ListTags"], resources = [local.mappings] }
    ReadLogGroups = { actions = ["logs:DescribeLogStreams", "logs:ListTagsForResource"], resources = local.logs }
    ReadEvents = {
      actions = [
        "events:DescribeRule", "events:ListTagsForResource", "events:ListTargetsByRule", "scheduler:GetSchedule",
        "scheduler:GetScheduleGroup", "scheduler:ListTagsForResource",
      ]
      resources = [local.own.rule, local.own.schedule, local.own.schedule_list]
    }
    ReadMessages = {
      actions = [
        "sns:GetTopicAttributes", "sns:ListTagsForResource", "sqs:GetQueueAttributes", "sqs:ListQueueTags",
      ]
      resources = [local.own.topic, local.own.queue]
    }
    ReadAlarms = { actions = ["cloudwatch:ListTagsForResource"], resources = [local.own.alarm] }
    ReadMachines = {
      actions   = ["states:DescribeStateMachine", "states:ListStateMachineVersions", "states:ListTagsForResource"]
      resources = [local.own.machine]
    }
    ReadQueries = {
      actions   = ["athena:GetNamedQuery", "athena:GetWorkGroup", "athena:ListTagsForResource"]
      resources = [local.workgroup]
    }
    ReadRoles = {
      actions = [
        "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole",
        "iam:ListRolePolicies",
      ]
      resources = [local.own.role]
    }
    ReadStreams = {
      actions = [
        "firehose:DescribeDeliveryStream", "firehose:ListTagsForDeliveryStream", "kinesis:DescribeStreamSummary",
        "kinesis:ListTagsForStream",
      ]
      resources = [local.own.delivery, local.own.stream]
    }
    # Lists, and what AWS knows no resource for.
    ReadLists = {
      actions = [
        "cloudwatch:DescribeAlarms", "glue:GetSecurityConfiguration", "kinesis:DescribeLimits", "kms:ListAliases",
        "logs:DescribeLogGroups",
        "sns:GetSubscriptionAttributes", "states:ValidateStateMachineDefinition",
      ]
      resources = ["*"]
    }
  }
}
