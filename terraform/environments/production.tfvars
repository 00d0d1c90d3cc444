environment          = "production"
check_schedule       = { cron = "cron(55 * * * ? *)", enabled = true }
daily_schedule       = { cron = "cron(40 0 * * ? *)", enabled = true }
film_days            = { seed = 7, first_day = "2026-11-01", movies = 100000 }
film_schedule        = { cron = "cron(0 2 * * ? *)", enabled = true }
hourly_schedule      = { cron = "cron(10 * * * ? *)", enabled = true }
log_retention_days   = 365
maintenance_schedule = { cron = "cron(0 6 ? * SUN *)", enabled = true }
