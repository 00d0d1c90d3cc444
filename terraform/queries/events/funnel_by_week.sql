-- How far users come on the day on which they create an account, week by week: users of each step, and their share of the first.
WITH weeks AS (
  SELECT CAST(date_trunc('week', event_date) AS date) AS week,
         step,
         event_name,
         sum(users) AS users
  FROM funnel_by_day
  GROUP BY CAST(date_trunc('week', event_date) AS date), step, event_name
)
SELECT week,
       step,
       event_name,
       users,
       round(1e0 * users / first_value(users) OVER (PARTITION BY week ORDER BY step), 4) AS share
FROM weeks
ORDER BY week, step
