-- events: silver as the newest good record of each event, then gold from silver. Times are UTC.
-- A record counts if everything in it is what it should be, and it comes within 7 days, and no hour too early.

CREATE TABLE told AS
SELECT
    _record_id, _time,
    nullif(trim(line ->> 'event_uuid'), '') AS event_uuid,
    line ->> 'event_name' AS event_name,
    TRY_CAST(line ->> 'created_at' AS BIGINT) AS created_at,
    line ->> 'user_id' AS user_id,
    line -> 'payload' AS payload
FROM (SELECT _record_id, _time, CASE WHEN json_valid(line) THEN line::JSON END AS line FROM raw_events);

CREATE TABLE silver_events AS
SELECT
    event_uuid, event_name,
    split_part(event_name, ':', 1) AS event_type,
    substr(event_name, 1 + strpos(event_name, ':')) AS event_subtype,
    created_at,
    make_timestamp(created_at * 1000000) AS created_datetime,
    created_datetime::DATE AS event_date,
    hour(created_datetime)::INTEGER AS event_hour,
    make_timestamp((created_at + 1800) * 1000000)::DATE AS following_date,
    user_id,
    CASE WHEN json_type(payload) = 'OBJECT' THEN payload::VARCHAR END AS payload,
    _record_id
FROM told
WHERE event_uuid IS NOT NULL
    AND regexp_full_match(event_name, '[a-z0-9_]+(:[a-z0-9_]+)+')
    AND created_at * 1000000 BETWEEN _time - 604800000000 AND _time + 3600000000
    AND coalesce(json_type(payload), 'NULL') IN ('NULL', 'OBJECT')
QUALIFY row_number() OVER (PARTITION BY event_uuid ORDER BY _time DESC, _record_id DESC) = 1;

CREATE TABLE gold_events_by_day AS
SELECT event_type, event_date, event_subtype, count(*) AS events, count(DISTINCT user_id) AS users
FROM silver_events GROUP BY ALL;

CREATE TABLE steps AS
FROM (VALUES (1, 'account:created'), (2, 'lesson:started'), (3, 'payment:order:completed')) t(step, event_name);

CREATE TABLE ways AS
SELECT a.event_date, a.user_id, a.first, b.second, min(c.created_at) AS third
FROM (
    SELECT event_date, user_id, min(created_at) FILTER (event_name = 'account:created') AS first
    FROM silver_events SEMI JOIN steps USING (event_name) WHERE user_id IS NOT NULL GROUP BY ALL
) a
LEFT JOIN LATERAL (
    SELECT min(created_at) AS second FROM silver_events e
    WHERE e.user_id = a.user_id AND e.event_date = a.event_date AND event_name = 'lesson:started' AND created_at >= first
) b ON true
LEFT JOIN silver_events c
    ON c.user_id = a.user_id AND c.event_date = a.event_date AND c.event_name = 'payment:order:completed'
    AND c.created_at >= b.second
GROUP BY ALL;

CREATE TABLE gold_funnel_by_day AS
SELECT
    event_date, step, event_name,
    CASE step WHEN 1 THEN count(first) WHEN 2 THEN count(second) ELSE count(third) END AS users
FROM ways, steps GROUP BY event_date, step, event_name;

CREATE TABLE gold_sessions_by_day AS
SELECT event_date, count(*) FILTER (begins) AS sessions, count(DISTINCT user_id) FILTER (begins) AS users
FROM (
    SELECT
        event_date, user_id, NOT EXISTS (
            FROM silver_events b WHERE b.user_id = a.user_id AND (
                b.created_at BETWEEN a.created_at - 1800 AND a.created_at - 1
                OR (b.created_at = a.created_at AND b.event_uuid < a.event_uuid)
            )
        ) AS begins
    FROM silver_events a WHERE user_id IS NOT NULL
)
GROUP BY event_date;
