terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }

  # A state of its own beside those of the environments: state/delivery.tfstate.
  backend "s3" {}
}
