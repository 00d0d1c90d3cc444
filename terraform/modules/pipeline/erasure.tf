# What the job that erases persons may do: what the jobs of all layers do, rewrite raw files and their copies, and take
# away for good what versions keep of those and of the tables. It registers nothing: no table gets other columns by it.

locals {
  every_folder = flatten(values(local.written))
  landing      = flatten([for path in values(var.sources) : [for root in ["raw", "archive"] : "${local.raw_arn}/${root}/${path}"]])

  erasing_statements = [
    {
      # Of whole buckets, as for the jobs of the layers; a listing of versions shows no more than names either.
      Sid      = "ListFilesAndVersions"
      Effect   = "Allow"
      Action   = ["s3:ListBucket", "s3:ListBucketVersions"]
      Resource = [local.raw_arn, local.lake_arn]
    },
    {
      Sid      = "ReadRaw"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = flatten([for place in local.landing : [place, "${place}/*"]])
    },
    {
      Sid      = "RewriteRaw"
      Effect   = "Allow"
      Action   = ["s3:DeleteObjectVersion", "s3:PutObject"]
      Resource = [for place in local.landing : "${place}/*"]
    },
    {
      Sid    = "WriteTables"
      Effect = "Allow"
      Action = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject"]
      Resource = concat(
        flatten([for folder in local.every_folder : ["${local.lake_arn}/${folder}", "${local.lake_arn}/${folder}/*"]]),
        # Here are also the requests, which say who is to be erased.
        ["${local.lake_arn}/temporary/${var.name}-erasure/*"],
      )
    },
    {
      Sid      = "DeleteRebuiltTables"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
      Resource = [for folder in flatten(values(local.rebuilt)) : "${local.lake_arn}/${folder}/*"]
    },
    {
      Sid      = "HoldLeases"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = [for layer in local.layers : "${local.lake_arn}/leases/${var.name}/${layer}.json"]
    },
    {
      Sid    = "OpenGates"
      Effect = "Allow"
      Action = ["s3:GetObject", "s3:PutObject"]
      Resource = flatten([for layer in ["bronze", "silver"] :
        [for place in ["", "replay/"] : "${local.lake_arn}/${place}gates/${var.name}/${layer}.json"]
      ])
    },
    {
      Sid      = "FollowPlan"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = ["${local.lake_arn}/erasures/${var.name}/pending.json"]
    },
    {
      Sid      = "NoteWhatIsRewritten"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject"]
      Resource = ["${local.lake_arn}/erasures/${var.name}/files.json"]
    },
    {
      Sid      = "WriteRecords"
      Effect   = "Allow"
      Action   = ["s3:PutObject"]
      Resource = [for place in ["erasures/${var.name}/records", "runs/${var.name}/bronze"] : "${local.lake_arn}/${place}/*"]
    },
  ]
}
