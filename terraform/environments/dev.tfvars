# For trying out: films are made by hand, a run starts a minute after they land.
environment        = "dev"
log_retention_days = 14
start_batch        = { files = 100, seconds = 60 }
stream             = { shards = 1, retention_hours = 24, buffer_mb = 5, buffer_seconds = 60 }
