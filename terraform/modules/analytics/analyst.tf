# Who reads gold, and nothing but gold.

resource "aws_iam_role" "analyst" {
  name                 = "${var.name}-analyst"
  description          = "Reads gold through Athena."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Sid       = "AnalystsAssumeThis"
    Effect    = "Allow"
    Action    = ["sts:AssumeRole"]
    Principal = { AWS = length(var.principals) > 0 ? var.principals : ["arn:${var.account.partition}:iam::${var.account.id}:root"] }
  }] })
}

resource "aws_iam_role_policy" "analyst" {
  name   = aws_iam_role.analyst.name
  role   = aws_iam_role.analyst.name
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}

locals {
  lake_arn    = "arn:${var.account.partition}:s3:::${var.lake}"
  queries_arn = "arn:${var.account.partition}:s3:::${var.queries}"
  glue_arn    = "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}"
  gold_tables = sort(flatten([for pipeline in var.pipelines : keys(pipeline.gold)]))

  statements = [
    {
      Sid    = "AskAthena"
      Effect = "Allow"
      Action = [
        "athena:BatchGetNamedQuery", "athena:BatchGetQueryExecution", "athena:GetNamedQuery", "athena:GetQueryExecution",
        "athena:GetQueryResults", "athena:GetQueryResultsStream", "athena:GetWorkGroup", "athena:ListNamedQueries",
        "athena:ListQueryExecutions", "athena:StartQueryExecution", "athena:StopQueryExecution",
      ]
      Resource = ["arn:${var.account.partition}:athena:${var.account.region}:${var.account.id}:workgroup/${var.name}"]
    },
    {
      Sid    = "SeeGoldInTheCatalog"
      Effect = "Allow"
      Action = ["glue:GetDatabase", "glue:GetTable", "glue:GetTables"]
      Resource = concat(
        # Athena looks into the database "default" with every query.
        ["${local.glue_arn}:catalog", "${local.glue_arn}:database/default", "${local.glue_arn}:database/${var.databases["gold"]}"],
        [for table in local.gold_tables : "${local.glue_arn}:table/${var.databases["gold"]}/${table}"],
      )
    },
    {
      Sid      = "ListLake"
      Effect   = "Allow"
      Action   = ["s3:ListBucket"]
      Resource = [local.lake_arn]
    },
    {
      Sid      = "ReadGold"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = ["${local.lake_arn}/gold/*"]
    },
    {
      Sid      = "FindResults"
      Effect   = "Allow"
      Action   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
      Resource = [local.queries_arn]
    },
    {
      Sid      = "KeepResults"
      Effect   = "Allow"
      Action   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"]
      Resource = ["${local.queries_arn}/results/*"]
    },
    {
      Sid       = "UseKey"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = [var.key_arn]
      Condition = { StringEquals = { "kms:ViaService" = ["s3.${var.account.region}.amazonaws.com"] } }
    },
  ]
}
