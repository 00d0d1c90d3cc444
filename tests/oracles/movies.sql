-- What the movies tables must hold, from `raw_files` and `raw_lines` (see movies.py); written from
-- docs/movies.md. Times are TIMESTAMP in UTC. Money, votes and their means are integers throughout, so that
-- binary floating point never rounds anything.

-- Text --------------------------------------------------------------------------------------------

-- The characters with Unicode's White_Space property, of which \p{Z} lacks the control characters.
CREATE MACRO white_space() AS '[\t\n\v\f\r\x{85}\p{Z}]+';

-- The text without white space around it; NULL when nothing is left.
CREATE MACRO trimmed(text) AS
    nullif(regexp_replace(text, '^' || white_space() || '|' || white_space() || '$', '', 'g'), '');

-- Case of the letters A-Z only: lower() and upper() would turn a few other letters into these.
CREATE MACRO ascii_lower(text) AS translate(text, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz');
CREATE MACRO ascii_upper(text) AS translate(text, 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ');

CREATE MACRO genre_spelling(text) AS regexp_replace(ascii_lower(trimmed(text)), white_space(), ' ', 'g');
CREATE MACRO rating_spelling(text) AS regexp_replace(ascii_upper(text), '[^A-Z0-9]', '', 'g');

-- Numbers and times; each gives NULL for a text that isn't one or that the type can't hold --------

CREATE MACRO bigint_of(text) AS
    CASE WHEN regexp_full_match(text, '[+-]?[0-9]+') THEN TRY_CAST(text AS BIGINT) END;
CREATE MACRO int_of(text) AS
    CASE WHEN regexp_full_match(text, '[+-]?[0-9]+') THEN TRY_CAST(text AS INTEGER) END;

-- There is no year 0000, although DuckDB reads one.
CREATE MACRO date_of(text) AS
    CASE WHEN regexp_full_match(text, '[0-9]{4}-[0-9]{2}-[0-9]{2}') AND text NOT LIKE '0000%'
         THEN TRY_CAST(text AS DATE) END;

CREATE MACRO time_pattern() AS
    '([0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?)'
    || '(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))';
CREATE MACRO time_part(text, part) AS regexp_extract(text, '^' || time_pattern() || '$', part);
CREATE MACRO offset_minutes(text) AS
    CASE WHEN text LIKE '%Z' THEN 0
         ELSE CAST(time_part(text, 2) || '1' AS INTEGER)
              * (60 * CAST(time_part(text, 3) AS INTEGER) + CAST(time_part(text, 4) AS INTEGER)) END;
CREATE MACRO unbounded_utc_of(text) AS
    CASE WHEN regexp_full_match(text, time_pattern()) AND text NOT LIKE '0000%'
         THEN TRY_CAST(time_part(text, 1) AS TIMESTAMP) - to_minutes(offset_minutes(text)) END;
-- An offset can move a time out of the years 0001-9999.
CREATE MACRO utc_of(text) AS
    CASE WHEN unbounded_utc_of(text)
              BETWEEN TIMESTAMP '0001-01-01 00:00:00' AND TIMESTAMP '9999-12-31 23:59:59.999999'
         THEN unbounded_utc_of(text) END;

-- numerator / denominator to the nearest integer, half away from zero; NULL when the denominator, which is
-- never negative here, is 0.
CREATE MACRO rounded_quotient(numerator, denominator) AS
    CASE WHEN denominator = 0 THEN NULL
         WHEN numerator < 0
         THEN -((2 * -CAST(numerator AS HUGEINT) + denominator) // (2 * CAST(denominator AS HUGEINT)))
         ELSE (2 * CAST(numerator AS HUGEINT) + denominator) // (2 * CAST(denominator AS HUGEINT)) END;

-- Vocabularies ------------------------------------------------------------------------------------

CREATE TABLE genres AS
SELECT genre, unnest(list_append(other_spellings, lower(genre))) AS spelling
FROM (VALUES
    ('Action', ['acton', 'aktion']),
    ('Adventure', ['adventrue', 'advenure']),
    ('Animation', ['animaton', 'animated']),
    ('Comedy', ['commedy', 'comdy']),
    ('Crime', ['crme', 'criem']),
    ('Documentary', ['documentry', 'docu']),
    ('Drama', ['dramma', 'darma']),
    ('Fantasy', ['fantsy', 'phantasy']),
    ('Horror', ['horor', 'horrror']),
    ('Romance', ['romanse', 'romace']),
    ('Science Fiction', ['sci-fi', 'scifi', 'sci fi', 'science-fiction']),
    ('Thriller', ['thriler', 'triller'])
) AS vocabulary(genre, other_spellings);

CREATE TABLE ratings(rating VARCHAR, spelling VARCHAR, category VARCHAR);
INSERT INTO ratings VALUES
    ('G', 'G', 'General'),
    ('PG', 'PG', 'Family'),
    ('PG-13', 'PG13', 'Teen'),
    ('R', 'R', 'Mature'),
    ('NC-17', 'NC17', 'Adult'),
    ('NR', 'NR', 'Unrated'),
    ('NR', 'UNRATED', 'Unrated'),
    ('NR', 'NOTRATED', 'Unrated');

-- Records -----------------------------------------------------------------------------------------

-- One row a record: a line that isn't blank (bytes that aren't UTF-8 are not white space).
-- The hash is over the file as it is stored, compressed or not.
CREATE TABLE records AS
WITH files AS MATERIALIZED (
    SELECT file, key, modified_at, substr(sha256(key || chr(10) || sha256(content)), 1, 16) AS file_id
    FROM raw_files
)
SELECT
    file_id || '-' || printf('%012d', position) AS _record_id,
    key AS _file,
    modified_at AS _ingested_at,
    CASE WHEN octet_length(line) > 1048576 THEN 'record_too_large'
         WHEN text IS NULL THEN 'invalid_utf8'
         ELSE json_problem END AS problem,
    CASE WHEN text IS NULL THEN 'base64:' || base64(line) ELSE text END AS original,
    CASE WHEN json_problem IS NULL THEN map(names, texts) END AS fields
FROM raw_lines
JOIN files USING (file)
WHERE text IS NULL OR trimmed(text) IS NOT NULL;

-- The trimmed text of the twelve fields; NULL when missing.
CREATE TABLE field_texts AS
SELECT
    _record_id,
    _ingested_at,
    trimmed(fields['movie_id']) AS movie_id,
    trimmed(fields['title']) AS title,
    trimmed(fields['genre']) AS genre,
    trimmed(fields['studio']) AS studio,
    trimmed(fields['rating']) AS rating,
    trimmed(fields['release_date']) AS release_date,
    trimmed(fields['budget']) AS budget,
    trimmed(fields['box_office']) AS box_office,
    trimmed(fields['vote_average']) AS vote_average,
    trimmed(fields['vote_count']) AS vote_count,
    trimmed(fields['runtime_minutes']) AS runtime_minutes,
    trimmed(fields['updated_at']) AS updated_at
FROM records
WHERE problem IS NULL;

-- Every vote_average that is a decimal(4,2), in hundredths. Written as significand x 10^exponent, with a
-- significand that has no trailing zeros, a number has at most two decimal places when the exponent is -2 or
-- more, and at most two digits before the point when the significand's length plus the exponent is 2 or less.
CREATE TABLE vote_averages AS
WITH parts AS (
    SELECT
        _record_id,
        regexp_extract(
            vote_average,
            '^([+-]?)([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?$',
            ['sign', 'whole', 'fraction', 'exponent']
        ) AS part
    FROM field_texts
    WHERE regexp_full_match(vote_average, '[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?')
),
digits AS (
    SELECT
        _record_id,
        part.sign AS sign,
        ltrim(part.whole || part.fraction, '0') AS digits,
        CASE WHEN part.exponent = '' THEN 0 ELSE TRY_CAST(part.exponent AS BIGINT) END::HUGEINT
            - length(part.fraction) AS exponent
    FROM parts
),
reduced AS (
    SELECT
        _record_id,
        sign,
        rtrim(digits, '0') AS significand,
        exponent + length(digits) - length(rtrim(digits, '0')) AS exponent
    FROM digits
)
SELECT _record_id, 0::HUGEINT AS hundredths
FROM reduced
WHERE significand = ''
UNION ALL
SELECT _record_id, CAST(sign || significand || repeat('0', CAST(exponent + 2 AS INTEGER)) AS HUGEINT)
FROM (
    SELECT * FROM reduced WHERE significand <> '' AND exponent >= -2 AND length(significand) + exponent <= 2
);

CREATE TABLE typed AS
SELECT
    field_texts._record_id,
    movie_id,
    title,
    genres.genre,
    coalesce(studio, 'Unknown') AS studio,
    ratings.rating,
    ratings.category AS rating_category,
    date_of(release_date) AS release_date,
    CAST(year(date_of(release_date)) AS INTEGER) AS release_year,
    bigint_of(budget) AS budget,
    bigint_of(box_office) AS box_office,
    CAST(hundredths * 0.01::DECIMAL(3, 2) AS DECIMAL(4, 2)) AS vote_average,
    bigint_of(vote_count) AS vote_count,
    int_of(runtime_minutes) AS runtime_minutes,
    utc_of(updated_at) AS updated_at,
    _ingested_at
FROM field_texts
LEFT JOIN genres ON genres.spelling = genre_spelling(field_texts.genre)
LEFT JOIN ratings ON ratings.spelling = rating_spelling(coalesce(field_texts.rating, 'NR'))
LEFT JOIN vote_averages USING (_record_id);

-- Checks ------------------------------------------------------------------------------------------

-- The names of what each record without a reading problem failed; none for most.
CREATE TABLE failures AS
SELECT
    _record_id,
    list_filter([
        CASE WHEN texts.movie_id IS NULL THEN 'movie_id_missing' END,
        CASE WHEN texts.title IS NULL THEN 'title_missing' END,
        CASE WHEN texts.genre IS NULL THEN 'genre_missing' WHEN typed.genre IS NULL THEN 'genre_invalid' END,
        CASE WHEN typed.rating IS NULL THEN 'rating_invalid' END,
        CASE WHEN texts.release_date IS NULL THEN 'release_date_missing'
             WHEN typed.release_date IS NULL THEN 'release_date_invalid' END,
        CASE WHEN texts.budget IS NOT NULL AND typed.budget IS NULL THEN 'budget_invalid' END,
        CASE WHEN texts.box_office IS NOT NULL AND typed.box_office IS NULL THEN 'box_office_invalid' END,
        CASE WHEN texts.vote_average IS NOT NULL AND typed.vote_average IS NULL
             THEN 'vote_average_invalid' END,
        CASE WHEN texts.vote_count IS NOT NULL AND typed.vote_count IS NULL THEN 'vote_count_invalid' END,
        CASE WHEN texts.runtime_minutes IS NOT NULL AND typed.runtime_minutes IS NULL
             THEN 'runtime_minutes_invalid' END,
        CASE WHEN texts.updated_at IS NULL THEN 'updated_at_missing'
             WHEN typed.updated_at IS NULL THEN 'updated_at_invalid' END,
        -- A comparison with a missing (or invalid) value is NULL, which isn't a failure.
        CASE WHEN typed.release_date NOT BETWEEN DATE '1888-01-01' AND DATE '2100-12-31'
             THEN 'release_date_in_range' END,
        CASE WHEN typed.budget NOT BETWEEN 0 AND 10000000000 THEN 'budget_in_range' END,
        CASE WHEN typed.box_office NOT BETWEEN 0 AND 10000000000 THEN 'box_office_in_range' END,
        CASE WHEN typed.vote_average NOT BETWEEN 0 AND 10 THEN 'vote_average_in_range' END,
        CASE WHEN typed.vote_count NOT BETWEEN 0 AND 1000000000 THEN 'vote_count_in_range' END,
        CASE WHEN typed.runtime_minutes NOT BETWEEN 1 AND 1000 THEN 'runtime_in_range' END
    ], lambda name: name IS NOT NULL) AS _rules
FROM typed
JOIN field_texts AS texts USING (_record_id);

-- The rejected records as they came: the texts of their fields, untrimmed, or the line when it can't be read.
CREATE TABLE quarantine_movies AS
WITH judged AS (
    SELECT * REPLACE (CASE WHEN problem IS NULL THEN fields END AS fields)
    FROM records
    LEFT JOIN failures USING (_record_id)
    WHERE problem IS NOT NULL OR len(_rules) > 0
),
undeclared AS (
    SELECT
        _record_id,
        list_filter(map_entries(fields), lambda entry: entry.key NOT IN (
            'movie_id', 'title', 'genre', 'studio', 'rating', 'release_date', 'budget', 'box_office',
            'vote_average', 'vote_count', 'runtime_minutes', 'updated_at'
        )) AS entries
    FROM judged
)
SELECT
    fields['movie_id'] AS movie_id,
    fields['title'] AS title,
    fields['genre'] AS genre,
    fields['studio'] AS studio,
    fields['rating'] AS rating,
    fields['release_date'] AS release_date,
    fields['budget'] AS budget,
    fields['box_office'] AS box_office,
    fields['vote_average'] AS vote_average,
    fields['vote_count'] AS vote_count,
    fields['runtime_minutes'] AS runtime_minutes,
    fields['updated_at'] AS updated_at,
    CASE WHEN len(entries) > 0 THEN map_from_entries(entries) END AS _extra,
    problem AS _problem,
    CASE WHEN problem IS NOT NULL THEN original END AS _original,
    _record_id,
    _file,
    _ingested_at,
    CASE WHEN problem IS NULL THEN _rules ELSE [problem] END AS _rules
FROM judged
JOIN undeclared USING (_record_id);

-- Silver: the newest version of each film among the records that passed ---------------------------

CREATE TABLE silver_movies AS
SELECT
    movie_id, title, genre, studio, rating, rating_category, release_date, release_year, budget, box_office,
    vote_average, vote_count, runtime_minutes, updated_at, _record_id, _ingested_at
FROM typed
JOIN failures USING (_record_id)
WHERE len(_rules) = 0
QUALIFY row_number() OVER (
    PARTITION BY movie_id ORDER BY updated_at DESC, _ingested_at DESC, _record_id DESC
) = 1;

-- Gold --------------------------------------------------------------------------------------------

-- The integers that all columns of the three tables come from; of the three keys, a row has one.
CREATE TABLE group_sums AS
SELECT
    genre,
    studio,
    release_year,
    count(*) AS movies,
    sum(budget) AS total_budget,
    count(budget) AS known_budgets,
    sum(box_office) AS total_box_office,
    count(box_office) AS known_box_offices,
    sum(box_office - budget) AS profit,
    sum(budget) FILTER (WHERE box_office IS NOT NULL) AS budgets_with_profit,
    sum(CAST(vote_average * 100 AS HUGEINT) * vote_count) AS vote_hundredths,
    sum(vote_count) FILTER (WHERE vote_average IS NOT NULL) AS votes,
    first(
        {'movie_id': movie_id, 'title': title}
        ORDER BY vote_average DESC, vote_count DESC NULLS LAST, movie_id
    )
        FILTER (WHERE vote_average IS NOT NULL) AS best
FROM silver_movies
GROUP BY GROUPING SETS ((genre), (studio), (release_year));

CREATE TABLE gold_groups AS
SELECT
    genre,
    studio,
    release_year,
    movies,
    CAST(total_budget AS BIGINT) AS total_budget,
    CAST(total_box_office AS BIGINT) AS total_box_office,
    CAST(rounded_quotient(100 * total_budget, known_budgets) * 0.01::DECIMAL(3, 2) AS DECIMAL(20, 2))
        AS average_budget,
    CAST(rounded_quotient(100 * total_box_office, known_box_offices) * 0.01::DECIMAL(3, 2) AS DECIMAL(20, 2))
        AS average_box_office,
    CAST(profit AS BIGINT) AS profit,
    CAST(rounded_quotient(10000 * profit, budgets_with_profit) * 0.0001::DECIMAL(5, 4) AS DECIMAL(20, 4))
        AS return_on_investment,
    CAST(rounded_quotient(vote_hundredths, votes) * 0.01::DECIMAL(3, 2) AS DECIMAL(4, 2)) AS average_vote,
    best.movie_id AS best_movie_id,
    best.title AS best_movie
FROM group_sums;

-- No key of a silver film is ever NULL, so a NULL key says that the row is of another table.
CREATE VIEW gold_movies_by_genre AS
SELECT * EXCLUDE (studio, release_year) FROM gold_groups WHERE genre IS NOT NULL;

CREATE VIEW gold_movies_by_studio AS
SELECT * EXCLUDE (genre, release_year) FROM gold_groups WHERE studio IS NOT NULL;

CREATE VIEW gold_movies_by_release_year AS
SELECT * EXCLUDE (genre, studio) FROM gold_groups WHERE release_year IS NOT NULL;
