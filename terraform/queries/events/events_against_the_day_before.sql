-- Kinds of events that have fallen to less than half from one day to the next: is something broken there?
WITH days AS (
  SELECT event_type,
         event_subtype,
         event_date,
         events,
         lag(events) OVER (PARTITION BY event_type, event_subtype ORDER BY event_date) AS day_before
  FROM events_by_day
)
SELECT event_date, event_type, event_subtype, day_before, events
FROM days
WHERE events < day_before / 2.0
ORDER BY event_date DESC, event_type, event_subtype
