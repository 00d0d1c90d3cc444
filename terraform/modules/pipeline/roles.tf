# One role per job. What a layer touches is a table of its own below; every layer's role gets the same statements over
# it, and what erases persons has erasure.tf.

resource "aws_iam_role" "this" {
  for_each = local.jobs

  name                 = "${var.prefix}-${var.name}-${each.key}"
  description          = "What the ${each.key} job of ${var.name} may do."
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    # Without aws:SourceAccount: Glue isn't known to send it, and a role can only be passed inside its account.
    Sid       = "GlueRunsAsThis"
    Effect    = "Allow"
    Action    = ["sts:AssumeRole"]
    Principal = { Service = "glue.amazonaws.com" }
  }] })
}

resource "aws_iam_role_policy" "this" {
  for_each = local.jobs

  name   = "${var.prefix}-${var.name}-${each.key}"
  role   = aws_iam_role.this[each.key].name
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements[each.key] })
}

locals {
  raw_arn  = "arn:${var.account.partition}:s3:::${var.raw}"
  lake_arn = "arn:${var.account.partition}:s3:::${var.lake}"
  catalogs = "arn:${var.account.partition}:glue:${var.account.region}:${var.account.id}"
  logs     = "arn:${var.account.partition}:logs:${var.account.region}:${var.account.id}:log-group"

  # Folders of tables in the lake, and what they are called in the catalog.
  written = {
    bronze = concat([for source in keys(var.sources) : "bronze/${source}"], ["ledger/${var.name}"])
    silver = flatten([for table in var.silver : ["silver/${table}", "quarantine/${table}", "quarantine_events/${table}"]])
    gold   = [for table in var.gold : "gold/${table}"]
  }
  registered = {
    bronze = concat(keys(var.sources), ["${var.name}_files"])
    silver = flatten([for table in var.silver : [table, "${table}_quarantine", "${table}_quarantine_events"]])
    gold   = var.gold
  }
  # A replay rebuilds a layer's tables below replay/, from the rebuilt ones of the layer before.
  rebuilt = { for layer, folders in local.written : layer => [for folder in folders : "replay/${folder}" if !startswith(folder, "ledger/")] }

  # The layer before, whose tables and gate a layer reads.
  before = { silver = "bronze", gold = "silver" }
  read = {
    silver = [for source in keys(var.sources) : "bronze/${source}"]
    gold   = [for table in var.silver : "silver/${table}"]
  }

  statements = { for job in keys(local.jobs) : job => concat(
    job == "erasure" ? local.erasing_statements : local.layer_statements[job],
    local.service_statements[job],
  ) }

  layer_statements = { for layer in local.layers : layer => concat(
    layer == "bronze" ? local.raw_statements : local.upstream_statements[layer],
    local.own_statements[layer],
    layer == "silver" ? local.maintenance_statements : [],
    layer == "bronze" && length(var.archived) > 0 ? local.archive_statements : [],
    var.persons ? local.erasure_statements[layer] : [],
  ) }

  raw_statements = [
    {
      Sid      = "ListRaw"
      Effect   = "Allow"
      Action   = ["s3:ListBucket"]
      Resource = [local.raw_arn]
    },
    {
      # Spark also asks for the folder itself, without a slash.
      Sid      = "ReadRaw"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = flatten([for path in values(var.sources) : ["${local.raw_arn}/raw/${path}", "${local.raw_arn}/raw/${path}/*"]])
    },
  ]

  upstream_statements = { for layer, before in local.before : layer => [
    {
      Sid    = "ReadTablesBefore"
      Effect = "Allow"
      Action = ["s3:GetObject"]
      Resource = flatten([
        for folder in concat(local.read[layer], [for read in local.read[layer] : "replay/${read}"]) :
        ["${local.lake_arn}/${folder}", "${local.lake_arn}/${folder}/*"]
      ])
    },
    {
      Sid      = "ReadGateBefore"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = [for place in ["", "replay/"] : "${local.lake_arn}/${place}gates/${var.name}/${before}.json"]
    },
  ] }

  archive_statements = [
    {
      # A copy is read back, and compared with what was loaded.
      Sid      = "ArchiveFiles"
      Effect   = "Allow"
      Action   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
      Resource = [for path in var.archived : "${local.raw_arn}/archive/${path}/*"]
    },
    {
      # What silver has published is archived.
      Sid      = "ReadGateAfter"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = ["${local.lake_arn}/gates/${var.name}/silver.json"]
    },
    {
      Sid      = "NoteWhatIsArchived"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject"]
      Resource = ["${local.lake_arn}/archives/${var.name}.json"]
    },
  ]

  erasure_statements = { for layer in local.layers : layer => [{
    # Whether an erasure isn't finished; and for the layer that reads raw files, which of them one has rewritten.
    Sid      = "SeeErasures"
    Effect   = "Allow"
    Action   = ["s3:GetObject"]
    Resource = [for file in concat(["pending"], layer == "bronze" ? ["files"] : []) : "${local.lake_arn}/erasures/${var.name}/${file}.json"]
  }] }

  maintenance_statements = [{
    # Which changes of silver gold has read: VACUUM leaves the others.
    Sid      = "ReadLogsOfReaders"
    Effect   = "Allow"
    Action   = ["s3:GetObject"]
    Resource = [for table in var.gold : "${local.lake_arn}/gold/${table}/_delta_log/*"]
  }]

  own_statements = { for layer in local.layers : layer => concat(
    [
      {
        # Of the whole bucket: Delta and S3A look for keys that aren't there, and for the folders above.
        Sid      = "ListLake"
        Effect   = "Allow"
        Action   = ["s3:ListBucket"]
        Resource = [local.lake_arn]
      },
      {
        Sid    = "WriteTables"
        Effect = "Allow"
        Action = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = concat(
          flatten([
            for folder in concat(local.written[layer], local.rebuilt[layer]) :
            ["${local.lake_arn}/${folder}", "${local.lake_arn}/${folder}/*"]
          ]),
          ["${local.lake_arn}/temporary/${var.name}-${layer}/*"],
        )
      },
      {
        Sid      = "HoldLease"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = ["${local.lake_arn}/leases/${var.name}/${layer}.json"]
      },
      {
        Sid      = "WriteRunRecords"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = ["${local.lake_arn}/runs/${var.name}/${layer}/*"]
      },
      {
        Sid    = "RegisterTables"
        Effect = "Allow"
        Action = ["glue:CreateTable", "glue:GetTable", "glue:UpdateTable"]
        Resource = concat(
          ["${local.catalogs}:catalog", "${local.catalogs}:database/${var.catalog}_${layer}"],
          [for table in local.registered[layer] : "${local.catalogs}:table/${var.catalog}_${layer}/${table}"],
        )
      },
    ],
    layer == "gold" ? [] : [{
      Sid      = "OpenGate"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject"]
      Resource = [for place in ["", "replay/"] : "${local.lake_arn}/${place}gates/${var.name}/${layer}.json"]
    }],
  ) }

  service_statements = { for job in keys(local.jobs) : job => [
    {
      Sid       = "UseKey"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = [var.key_arn]
      Condition = { StringEquals = { "kms:ViaService" = ["s3.${var.account.region}.amazonaws.com"] } }
    },
    {
      Sid    = "ReadArtifacts"
      Effect = "Allow"
      Action = ["s3:GetObject"]
      Resource = [
        for key in concat([var.artifacts.script, var.artifacts.engine], var.artifacts.jars) :
        "arn:${var.account.partition}:s3:::${var.artifacts.bucket}/${key}"
      ]
    },
    {
      Sid    = "WriteLogs"
      Effect = "Allow"
      Action = ["logs:CreateLogStream", "logs:PutLogEvents"]
      # A stream is made in the group, and written as a part of it.
      Resource = flatten([for kind in ["output", "error"] : [
        "${local.logs}:${local.log_groups[job]}/${kind}",
        "${local.logs}:${local.log_groups[job]}/${kind}:*",
      ]])
    },
    {
      Sid    = "PublishMetrics"
      Effect = "Allow"
      Action = ["cloudwatch:PutMetricData"]
      # CloudWatch has no resources for this; the namespace limits it.
      Resource  = ["*"]
      Condition = { StringEquals = { "cloudwatch:namespace" = ["Glue"] } }
    },
  ] }
}
