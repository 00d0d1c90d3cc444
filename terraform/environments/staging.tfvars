# As production, smaller.
environment          = "staging"
check_schedule       = { cron = "cron(55 * * * ? *)", enabled = true }
daily_schedule       = { cron = "cron(40 0 * * ? *)", enabled = true }
film_schedule        = { cron = "cron(0 2 * * ? *)", enabled = true }
hourly_schedule      = { cron = "cron(10 * * * ? *)", enabled = true }
log_retention_days   = 30
maintenance_schedule = { cron = "cron(0 6 ? * SUN *)", enabled = true }
