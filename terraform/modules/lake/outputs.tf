output "databases" {
  description = "Layer -> name of its database."
  value       = { for layer, database in aws_glue_catalog_database.this : layer => database.name }
}

output "key_arn" {
  description = "ARN of the key that encrypts everything."
  value       = module.key.arn
}

output "lake_bucket" {
  description = "Bucket of the tables."
  value       = aws_s3_bucket.this["lake"].bucket
}

output "queries_bucket" {
  description = "Bucket of Athena's results."
  value       = aws_s3_bucket.this["queries"].bucket
}

output "raw_bucket" {
  description = "Bucket of the files as they arrived."
  value       = aws_s3_bucket.this["raw"].bucket
}

output "security_configuration" {
  description = "Glue's security configuration, for the jobs."
  value       = aws_glue_security_configuration.this.name
}
