terraform {
  # 1.11: the S3 backend locks with an object beside the state (use_lockfile), no table needed.
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }

  # Bucket, key and region come with `terraform init -backend-config=...`: there is one state per environment.
  backend "s3" {}
}
