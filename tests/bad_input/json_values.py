"""Kinds of JSON files with one value that is bad, or looks so: a film each."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bad_input.kind import Kind, ids, lines, with_value

Row = tuple[str, str, str, str]
BUDGET: tuple[Row, ...] = (
    # (name, what is wrong, the value as JSON writes it, the check that fails; none if it loads)
    ("nan", "NaN as a whole number.", "NaN", "budget_invalid"),
    ("infinity", "Infinity as a whole number.", "-Infinity", "budget_invalid"),
    ("too-large", "A number of thirty digits.", "9" * 30, "budget_invalid"),
    ("bigint-and-one", "The first number beyond a bigint.", "9223372036854775808", "budget_invalid"),
    ("fraction", "A fraction as a whole number.", "6.9", "budget_invalid"),
    ("million", "A whole number with an exponent.", "1e6", "budget_invalid"),
    ("true", "true as a number.", "true", "budget_invalid"),
    ("list", "A list as a number.", "[1]", "budget_invalid"),
    ("letters", "Letters as a number.", '"x1"', "budget_invalid"),
    ("thousands", "Commas between thousands.", '"1,000,000"', "budget_invalid"),
    ("currency", "A currency before the number.", '"$5"', "budget_invalid"),
    ("other-digits", "Digits of another script.", '"\u0663"', "budget_invalid"),
    ("negative", "A number below the range.", "-1", "budget_in_range"),
    ("leading-zeros", "Leading zeros.", "007", "malformed_record"),
    ("plus", "A plus sign.", "+5", "malformed_record"),
    ("bare-point", "A number that begins with the point.", ".5", "malformed_record"),
    ("hexadecimal", "A hexadecimal number.", "0x1F", "malformed_record"),
    ("number-in-quotes", "A number in quotes.", '"12"', ""),
    ("number-with-blanks", "A number in quotes with blanks around.", '" 7 "', ""),
    ("number-with-zeros", "A number in quotes with leading zeros.", '"007"', ""),
    ("blank-number", "Blank text as a number.", '" "', ""),
)
VOTE: tuple[Row, ...] = (
    ("vote-nan", "NaN as a decimal.", "NaN", "vote_average_invalid"),
    ("vote-infinite", "1e999, which is infinite in floating point.", "1e999", "vote_average_invalid"),
    ("vote-scale", "A third decimal place, where two are declared.", "7.405", "vote_average_invalid"),
    ("vote-too-large", "More digits before the point than declared.", "100", "vote_average_invalid"),
    ("vote-range", "A decimal beyond the range.", "10.5", "vote_average_in_range"),
    ("vote-comma", "A comma for the point.", '"7,4"', "vote_average_invalid"),
    ("vote-zeros", "Zeros behind the last place.", "7.400", ""),
)
DATE: tuple[Row, ...] = (
    ("date-of-zeros", "A date of zeros.", '"0000-00-00"', "release_date_invalid"),
    ("february-30", "The 30th of February.", '"2026-02-30"', "release_date_invalid"),
    ("no-leap-year", "The 29th of February of another year.", '"2023-02-29"', "release_date_invalid"),
    ("short-date", "A date without its zeros.", '"26-1-1"', "release_date_invalid"),
    ("far-date", "A year of five digits.", '"99999-01-01"', "release_date_invalid"),
    ("early-date", "A date before the range.", '"1500-01-01"', "release_date_in_range"),
    ("late-date", "A date that stands for never.", '"9999-12-31"', "release_date_in_range"),
    ("date-with-time", "A date with a time.", '"2026-11-20T10:00:00"', "release_date_invalid"),
    ("slashes", "A date whose day and month could be swapped.", '"01/02/2026"', "release_date_invalid"),
    ("blank-date", "Empty text as a date that must be there.", '""', "release_date_missing"),
)
MOMENT: tuple[Row, ...] = (
    ("no-offset", "A time without an offset.", '"2026-11-01T10:00:00"', "updated_at_invalid"),
    ("no-such-hour", "A local time that the clocks leap over.", '"2026-03-29T02:30:00"', "updated_at_invalid"),
    (
        "hour-twice",
        "A local time that comes twice as the clocks go back.",
        '"2026-10-25T02:30:00"',
        "updated_at_invalid",
    ),
    ("blank-for-t", "A blank for the T.", '"2026-11-01 10:00:00Z"', "updated_at_invalid"),
    ("hour-24", "An hour 24.", '"2026-11-01T24:00:00Z"', "updated_at_invalid"),
    ("leap-second", "A leap second.", '"2016-12-31T23:59:60Z"', "updated_at_invalid"),
    ("epoch", "Seconds since 1970.", "1793502765", "updated_at_invalid"),
    ("zone-name", "A zone by its name.", '"2026-11-01T10:00:00 Europe/Berlin"', "updated_at_invalid"),
    ("offset", "A time with an offset.", '"2026-11-01T10:00:00+02:00"', ""),
)
TEXT: tuple[Row, ...] = (
    ("empty-text", "Empty text where there must be some.", '""', "title_missing"),
    ("null-text", "null where there must be text.", "null", "title_missing"),
    ("white-text", "White space of Unicode where there must be text.", '"\\u00a0\\u3000"', "title_missing"),
    ("word-null", "The word NULL.", '"NULL"', ""),
    ("escaped-nul", "A NUL, escaped.", '"a\\u0000b"', ""),
    ("escaped-line", "A line feed and a colour for terminals, escaped.", '"a\\nERROR\\u001b[31m"', ""),
    ("separators", "Line ends that only Unicode knows.", '"a\u2028b\x85c"', ""),
    ("formula", "A formula for spreadsheets.", '"=HYPERLINK(\\"x\\")"', ""),
    ("list-as-text", "A list as text.", '["a","b"]', ""),
    ("object-as-text", "An object as text.", '{"en":"a"}', ""),
)
GENRE: tuple[Row, ...] = (("unknown-word", "A word that the vocabulary doesn't have.", '"Opera"', "genre_invalid"),)
KEY: tuple[Row, ...] = (
    ("empty-key", "An empty key.", '""', "movie_id_missing"),
    ("null-key", "null as the key.", "null", "movie_id_missing"),
    ("blank-key", "A key of blanks.", '"  "', "movie_id_missing"),
)
HIVE = "__HIVE_DEFAULT_PARTITION__"
FIELDS = {
    "budget": BUDGET,
    "vote_average": VOTE,
    "release_date": DATE,
    "updated_at": MOMENT,
    "title": TEXT,
    "genre": GENRE,
    "movie_id": KEY,
}


def _kinds() -> Iterator[Kind]:
    number = 200
    for field, rows in FIELDS.items():
        for name, what, value, failed in rows:
            number += 1
            rejects, loads = (((failed,),), ()) if failed else ((), ids(number))
            yield Kind(name, what, lines(with_value(number, field, value)), rejects=rejects, loads=loads)


KINDS = (
    *_kinds(),
    Kind("key-number", "A number as the key.", lines(with_value(0, "movie_id", "7")), loads=("7",)),
    Kind(
        "key-hive", "Hive's word for a missing partition.", lines(with_value(0, "movie_id", f'"{HIVE}"')), loads=(HIVE,)
    ),
    Kind("key-path", "A path as the key.", lines(with_value(0, "movie_id", '"../../gold"')), loads=("../../gold",)),
)
