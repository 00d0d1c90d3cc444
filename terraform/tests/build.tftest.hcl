# What stops a plan before it begins: a build that is missing or half, and values that can't be right.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment = "dev"
  package     = "tests/package"
}

run "a_whole_build_is_planned" {
  command = plan

  assert {
    condition     = output.name == "oakvale-dev" && output.catalog == "oakvale_dev"
    error_message = "Names carry the environment."
  }
  assert {
    condition     = keys(output.jobs) == ["clicks-bronze", "clicks-gold", "clicks-silver", "market-bronze", "market-gold", "market-silver", "movies-bronze", "movies-gold", "movies-silver", "shop-bronze", "shop-erasure", "shop-gold", "shop-silver"]
    error_message = "Each declared pipeline has three jobs, and one with persons a fourth."
  }
}

run "production_has_no_suffix" {
  command = plan

  variables {
    environment = "production"
  }

  assert {
    condition     = output.name == "oakvale" && output.databases == { bronze = "oakvale_bronze", silver = "oakvale_silver", gold = "oakvale_gold" }
    error_message = "Production has the project's own name."
  }
}

run "no_build_stops" {
  command = plan

  variables {
    package = "tests/no-such-folder"
  }

  expect_failures = [var.package]
}

run "a_pipeline_without_its_script_stops" {
  command = plan

  variables {
    package = "tests/half_package"
  }

  expect_failures = [var.package]
}

run "own_jars_must_be_in_the_package" {
  command = plan

  variables {
    package    = "tests/package_without_jars"
    delta_jars = "own"
  }

  expect_failures = [var.delta_jars]
}

run "an_environment_that_breaks_names_stops" {
  command = plan

  variables {
    environment = "Staging_2"
  }

  expect_failures = [var.environment]
}

run "a_boundary_that_is_no_policy_stops" {
  command = plan

  variables {
    permissions_boundary_arn = "arn:aws:iam::111122223333:role/boundary"
  }

  expect_failures = [var.permissions_boundary_arn]
}

run "only_local_is_disposable" {
  command = plan

  variables {
    disposable = true
  }

  expect_failures = [var.disposable]
}

run "every_layer_has_a_size" {
  command = plan

  variables {
    jobs = { bronze = { worker_type = "G.1X", workers = 2, timeout_minutes = 10 } }
  }

  expect_failures = [var.jobs]
}

run "glue_batches_at_most_100_files" {
  command = plan

  variables {
    start_batch = { files = 1000, seconds = 60 }
  }

  expect_failures = [var.start_batch]
}

run "kinesis_keeps_records_for_a_day_at_least" {
  command = plan

  variables {
    stream = { shards = 1, retention_hours = 12, buffer_mb = 5, buffer_seconds = 60 }
  }

  expect_failures = [var.stream]
}
