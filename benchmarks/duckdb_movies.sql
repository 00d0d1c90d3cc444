-- docs/movies.md in SQL, as the job by hand has it: the same values, checks and totals.

CREATE MACRO trimmed(value) AS nullif(trim(value, e' \t\n\r\x0b\x0c'), '');

CREATE MACRO whole(value) AS CASE WHEN regexp_full_match(value, '[+-]?\d+') THEN value END;

CREATE MACRO outside(value, least, most) AS value IS NOT NULL AND value NOT BETWEEN least AND most;

-- Half away from zero, in whole numbers: DuckDB divides decimals as floating-point numbers.
CREATE MACRO quotient(numerator, denominator, places) AS
    (sign(numerator) * ((abs(numerator::HUGEINT) * (10 ** places)::HUGEINT * 2 + denominator) // (2 * nullif(denominator, 0)::HUGEINT)))
    ::DECIMAL(24, 0) * CASE places WHEN 2 THEN 0.0100 ELSE 0.0001 END;

CREATE TEMP TABLE bronze AS
WITH lines AS (
    SELECT line, parse_filename(filename) AS _file, CASE WHEN json_valid(line) AND line[1] = '{' THEN line END AS record
    FROM read_csv(getvariable('files'), header = false, columns = {'line': 'VARCHAR'}, delim = e'\x01', quote = '',
                  escape = '', filename = true, auto_detect = false, null_padding = false, max_line_size = 10000000)
),
fields AS (
    SELECT _file, CASE WHEN record IS NULL THEN line END AS _broken_line,
           from_json(record, getvariable('fields')) AS field
    FROM lines WHERE line IS NOT NULL AND trimmed(line) IS NOT NULL
),
texts AS (
    SELECT _file, _broken_line, field.movie_id AS movie_id,
           trimmed(field.movie_id) AS movie_id_text,
           trimmed(field.title) AS title,
           trimmed(field.genre) AS genre_text,
           trimmed(field.studio) AS studio_text,
           trimmed(field.rating) AS rating_text,
           trimmed(field.release_date) AS release_date_text,
           trimmed(field.budget) AS budget_text,
           trimmed(field.box_office) AS box_office_text,
           trimmed(field.vote_average) AS vote_average_text,
           trimmed(field.vote_count) AS vote_count_text,
           trimmed(field.runtime_minutes) AS runtime_minutes_text,
           trimmed(field.updated_at) AS updated_at_text
    FROM fields
),
spelled AS (
    SELECT *, regexp_replace(lower(genre_text), '[\s\x0b]+', ' ', 'g') AS genre_spelling,
           regexp_replace(upper(coalesce(rating_text, 'NR')), '[^A-Z0-9]', '', 'g') AS rating_spelling,
           try_cast(vote_average_text AS DECIMAL(18, 10)) AS exact_vote
    FROM texts
),
valued AS (
    SELECT spelled.*, genres.name AS genre, coalesce(studio_text, 'Unknown') AS studio, ratings.name AS rating,
           CASE WHEN regexp_full_match(release_date_text, '\d{4}-\d{2}-\d{2}')
                THEN try_cast(release_date_text AS DATE) END AS release_date,
           try_cast(whole(budget_text) AS BIGINT) AS budget,
           try_cast(whole(box_office_text) AS BIGINT) AS box_office,
           CASE WHEN exact_vote = try_cast(exact_vote AS DECIMAL(4, 2))
                THEN try_cast(exact_vote AS DECIMAL(4, 2)) END AS vote_average,
           try_cast(whole(vote_count_text) AS BIGINT) AS vote_count,
           try_cast(whole(runtime_minutes_text) AS INTEGER) AS runtime_minutes,
           CASE WHEN regexp_full_match(updated_at_text,
                    '\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})')
                THEN try_cast(updated_at_text AS TIMESTAMPTZ) END AS updated_at
    FROM spelled
    LEFT JOIN genres ON genres.spelling = genre_spelling
    LEFT JOIN ratings ON ratings.spelling = rating_spelling
)
SELECT _file, _broken_line, movie_id, movie_id_text, title, genre, studio, rating, release_date, budget, box_office,
       vote_average, vote_count, runtime_minutes, updated_at,
       CASE WHEN _broken_line IS NOT NULL THEN ['malformed_record'] ELSE list_filter([
           CASE WHEN movie_id_text IS NULL THEN 'movie_id_missing' END,
           CASE WHEN title IS NULL THEN 'title_missing' END,
           CASE WHEN genre_text IS NULL THEN 'genre_missing' END,
           CASE WHEN genre_text IS NOT NULL AND genre IS NULL THEN 'genre_invalid' END,
           CASE WHEN rating_text IS NOT NULL AND rating IS NULL THEN 'rating_invalid' END,
           CASE WHEN release_date_text IS NULL THEN 'release_date_missing' END,
           CASE WHEN release_date_text IS NOT NULL AND release_date IS NULL THEN 'release_date_invalid' END,
           CASE WHEN budget_text IS NOT NULL AND budget IS NULL THEN 'budget_invalid' END,
           CASE WHEN box_office_text IS NOT NULL AND box_office IS NULL THEN 'box_office_invalid' END,
           CASE WHEN vote_average_text IS NOT NULL AND vote_average IS NULL THEN 'vote_average_invalid' END,
           CASE WHEN vote_count_text IS NOT NULL AND vote_count IS NULL THEN 'vote_count_invalid' END,
           CASE WHEN runtime_minutes_text IS NOT NULL AND runtime_minutes IS NULL THEN 'runtime_minutes_invalid' END,
           CASE WHEN updated_at_text IS NULL THEN 'updated_at_missing' END,
           CASE WHEN updated_at_text IS NOT NULL AND updated_at IS NULL THEN 'updated_at_invalid' END,
           CASE WHEN outside(release_date, DATE '1888-01-01', DATE '2100-12-31') THEN 'release_date_in_range' END,
           CASE WHEN outside(budget, 0, 10000000000) THEN 'budget_in_range' END,
           CASE WHEN outside(box_office, 0, 10000000000) THEN 'box_office_in_range' END,
           CASE WHEN outside(vote_average, 0, 10) THEN 'vote_average_in_range' END,
           CASE WHEN outside(vote_count, 0, 1000000000) THEN 'vote_count_in_range' END,
           CASE WHEN outside(runtime_minutes, 1, 1000) THEN 'runtime_in_range' END
       ], rule -> rule IS NOT NULL) END AS _rules
FROM valued;

CREATE TEMP VIEW rejected AS
SELECT movie_id, _file, _rules, _broken_line AS _original FROM bronze WHERE len(_rules) > 0;

CREATE TEMP TABLE silver AS
WITH newest AS (
    SELECT movie_id_text AS movie_id,
           arg_max(struct_pack(title, genre, studio, rating, release_date, budget, box_office, vote_average,
                               vote_count, runtime_minutes, updated_at), updated_at) AS film
    FROM bronze WHERE len(_rules) = 0 GROUP BY movie_id_text
)
SELECT movie_id, film.title, film.genre, film.studio, film.rating, categories.name AS rating_category,
       film.release_date, year(film.release_date)::INTEGER AS release_year, film.budget, film.box_office,
       film.vote_average, film.vote_count, film.runtime_minutes, film.updated_at
FROM newest LEFT JOIN categories ON categories.spelling = film.rating;
