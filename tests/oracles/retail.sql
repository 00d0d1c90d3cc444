-- retail, from docs/retail.md: silver as the newest good version of each key, then gold from silver.
-- Raw values are trimmed, and null when blank. A record counts if everything in it is what it should be.

CREATE MACRO whole(value) AS CASE WHEN regexp_full_match(value, '[+-]?[0-9]+') THEN TRY_CAST(value AS BIGINT) END;
CREATE MACRO whole_or_nothing(value, low, high) AS value IS NULL OR coalesce(whole(value) BETWEEN low AND high, false);
CREATE MACRO moment(value) AS CASE
    WHEN regexp_full_match(value, '\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ') THEN TRY_CAST(replace(value, 'Z', '') AS TIMESTAMP)
END;
CREATE MACRO day(value) AS CASE WHEN regexp_full_match(value, '\d{4}-\d\d-\d\d') THEN TRY_CAST(value AS DATE) END;

CREATE TABLE silver_products AS
SELECT whole(product_id) AS product_id, whole(department_id)::INTEGER AS department_id, department, product_name
FROM raw_products
WHERE whole(product_id) IS NOT NULL AND whole(department_id) IS NOT NULL
    AND department IS NOT NULL AND product_name IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY whole(product_id) ORDER BY _time DESC, _record_id DESC) = 1;

CREATE TABLE silver_orders AS
SELECT
    whole(order_num)::INTEGER AS order_num,
    whole(order_id) AS order_id,
    whole(user_id) AS user_id,
    moment(order_timestamp) AS order_timestamp,
    total_amount::DECIMAL(12, 2) AS total_amount,
    day(date) AS date
FROM raw_orders
WHERE whole_or_nothing(order_num, 1, 1000000) AND whole(order_id) IS NOT NULL AND whole(user_id) IS NOT NULL
    AND regexp_full_match(total_amount, '[0-9]+(\.[0-9]{1,2})?') AND TRY_CAST(total_amount AS DECIMAL(12, 2)) <= 1000000
    AND day(date) = moment(order_timestamp)::DATE
QUALIFY row_number() OVER (PARTITION BY whole(order_id) ORDER BY _time DESC, _record_id DESC) = 1;

CREATE TABLE silver_order_items AS
SELECT
    whole(id) AS id,
    whole(order_id) AS order_id,
    whole(user_id) AS user_id,
    whole(regexp_replace(days_since_prior_order, '\.0+$', ''))::INTEGER AS days_since_prior_order,
    whole(product_id) AS product_id,
    whole(add_to_cart_order)::INTEGER AS add_to_cart_order,
    whole(reordered)::INTEGER AS reordered,
    moment(order_timestamp) AS order_timestamp,
    day(date) AS date
FROM raw_order_items
WHERE whole(id) IS NOT NULL AND whole(order_id) IS NOT NULL AND whole(user_id) IS NOT NULL
    AND whole_or_nothing(regexp_replace(days_since_prior_order, '\.0+$', ''), 0, 10000)
    AND whole(product_id) IS NOT NULL AND whole(add_to_cart_order) BETWEEN 1 AND 10000 AND whole(reordered) IN (0, 1)
    AND day(date) = moment(order_timestamp)::DATE
    AND whole(order_id) IN (SELECT order_id FROM silver_orders)
    AND whole(product_id) IN (SELECT product_id FROM silver_products)
QUALIFY row_number() OVER (PARTITION BY whole(id) ORDER BY _time DESC, _record_id DESC) = 1;

CREATE TABLE baskets AS
SELECT
    o.order_id, o.date, (o.total_amount * 100)::BIGINT AS cents, coalesce(p.department, 'Unknown') AS department,
    count(i.id) AS items, greatest(count(i.id), 1) AS weight
FROM silver_orders o
LEFT JOIN (silver_order_items i JOIN silver_products p ON p.product_id = i.product_id)
    ON i.order_id = o.order_id AND i.date = o.date
GROUP BY ALL;

CREATE TABLE shares AS
SELECT *, cents * until // weights - cents * (until - weight) // weights AS share
FROM (
    SELECT
        *, (sum(weight) OVER (PARTITION BY order_id))::BIGINT AS weights,
        (sum(weight) OVER (PARTITION BY order_id ORDER BY department COLLATE "C"))::BIGINT AS until
    FROM baskets
);

CREATE TABLE gold_sales_by_day_and_department AS
SELECT
    date, department, count(*) AS orders, sum(items)::BIGINT AS items,
    (sum(share)::DECIMAL(18, 0) * 0.01::DECIMAL(3, 2))::DECIMAL(18, 2) AS revenue,
    ((2 * sum(share)::BIGINT + count(*)) // (2 * count(*)) * 0.01::DECIMAL(3, 2))::DECIMAL(14, 2) AS average_basket
FROM shares GROUP BY date, department;

CREATE TABLE gold_product_performance AS
SELECT
    p.product_id, p.product_name, p.department, count(i.id) AS units, coalesce(sum(i.reordered), 0)::BIGINT AS reorders,
    ((20000 * sum(i.reordered) + count(i.id))::BIGINT // (2 * count(i.id)) * 0.0001::DECIMAL(5, 4))::DECIMAL(5, 4)
        AS reorder_rate,
    ((200 * sum(i.add_to_cart_order) + count(i.id))::BIGINT // (2 * count(i.id)) * 0.01::DECIMAL(3, 2))::DECIMAL(8, 2)
        AS mean_cart_position
FROM silver_products p LEFT JOIN silver_order_items i ON i.product_id = p.product_id
GROUP BY p.product_id, p.product_name, p.department;

CREATE TABLE gold_customer_behaviour AS
SELECT
    user_id, min(date) AS first_order, max(date) AS last_order, count(*) AS orders,
    CASE WHEN count(*) > 1 THEN
        ((200 * (max(date) - min(date)) + count(*) - 1) // (2 * (count(*) - 1)) * 0.01::DECIMAL(3, 2))::DECIMAL(8, 2)
    END AS mean_days_between_orders,
    sum(total_amount)::DECIMAL(18, 2) AS value,
    (((200 * sum(total_amount))::BIGINT + count(*)) // (2 * count(*)) * 0.01::DECIMAL(3, 2))::DECIMAL(14, 2)
        AS average_value
FROM silver_orders GROUP BY user_id;

CREATE TABLE gold_order_checks_by_day AS
WITH known AS (
    SELECT
        o.date, o.total_amount, count(i.id) AS items,
        list_sort(list(i.add_to_cart_order)) = range(1, count(i.id) + 1) AS complete
    FROM silver_orders o LEFT JOIN silver_order_items i ON i.order_id = o.order_id AND i.date = o.date
    GROUP BY o.order_id, o.date, o.total_amount
), strays AS (
    SELECT i.date FROM silver_order_items i JOIN silver_orders o ON o.order_id = i.order_id WHERE o.date <> i.date
)
SELECT
    date, count(items) AS orders, count(*) FILTER (complete AND items > 0) AS complete_orders,
    count(*) FILTER (items = 0) AS orders_without_items,
    coalesce(sum(total_amount), 0)::DECIMAL(18, 2) AS total_amount, count(*) FILTER (items IS NULL) AS stray_items
FROM (FROM known UNION ALL BY NAME FROM strays) GROUP BY date;
