# Who may deploy from GitHub, and what: applied once per account, by an administrator.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  project = "oakvale"
  issuer  = "token.actions.githubusercontent.com"
  account = {
    id        = data.aws_caller_identity.current.account_id
    partition = data.aws_partition.current.partition
    region    = var.region
  }

  # Every environment that there is, and what its names begin with; terraform/main.tf names alike.
  environments = [for file in fileset("${path.module}/../environments", "*.tfvars") : trimsuffix(file, ".tfvars")]
  names        = { for name in local.environments : name => name == "production" ? local.project : "${local.project}-${name}" }

  identity_provider_arn = var.identity_provider_arn != null ? var.identity_provider_arn : aws_iam_openid_connect_provider.github[0].arn
}

# GitHub signs who a job is; AWS gives it the keys of a role for an hour. So no key is kept anywhere.
resource "aws_iam_openid_connect_provider" "github" {
  count = var.identity_provider_arn == null ? 1 : 0

  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

module "environment" {
  source   = "./modules/environment"
  for_each = var.deployments

  environment = each.key
  project     = local.project
  name        = local.names[each.key]
  # Production's names are the beginnings of all others.
  other_names = concat([for name in values(local.names) : name if name != local.names[each.key]], ["${local.project}-delivery"])
  account     = local.account

  identity = { provider_arn = local.identity_provider_arn, issuer = local.issuer }
  subjects = merge(
    { deploy = "repo:${var.repository}:${each.value}" },
    each.key == var.planned ? { plan = "repo:${var.repository}:pull_request" } : {},
  )
}
