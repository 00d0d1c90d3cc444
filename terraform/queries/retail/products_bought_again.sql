-- Products that customers come back for: the share of units bought by somebody who had had them before.
SELECT product_name, department, units, reorders, reorder_rate, mean_cart_position
FROM product_performance
WHERE units >= 5
ORDER BY reorder_rate DESC, units DESC, product_id
LIMIT 20
