provider "aws" {
  region  = var.region
  profile = var.aws_profile

  default_tags {
    tags = {
      project     = local.project
      environment = var.environment
      managed_by  = "terraform"
    }
  }
}
