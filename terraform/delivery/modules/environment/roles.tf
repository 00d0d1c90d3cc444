# The roles that jobs on GitHub take: one that deploys, and for the environment that pull requests plan, one that reads.

resource "aws_iam_role" "this" {
  for_each = var.subjects

  name        = "${local.delivery}-${each.key}"
  description = "Taken by jobs on GitHub: ${each.key} ${var.environment}."
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Sid       = "JobOnGitHubTakesThis"
    Effect    = "Allow"
    Action    = ["sts:AssumeRoleWithWebIdentity"]
    Principal = { Federated = var.identity.provider_arn }
    # Equal, never like: with a wildcard another branch, or another repository, would do as well.
    Condition = { StringEquals = {
      "${var.identity.issuer}:aud" = "sts.amazonaws.com"
      "${var.identity.issuer}:sub" = each.value
    } }
  }] })
}

locals {
  # Purpose -> what it may do, by topic: a policy holds 6,144 characters, so what a deployment does is several.
  rights = {
    deploy = {
      read     = local.reads
      storage  = local.storage_writes
      services = local.service_writes
      rights   = local.right_writes
    }
    plan = { read = local.reads }
  }
  policies = merge([for purpose in keys(var.subjects) : {
    for topic, rights in local.rights[purpose] : "${purpose}-${topic}" => { purpose = purpose, rights = rights }
  }]...)
  statements = {
    for key, rights in merge({ for key, policy in local.policies : key => policy.rights }, { boundary = local.boundary }) :
    key => [for sid, right in rights : merge(
      { Sid = sid, Effect = "Allow", Action = right.actions, Resource = right.resources },
      can(right.conditions) ? { Condition = right.conditions } : {},
    )]
  }
}

resource "aws_iam_policy" "this" {
  for_each = local.policies

  name        = "${local.delivery}-${each.key}"
  description = "A part of what the role ${local.delivery}-${each.value.purpose} may do."
  policy = jsonencode({ Version = "2012-10-17", Statement = concat(
    local.statements[each.key],
    endswith(each.key, "-rights") ? local.refusals : [],
  ) })
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = local.policies

  role       = aws_iam_role.this[each.value.purpose].name
  policy_arn = aws_iam_policy.this[each.key].arn
}
