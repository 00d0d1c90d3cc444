provider "aws" {
  region = var.region

  default_tags {
    tags = {
      project    = local.project
      managed_by = "terraform"
    }
  }
}
