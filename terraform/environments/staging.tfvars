# As production, smaller.
environment          = "staging"
film_schedule        = { cron = "cron(0 2 * * ? *)", enabled = true }
log_retention_days   = 30
maintenance_schedule = { cron = "cron(0 6 ? * SUN *)", enabled = true }
