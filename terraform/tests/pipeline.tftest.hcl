# The jobs of one pipeline: both ways to get Delta Lake, sizes, retries.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  account            = { id = "111122223333", partition = "aws", region = "us-east-1" }
  archived           = []
  persons            = false
  artifacts          = { bucket = "deployment", script = "artifacts/movies-1.py", engine = "artifacts/lakehouse-1.zip", jars = [] }
  catalog            = "oakvale_dev"
  gold               = ["movies_by_genre"]
  key_arn            = "arn:aws:kms:us-east-1:111122223333:key/mocked"
  lake               = "oakvale-dev-lake-111122223333"
  log_retention_days = 14
  maintenance        = { cron = "cron(0 6 ? * SUN *)", enabled = false }

  permissions_boundary_arn = null
  name                     = "movies"
  prefix                   = "oakvale-dev"
  raw                      = "oakvale-dev-raw-111122223333"
  security                 = "oakvale-dev"
  silver                   = ["movies"]
  sizes = {
    bronze = { worker_type = "G.1X", workers = 2, timeout_minutes = 11 }
    silver = { worker_type = "G.2X", workers = 3, timeout_minutes = 12 }
    gold   = { worker_type = "G.1X", workers = 4, timeout_minutes = 13 }
  }
  sources = { movies = "movies" }
}

run "delta_of_glue" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  assert {
    condition = alltrue([for job in aws_glue_job.this :
      job.default_arguments["--datalake-formats"] == "delta" &&
      job.default_arguments["--extra-py-files"] == "s3://deployment/artifacts/lakehouse-1.zip" &&
      !contains(keys(job.default_arguments), "--extra-jars") &&
      !contains(keys(job.default_arguments), "--user-jars-first")
    ])
    error_message = "Glue brings Delta Lake."
  }
  assert {
    condition = alltrue([for job in aws_glue_job.this :
      job.default_arguments["--conf"] == "spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension --conf spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog --conf spark.hadoop.fs.s3a.retry.throttle.limit=8 --conf spark.hadoop.fs.s3a.connection.timeout=30s"
    ])
    error_message = "All settings stand in the one --conf that Glue takes."
  }
  assert {
    condition     = { for layer, job in aws_glue_job.this : layer => [job.worker_type, tostring(job.number_of_workers), tostring(job.timeout)] } == { bronze = ["G.1X", "2", "11"], silver = ["G.2X", "3", "12"], gold = ["G.1X", "4", "13"] }
    error_message = "Each layer has its own size and time-out."
  }
  assert {
    condition = alltrue([for job in aws_glue_job.this :
      job.glue_version == "6.0" && job.max_retries == 0 && job.job_run_queuing_enabled == true && one(job.execution_property).max_concurrent_runs == 1
    ])
    error_message = "One run at a time, the others wait; Glue refuses queuing together with retries."
  }
}

run "own_delta" {
  command = plan

  variables {
    artifacts = {
      bucket = "deployment"
      script = "artifacts/movies-1.py"
      engine = "artifacts/lakehouse-1.zip"
      jars   = ["artifacts/delta-spark-1.jar", "artifacts/delta-storage-1.jar"]
    }
  }

  module {
    source = "./modules/pipeline"
  }

  assert {
    condition = alltrue([for job in aws_glue_job.this :
      job.default_arguments["--extra-jars"] == "s3://deployment/artifacts/delta-spark-1.jar,s3://deployment/artifacts/delta-storage-1.jar" &&
      job.default_arguments["--user-jars-first"] == "true" &&
      startswith(job.default_arguments["--extra-py-files"], "s3://deployment/artifacts/lakehouse-1.zip,s3://deployment/artifacts/delta-spark-1.jar") &&
      !contains(keys(job.default_arguments), "--datalake-formats")
    ])
    error_message = "Our jars come first, and Glue's Delta Lake stays away."
  }
  assert {
    condition = alltrue([for policy in aws_iam_role_policy.this :
      strcontains(policy.policy, "arn:aws:s3:::deployment/artifacts/delta-storage-1.jar")
    ])
    error_message = "Each role may read the jars."
  }
}
