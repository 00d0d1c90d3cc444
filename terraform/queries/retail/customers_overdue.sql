-- Customers who have let more than twice their usual time pass since their last order, by what they have spent.
WITH newest AS (
  SELECT max(last_order) AS day FROM customer_behaviour
)
SELECT user_id,
       last_order,
       date_diff('day', last_order, newest.day) AS days_since,
       mean_days_between_orders,
       orders,
       value
FROM customer_behaviour
CROSS JOIN newest
WHERE date_diff('day', last_order, newest.day) > 2 * mean_days_between_orders
ORDER BY value DESC, user_id
LIMIT 20
