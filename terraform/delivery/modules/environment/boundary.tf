# The most that any role of the environment may ever do, whatever its own policy says: nothing about roles, buckets or
# keys, and no data of another environment. (Production's names begin those of all others, so its boundary alone would
# leave it their jobs and messages; to refuse them too, it would be longer than IAM takes. No role is given them.)
# A right that a job needs must be here too, which a test holds together.

resource "aws_iam_policy" "boundary" {
  name        = "${local.delivery}-boundary"
  description = "The most that a role of ${var.environment} may do."
  policy      = jsonencode({ Version = "2012-10-17", Statement = local.statements["boundary"] })
}

locals {
  boundary = {
    UseData = {
      actions = [
        "s3:AbortMultipartUpload", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetBucketLocation", "s3:GetObject",
        "s3:GetObjectVersion", "s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions",
        "s3:ListMultipartUploadParts", "s3:PutObject",
      ]
      resources = flatten([for bucket in local.buckets : [bucket, "${bucket}/*"]])
    }
    ReadArtifacts = { actions = ["s3:GetObject"], resources = ["${local.deployment}/artifacts/*"] }
    UseKeys = {
      actions    = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources  = [local.keys]
      conditions = { StringEquals = local.tagged }
    }
    UseCatalog = {
      actions = [
        "glue:CreateTable", "glue:DeleteTable", "glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:UpdateTable",
      ]
      # Athena looks into the database "default" with every query.
      resources = concat(local.catalogs, local.tables, ["${local.glue}:database/default"])
    }
    RunJobs = {
      actions = [
        "glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:NotifyEvent", "glue:StartJobRun",
        "glue:StartWorkflowRun", "lambda:InvokeFunction", "states:StartExecution",
      ]
      resources = [local.own.job, local.own.workflow, local.own.function, local.own.machine]
    }
    ReadStreams = {
      actions   = ["kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
      resources = [local.own.stream]
    }
    WatchRuns = { actions = ["states:DescribeExecution"], resources = [local.own.execution] }
    TellOthers = {
      actions = [
        "sns:Publish", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage",
        "sqs:SendMessage",
      ]
      resources = [local.own.topic, local.own.queue]
    }
    WriteLogs = { actions = ["logs:CreateLogStream", "logs:PutLogEvents"], resources = local.logs }
    AskAthena = {
      actions = [
        "athena:BatchGetNamedQuery", "athena:BatchGetQueryExecution", "athena:GetNamedQuery", "athena:GetQueryExecution",
        "athena:GetQueryResults", "athena:GetQueryResultsStream", "athena:GetWorkGroup", "athena:ListNamedQueries",
        "athena:ListQueryExecutions", "athena:StartQueryExecution", "athena:StopQueryExecution",
      ]
      resources = [local.workgroup]
    }
    # AWS knows no resources for these: metrics, traces, and how a state machine's log is delivered.
    Observe = {
      actions = [
        "cloudwatch:PutMetricData", "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies", "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery", "xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
      ]
      resources = ["*"]
    }
  }
}
