# The laptop cloud: gone with the process, so everything may be deleted, and nobody waits for fifteen minutes.
environment        = "local"
disposable         = true
log_retention_days = 7
start_batch        = { files = 100, seconds = 5 }
retry_seconds      = 1
stream             = { shards = 1, retention_hours = 24, buffer_mb = 1, buffer_seconds = 2 }
