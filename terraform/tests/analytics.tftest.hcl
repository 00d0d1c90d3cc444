# Named queries: those that a declaration brings, and the examples that a pipeline has.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  account   = { id = "111122223333", partition = "aws", region = "us-east-1" }
  name      = "oakvale-dev"
  lake      = "oakvale-dev-lake-111122223333"
  queries   = "oakvale-dev-queries-111122223333"
  key_arn   = "arn:aws:kms:us-east-1:111122223333:key/mocked"
  databases = { bronze = "oakvale_dev_bronze", silver = "oakvale_dev_silver", gold = "oakvale_dev_gold" }
  pipelines = { shop = { silver = ["orders"], gold = { sales = { description = "One row per day.", columns = ["day", "sales"] } } } }
  examples  = { shop_best_days = "-- The best days.\nSELECT day FROM sales ORDER BY sales DESC LIMIT 3\n" }

  permissions_boundary_arn = null
  principals               = []
  limit                    = 10737418240
}

run "named_queries" {
  command = plan

  module {
    source = "./modules/analytics"
  }

  assert {
    condition     = keys(aws_athena_named_query.this) == ["last_runs", "orders_rejected", "sales", "shop_best_days", "shop_files"]
    error_message = "Each table, each pipeline's files, the runs and each example have a query."
  }
  assert {
    condition     = aws_athena_named_query.this["shop_best_days"].description == "The best days." && aws_athena_named_query.this["shop_best_days"].database == "oakvale_dev_gold" && aws_athena_named_query.this["shop_best_days"].query == var.examples["shop_best_days"]
    error_message = "An example is described by its first line, and asks gold."
  }
}
