"""The words that Athena engine version 3 lets stand before an opening parenthesis."""

from __future__ import annotations

KEYWORDS = """
all and any as between by case cube distinct else except exists filter from having in intersect join
lateral like not offset on or over rollup select sets some then union unnest using values when where
with within group ordinality recursive limit sets is escape return
"""

TYPES = "array char date decimal interval map row time timestamp varchar varbinary"

CONDITIONS = "cast coalesce greatest if least nullif try try_cast typeof"

AGGREGATES = """
any_value approx_distinct approx_most_frequent approx_percentile approx_set arbitrary array_agg avg bool_and
bool_or checksum corr count count_if covar_pop covar_samp every geometric_mean histogram kurtosis listagg
map_agg map_union max max_by merge min min_by multimap_agg numeric_histogram qdigest_agg reduce_agg
regr_intercept regr_slope skewness stddev stddev_pop stddev_samp sum var_pop var_samp variance grouping
"""

WINDOWS = """
cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number
"""

TEXT = """
chr codepoint concat concat_ws format from_utf8 hamming_distance length levenshtein_distance lower lpad ltrim
luhn_check normalize position replace reverse rpad rtrim soundex split split_part split_to_map
split_to_multimap starts_with strpos substr substring to_utf8 translate trim upper word_stem
regexp_count regexp_extract regexp_extract_all regexp_like regexp_position regexp_replace regexp_split
"""

NUMBERS = """
abs acos asin atan atan2 cbrt ceil ceiling cos cosh cosine_similarity degrees e exp floor from_base infinity
is_finite is_infinite is_nan ln log log10 log2 mod nan pi pow power radians rand random round sign sin sinh
sqrt tan tanh to_base truncate width_bucket bit_count bitwise_and bitwise_not bitwise_or bitwise_xor
bitwise_left_shift bitwise_right_shift bitwise_and_agg bitwise_or_agg
"""

TIMES = """
at_timezone current_time current_timestamp date_add date_diff date_format date_parse date_trunc day
day_of_month day_of_week day_of_year dow doy extract format_datetime from_iso8601_date
from_iso8601_timestamp from_unixtime hour human_readable_seconds last_day_of_month localtime localtimestamp
millisecond minute month now parse_datetime parse_duration quarter second timezone_hour timezone_minute
to_iso8601 to_milliseconds to_unixtime week week_of_year with_timezone year year_of_week yow
"""

COLLECTIONS = """
all_match any_match array_distinct array_except array_first array_intersect array_join array_last array_max
array_min array_position array_remove array_sort array_union arrays_overlap cardinality combinations contains
contains_sequence element_at flatten map_concat map_entries map_filter map_from_entries map_keys map_values
map_zip_with multimap_from_entries ngrams none_match reduce repeat sequence shuffle slice transform
transform_keys transform_values trim_array zip zip_with
"""

JSON_AND_BYTES = """
is_json_scalar json_array_contains json_array_get json_array_length json_exists json_extract
json_extract_scalar json_format json_parse json_query json_size json_value crc32 from_base64 from_hex
md5 sha1 sha256 sha512 to_base64 to_hex url_decode url_encode url_extract_host url_extract_parameter
url_extract_path url_extract_port url_extract_protocol url_extract_query uuid xxhash64
"""

WORDS_BEFORE_PARENTHESIS = frozenset(
    " ".join(
        (KEYWORDS, TYPES, CONDITIONS, AGGREGATES, WINDOWS, TEXT, NUMBERS, TIMES, COLLECTIONS, JSON_AND_BYTES)
    ).split()
)
