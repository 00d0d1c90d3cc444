"""The movies oracle itself, against rows worked out by hand from `docs/movies.md`."""

import ast
import gzip
import hashlib
import json
import os
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from . import movies
from .movies import compute, read_lake, split_lines

KEY = "raw/movies/2026/11/01/movies-2026-11-01.jsonl"
MODIFIED_AT = datetime(2026, 11, 1, 4, 0, 0, 123456)
MEBIBYTE = 1024 * 1024

FILM = {
    "movie_id": "mv-1",
    "title": "The Silver Harbour",
    "genre": "Drama",
    "studio": "Northlight Pictures",
    "rating": "PG-13",
    "release_date": "2019-05-04",
    "budget": 12000000,
    "box_office": 34500000,
    "vote_average": 7.4,
    "vote_count": 1234,
    "runtime_minutes": 112,
    "updated_at": "2026-11-01T03:12:45Z",
}


def test_shares_nothing_with_what_it_judges() -> None:
    statements = list(ast.walk(ast.parse(Path(movies.__file__).read_text(encoding="utf-8"))))
    modules = {alias.name for each in statements if isinstance(each, ast.Import) for alias in each.names}
    sources = {each.module or "" for each in statements if isinstance(each, ast.ImportFrom)}
    assert {name.split(".")[0] for name in modules | sources} - sys.stdlib_module_names == {"duckdb"}
    called = {each.id for each in statements if isinstance(each, ast.Name)}
    assert called & {"__import__", "eval", "exec", "importlib", "open", "runpy"} == set()


class Literal:
    """A value to put into a line as it stands, such as `7.40`, which Python would write as 7.4."""

    def __init__(self, text: str) -> None:
        self.text = text


def line(**changes: Any) -> bytes:
    """The film above as a line with some values changed; `...` leaves a field out."""
    fields = {name: value for name, value in (FILM | changes).items() if value is not ...}
    members = [
        f"{json.dumps(name)}:{value.text if isinstance(value, Literal) else json.dumps(value)}"
        for name, value in fields.items()
    ]
    return ("{" + ",".join(members) + "}").encode()


def compute_lines(*lines: bytes) -> duckdb.DuckDBPyConnection:
    """The tables for one file of these lines."""
    return compute([(KEY, MODIFIED_AT, b"\n".join(lines))])


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple]:
    """All rows of a query."""
    return connection.execute(query).fetchall()


def rules(*lines: bytes) -> list[list[str]]:
    """What each line failed, in the order of the lines; an empty list for one that passed."""
    query = (
        "SELECT coalesce(_rules, []) FROM records LEFT JOIN quarantine_movies USING (_record_id) ORDER BY _record_id"
    )
    return [row[0] for row in rows(compute_lines(*lines), query)]


def silver(column: str, *values: Any) -> list[Any]:
    """What a column of silver holds for each of these raw values, which must all pass."""
    lines = [line(**{"movie_id": f"mv-{number:03}", column: value}) for number, value in enumerate(values)]
    found = rows(compute_lines(*lines), f"SELECT {column} FROM silver_movies ORDER BY movie_id")
    assert len(found) == len(values)
    return [row[0] for row in found]


def test_one_film_is_one_row_of_silver() -> None:
    content = line() + b"\n"
    file_hash = hashlib.sha256(content).hexdigest()
    record_id = hashlib.sha256(f"{KEY}\n{file_hash}".encode()).hexdigest()[:16] + "-000000000000"
    lake = compute([(KEY, MODIFIED_AT, content)])
    assert rows(lake, "FROM silver_movies") == [
        (
            "mv-1",
            "The Silver Harbour",
            "Drama",
            "Northlight Pictures",
            "PG-13",
            "Teen",
            date(2019, 5, 4),
            2019,
            12000000,
            34500000,
            Decimal("7.40"),
            1234,
            112,
            datetime(2026, 11, 1, 3, 12, 45),
            record_id,
            MODIFIED_AT,
        )
    ]
    assert rows(lake, "FROM quarantine_movies") == []


def test_a_record_id_worked_out_with_other_tools() -> None:
    # printf '{}\n{}' | sha256sum, then the key, a line feed and that hash through sha256sum.
    assert rows(compute([(KEY, MODIFIED_AT, b"{}\n{}")]), "SELECT _record_id FROM records ORDER BY ALL") == [
        ("023da2ed63a33330-000000000000",),
        ("023da2ed63a33330-000000000001",),
    ]


def test_positions_count_blank_lines_and_know_three_line_ends() -> None:
    lake = compute([(KEY, MODIFIED_AT, b"\xef\xbb\xbf{}\r\n\r\n \t\xc2\xa0\n{}\r{}\n\n")])
    assert rows(lake, "SELECT right(_record_id, 13) FROM records ORDER BY ALL") == [
        ("-000000000000",),
        ("-000000000003",),
        ("-000000000004",),
    ]
    assert split_lines(b"\x0b\x0c\x1c\x85\r\r\n\xe2\x80\xa8\n") == [b"\x0b\x0c\x1c\x85", b"", b"\xe2\x80\xa8"]


def test_a_compressed_file_is_known_by_its_stored_bytes() -> None:
    stored = gzip.compress(line(), mtime=0)
    file_hash = hashlib.sha256(stored).hexdigest()
    expected = hashlib.sha256(f"{KEY}.gz\n{file_hash}".encode()).hexdigest()[:16] + "-000000000000"
    lake = compute([(KEY + ".gz", MODIFIED_AT, stored)])
    assert rows(lake, "SELECT movie_id, _record_id FROM silver_movies") == [("mv-1", expected)]


def test_no_files_and_empty_files_make_empty_tables() -> None:
    for files in ([], [(KEY, MODIFIED_AT, b"")]):
        for table in ("silver_movies", "quarantine_movies", "gold_movies_by_genre"):
            assert rows(compute(files), f"FROM {table}") == []


def test_the_same_file_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        compute([(KEY, MODIFIED_AT, b"{}"), (KEY, MODIFIED_AT, b"{}")])


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"not json", "malformed_record"),
        (b"[{}]", "malformed_record"),
        (b'"text"', "malformed_record"),
        (b"null", "malformed_record"),
        (b'{"title":"cut', "malformed_record"),
        (b'{"title":"x",}', "malformed_record"),
        (b'{"budget":01}', "malformed_record"),
        (b'{"budget":+1}', "malformed_record"),
        (b"{'title':'x'}", "malformed_record"),
        (b'{"title":"a tab\there"}', "malformed_record"),
        (b'{"title":"\\ud800"}', "malformed_record"),
        (b"{} x", "malformed_record"),
        (b"{},", "malformed_record"),
        (b"{},,{}", "malformed_record"),
        (b'{}{"title":', "malformed_record"),
        (b"{} []", "malformed_record"),
        (b"\xef\xbb\xbf{}", "malformed_record"),
        (b'{"x":' + b"[" * 1000 + b"]" * 1000 + b"}", "malformed_record"),
        (b"{}{}", "several_records"),
        (b' {"a":1} \t {"b":2} ', "several_records"),
        (b"{} , {},{}", "several_records"),
        (b'{"a":1,"a":2}{}', "several_records"),
        (b'{"title":"a","title":"a"}', "repeated_field"),
        (b'{"title":null,"t\\u0069tle":"a"}', "repeated_field"),
        (b'{"other":1,"other":1}', "repeated_field"),
        (b'{"title":"\xff"}', "invalid_utf8"),
        (b'{"title":"\xed\xa0\x80"}', "invalid_utf8"),
        (b"not json \xc0\x80", "invalid_utf8"),
        (b"x" * (MEBIBYTE + 1), "record_too_large"),
        (b"\xff" * (MEBIBYTE + 1), "record_too_large"),
        (b"{}" + b" " * MEBIBYTE, "record_too_large"),
    ],
)
def test_reading_problems(raw: bytes, problem: str) -> None:
    # A first line takes the place where a byte order mark would be dropped.
    lake = compute_lines(line(), raw)
    [(found, file, ingested_at, record)] = rows(
        lake, "SELECT _rules, _file, _ingested_at, _original FROM quarantine_movies"
    )
    assert (found, file, ingested_at) == ([problem], KEY, MODIFIED_AT)
    if not record.startswith("base64:"):
        assert record.encode() == raw
    assert rows(lake, "SELECT movie_id FROM silver_movies") == [("mv-1",)]


def test_bytes_that_are_not_utf8_are_kept_in_base64() -> None:
    lake = compute_lines(b"a\xff\xfeb")
    assert rows(lake, "SELECT _original FROM quarantine_movies") == [("base64:Yf/+Yg==",)]


def test_a_reject_keeps_its_texts_as_they_came() -> None:
    lake = compute_lines(
        line(
            title=" A  ",
            genre="Opera",
            studio="",
            rating=None,
            budget=Literal("-7.50"),
            vote_count=...,
            tagline=None,
            crew=Literal('{"a": 1}'),
        ),
        line(genre="Opera"),
        b"no json",
    )
    columns = "movie_id, title, genre, studio, rating, release_date, budget, box_office, vote_average, vote_count"
    rest = "runtime_minutes, updated_at, _extra, _problem, _original, _rules"
    assert rows(lake, f"SELECT {columns}, {rest} FROM quarantine_movies ORDER BY _record_id") == [
        (
            *("mv-1", " A  ", "Opera", "", None, "2019-05-04", "-7.50", "34500000", "7.4", None),
            *("112", "2026-11-01T03:12:45Z", {"tagline": None, "crew": '{"a": 1}'}),
            *(None, None, ["genre_invalid", "budget_invalid"]),
        ),
        (
            *("mv-1", "The Silver Harbour", "Opera", "Northlight Pictures", "PG-13", "2019-05-04"),
            *("12000000", "34500000", "7.4", "1234", "112", "2026-11-01T03:12:45Z", None),
            *(None, None, ["genre_invalid"]),
        ),
        (*(None,) * 13, "malformed_record", "no json", ["malformed_record"]),
    ]


def test_lines_at_the_limits_are_read() -> None:
    limit = sys.getrecursionlimit()
    assert (
        rules(
            line(other="x" * (MEBIBYTE - len(line(other="")))),
            line(other=Literal("[" * 999 + "]" * 999)),
            line(other="[" * 2000 + '"\\'),
            line(other={"a": 1}, another=Literal('{"a":1,"a":2}')),
            line(other=Literal("9" * 5000)),
            b" " + line() + b"\t",
        )
        == [[]] * 6
    )
    assert sys.getrecursionlimit() == limit


def test_required_columns() -> None:
    assert (
        rules(
            b"{}",
            b'{"movie_id":null,"title":"","genre":" ","release_date":"\\u00a0","updated_at":"\\t"}',
            b'{"Movie_ID":"mv-1"}',
        )
        == [
            [
                "movie_id_missing",
                "title_missing",
                "genre_missing",
                "release_date_missing",
                "updated_at_missing",
            ]
        ]
        * 3
    )
    lake = compute_lines(b"{}")
    assert rows(lake, "SELECT _original FROM quarantine_movies") == [(None,)]


def test_optional_columns_may_be_missing() -> None:
    optional = ["studio", "rating", "budget", "box_office", "vote_average", "vote_count", "runtime_minutes"]
    for missing in (..., None, "", " \u2003"):
        lake = compute_lines(line(**dict.fromkeys(optional, missing)))
        assert rows(lake, f"SELECT {', '.join(optional)}, rating_category FROM silver_movies") == [
            ("Unknown", "NR", None, None, None, None, None, "Unrated")
        ]


def test_every_failure_is_named_in_order() -> None:
    assert rules(
        line(
            movie_id=" ",
            title=...,
            genre="Western",
            rating="X",
            release_date="2019-02-29",
            budget="1e3",
            box_office="12.5",
            vote_average="7.405",
            vote_count="many",
            runtime_minutes="1h",
            updated_at="yesterday",
        ),
        line(
            release_date="1887-12-31",
            budget=-1,
            box_office=10000000001,
            vote_average=10.01,
            vote_count=-1,
            runtime_minutes=0,
        ),
        line(runtime_minutes="x", budget=-1, genre=None, vote_average=-1),
    ) == [
        [
            "movie_id_missing",
            "title_missing",
            "genre_invalid",
            "rating_invalid",
            "release_date_invalid",
            "budget_invalid",
            "box_office_invalid",
            "vote_average_invalid",
            "vote_count_invalid",
            "runtime_minutes_invalid",
            "updated_at_invalid",
        ],
        [
            "release_date_in_range",
            "budget_in_range",
            "box_office_in_range",
            "vote_average_in_range",
            "vote_count_in_range",
            "runtime_in_range",
        ],
        ["genre_missing", "runtime_minutes_invalid", "budget_in_range", "vote_average_in_range"],
    ]


@pytest.mark.parametrize(
    ("column", "within", "outside", "rule"),
    [
        ("release_date", ["1888-01-01", "2100-12-31"], ["1887-12-31", "2101-01-01"], "release_date_in_range"),
        ("budget", [0, 10000000000], [-1, 10000000001], "budget_in_range"),
        ("box_office", [0, 10000000000], [-1, 10000000001], "box_office_in_range"),
        ("vote_average", [0, 10], [-0.01, 10.01, 99.99, -99.99], "vote_average_in_range"),
        ("vote_count", [0, 1000000000], [-1, 1000000001], "vote_count_in_range"),
        ("runtime_minutes", [1, 1000], [0, 1001, 2147483647, -2147483648], "runtime_in_range"),
    ],
)
def test_ranges(column: str, within: list, outside: list, rule: str) -> None:
    lines = [line(**{column: value}) for value in within + outside]
    assert rules(*lines) == [[]] * len(within) + [[rule]] * len(outside)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("genre", ["Western", "Science  Fictions", "sci_fi", "D rama", "a\u212ation", "an\u0130mation", 1]),
        ("rating", ["X", "PG-14", "--", "PG 13 or so", True]),
        (
            "release_date",
            [
                "2019-02-29",
                "2019-13-01",
                "2019-5-4",
                "04/05/2019",
                "2019-05-04T00:00:00Z",
                "0000-01-01",
                "20190504",
            ],
        ),
        (
            "budget",
            ["1e3", Literal("1e3"), Literal("12.0"), "1,000", "1_000", "$5", "0x10", "9223372036854775808"],
        ),
        ("box_office", [Literal("NaN"), Literal("-Infinity"), True, [1], {"a": 1}, "+", "- 1", "\u0661"]),
        (
            "vote_average",
            [
                "7.405",
                "100",
                "-100",
                Literal("1e3"),
                Literal("NaN"),
                Literal("Infinity"),
                "7,4",
                ".",
                "e1",
                "1_0",
                "7.4.1",
                "1e-3",
                "1e99999999999999999999",
                "1e-99999999999999999999",
                "1e9223372036854775807",
                "99.995",
                "--1",
            ],
        ),
        ("vote_count", ["1.0", "many", "9223372036854775808"]),
        ("runtime_minutes", ["2147483648", "1h", Literal("112.0")]),
        (
            "updated_at",
            [
                "2026-11-01",
                "2026-11-01T03:12Z",
                "2026-11-01 03:12:45Z",
                "2026-11-01T03:12:45",
                "2026-11-01T03:12:45.Z",
                "2026-11-01T03:12:45.1234567Z",
                "2026-11-01T24:00:00Z",
                "2026-11-01T03:60:00Z",
                "2026-11-01T03:12:60Z",
                "2026-11-31T03:12:45Z",
                "2026-11-01T03:12:45+0100",
                "2026-11-01T03:12:45+01",
                "2026-11-01T03:12:45z",
                "2026-11-01T03:12:45+24:00",
                "2026-11-01T03:12:45+01:60",
                "0000-12-31T00:00:00Z",
                1793502765,
                "0001-01-01T00:00:00+00:01",
                "9999-12-31T23:59:59-00:01",
                "2026-11-01T03:12:45 +01:00",
            ],
        ),
    ],
)
def test_invalid_values(column: str, values: list) -> None:
    assert rules(*[line(**{column: value}) for value in values]) == [[f"{column}_invalid"]] * len(values)


def test_strings_are_trimmed_and_take_the_text_of_any_value() -> None:
    values = [
        "  two  words\t",
        "\u00a0\u2028x\u3000\u0085",
        7,
        Literal("7.40"),
        True,
        Literal('{"a": 1.50}'),
        "a\u0000b",
    ]
    expected = ["two  words", "x", "7", "7.40", "true", '{"a": 1.50}', "a\u0000b"]
    assert silver("title", *values) == expected
    assert silver("studio", *values) == expected
    assert silver("title", Literal("NaN"), "na\u00efve \U0001f3ac", "\u200bx") == [
        "NaN",
        "na\u00efve \U0001f3ac",
        "\u200bx",
    ]


@pytest.mark.parametrize(
    ("genre", "spellings"),
    [
        ("Action", ["Action", "acton", "aktion", " ACTION\n"]),
        ("Adventure", ["adventure", "adventrue", "advenure"]),
        ("Animation", ["animation", "animaton", "animated"]),
        ("Comedy", ["comedy", "commedy", "comdy"]),
        ("Crime", ["crime", "crme", "criem"]),
        ("Documentary", ["documentary", "documentry", "docu"]),
        ("Drama", ["drama", "dramma", "darma"]),
        ("Fantasy", ["fantasy", "fantsy", "phantasy"]),
        ("Horror", ["horror", "horor", "horrror"]),
        ("Romance", ["romance", "romanse", "romace"]),
        ("Science Fiction", ["Science\t \u00a0Fiction", "sci-fi", "SciFi", "sci  fi", "science-fiction"]),
        ("Thriller", ["thriller", "thriler", "triller"]),
    ],
)
def test_genres(genre: str, spellings: list[str]) -> None:
    assert silver("genre", *spellings) == [genre] * len(spellings)


def test_ratings_and_their_categories() -> None:
    spellings = ["g", "P.G.", "pg 13", "(PG-13)", "R", "nc17", "NR", "Not Rated", "unrated", "n/r"]
    assert silver("rating", *spellings) == ["G", "PG", "PG-13", "PG-13", "R", "NC-17", "NR", "NR", "NR", "NR"]
    lines = [line(movie_id=str(number), rating=rating) for number, rating in enumerate(["G", "PG", "R", "NC-17", "NR"])]
    assert rows(compute_lines(*lines), "SELECT rating_category FROM silver_movies ORDER BY movie_id") == [
        ("General",),
        ("Family",),
        ("Mature",),
        ("Adult",),
        ("Unrated",),
    ]


def test_numbers() -> None:
    assert silver("budget", " +5 ", "-0", "0" * 60 + "7", 12, "2\u00a0") == [5, 0, 7, 12, 2]
    texts = [
        "7.40",
        Literal("7.400"),
        "+7.4",
        "7.",
        ".5",
        "-0",
        "0.07",
        Literal("740e-2"),
        "0.074E+2",
        "0e99999999999999999999",
    ]
    assert silver("vote_average", *texts) == [
        Decimal(text) for text in ["7.40", "7.40", "7.40", "7.00", "0.50", "0.00", "0.07", "7.40", "7.40", "0.00"]
    ]
    assert silver("vote_average", "000010.00", "0.1e2", Literal("1e1"), "1000e-2", "5e-2") == [
        10,
        10,
        10,
        10,
        Decimal("0.05"),
    ]


def test_times_are_kept_in_utc() -> None:
    assert silver(
        "updated_at",
        "2026-11-01T03:12:45.5Z",
        "2026-11-01T03:12:45.000001+05:30",
        "2026-12-31T23:00:00-02:15",
        "2026-11-01T00:00:00-00:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
    ) == [
        datetime(2026, 11, 1, 3, 12, 45, 500000),
        datetime(2026, 10, 31, 21, 42, 45, 1),
        datetime(2027, 1, 1, 1, 15),
        datetime(2026, 11, 1),
        datetime(1, 1, 1),
        datetime(9999, 12, 31, 23, 59, 59, 999999),
    ]


def test_the_newest_version_wins() -> None:
    first_file = [
        line(movie_id=" mv-1 ", title="newer by a microsecond", updated_at="2026-11-01T04:00:00.000001+01:00"),
        line(movie_id="mv-2", title="file modified earlier"),
        line(movie_id="mv-3", title="first line"),
        line(movie_id="mv-3", title="second line"),
        line(movie_id="MV-3", title="another film"),
    ]
    second_file = [
        line(movie_id="mv-1", title="older", updated_at="2026-11-01T03:00:00Z"),
        line(movie_id="mv-2", title="file modified later"),
        line(movie_id="mv-3", title="newer, but in quarantine", budget="x", updated_at="2027-01-01T00:00:00Z"),
    ]
    later = datetime(2026, 11, 2)
    files = [
        ("raw/movies/2026/11/01/a.jsonl", MODIFIED_AT, b"\n".join(first_file)),
        ("raw/movies/2026/11/02/b.jsonl", later, b"\n".join(second_file)),
    ]
    lake = compute(files)
    assert rows(lake, "SELECT movie_id, title, _ingested_at FROM silver_movies ORDER BY movie_id") == [
        ("MV-3", "another film", MODIFIED_AT),
        ("mv-1", "newer by a microsecond", MODIFIED_AT),
        ("mv-2", "file modified later", later),
        ("mv-3", "second line", MODIFIED_AT),
    ]
    assert rows(lake, "SELECT _file, _ingested_at, _rules FROM quarantine_movies") == [
        ("raw/movies/2026/11/02/b.jsonl", later, ["budget_invalid"])
    ]


def film(movie_id: str, genre: str, budget: Any, box_office: Any, average: Any, count: Any, year: int = 2000) -> bytes:
    """A film for gold, of the genre's own studio."""
    return line(
        movie_id=movie_id,
        title=f"Film {movie_id}",
        genre=genre,
        studio=f"{genre} Studio",
        budget=budget,
        box_office=box_office,
        vote_average=average,
        vote_count=count,
        release_date=f"{year}-01-01",
    )


GOLD_FILMS = [
    # Ties in the last place: 1 / 8 = 0.125, and (5.00 + 5.01) / 2 = 5.005.
    film("a1", "Action", 1, 0, "5.00", 1),
    *[film(f"a{number}", "Action", 0, 0, "5.01", 0) for number in range(2, 8)],
    film("a8", "Action", 0, 0, "5.01", 1),
    # One film has no budget, one no box office: they count in the totals and not in profit.
    film("c1", "Comedy", 1000, 1500, None, 50, 1999),
    film("c2", "Comedy", None, 700, "8.00", None, 1999),
    film("c3", "Comedy", 600, None, "8.00", 0, 1999),
    # A loss of 1 on budgets of 20000 is -0.00005, which rounds away from zero.
    film("d2", "Drama", 20000, 19999, "9.50", 3),
    *[film(f"d{number}", "Drama", None, None, "9.50", 3) for number in range(9, 2, -1)],
    film("d1", "Drama", None, None, "9.50", 3),
    film("d0", "Drama", None, None, "9.50", 2),
    # A gain of 1 on 20000 is 0.00005.
    film("f1", "Fantasy", 20000, 20001, "9.99", None),
    # Nothing is known.
    film("h1", "Horror", None, None, None, None),
    # Budgets of zero: a profit without a return. The vote is 3.335 and 0.0000000000025.
    film("r1", "Romance", 0, 10000000000, "3.33", 1000000000),
    film("r2", "Romance", 0, 10000000000, "3.34", 1000000000),
    film("r3", "Romance", 0, 9999999999, "3.34", 1),
]


def test_gold_by_genre() -> None:
    def money(text: str | None) -> Decimal | None:
        return None if text is None else Decimal(text)

    expected = [
        ("Action", 8, 1, 0, "0.13", "0.00", -1, "-1.0000", "5.01", "a8", "Film a8"),
        ("Comedy", 3, 1600, 2200, "800.00", "1100.00", 500, "0.5000", None, "c3", "Film c3"),
        ("Drama", 10, 20000, 19999, "20000.00", "19999.00", -1, "-0.0001", "9.50", "d1", "Film d1"),
        ("Fantasy", 1, 20000, 20001, "20000.00", "20001.00", 1, "0.0001", None, "f1", "Film f1"),
        ("Horror", 1, None, None, None, None, None, None, None, None, None),
        ("Romance", 3, 0, 29999999999, "0.00", "9999999999.67", 29999999999, None, "3.34", "r2", "Film r2"),
    ]
    assert rows(compute_lines(*GOLD_FILMS), "FROM gold_movies_by_genre ORDER BY genre") == [
        (*row[:4], money(row[4]), money(row[5]), row[6], money(row[7]), money(row[8]), *row[9:]) for row in expected
    ]


def test_gold_by_studio_and_by_year_group_the_same_films() -> None:
    lake = compute_lines(*GOLD_FILMS, film("u1", "Crime", 5, 5, 1, 1).replace(b'"Crime Studio"', b"null"))
    by_genre = rows(lake, "FROM gold_movies_by_genre ORDER BY genre")
    studios = [(f"{row[0]} Studio" if row[0] != "Crime" else "Unknown", *row[1:]) for row in by_genre]
    assert rows(lake, "FROM gold_movies_by_studio ORDER BY studio") == sorted(studios)
    assert rows(lake, "FROM gold_movies_by_release_year ORDER BY release_year") == [
        (1999, *by_genre[1][1:]),
        (
            2000,
            24,
            40006,
            30000040004,
            # 40006 / 14 and 30000040004 / 14; a profit of 29999999998 on 40006.
            Decimal("2857.57"),
            Decimal("2142860000.29"),
            29999999998,
            Decimal("749887.5168"),
            Decimal("3.34"),
            "f1",
            "Film f1",
        ),
    ]


def test_the_columns_and_types_of_gold() -> None:
    lake = compute([])
    assert rows(lake, "SELECT column_name, column_type FROM (DESCRIBE gold_movies_by_genre)") == [
        ("genre", "VARCHAR"),
        ("movies", "BIGINT"),
        ("total_budget", "BIGINT"),
        ("total_box_office", "BIGINT"),
        ("average_budget", "DECIMAL(20,2)"),
        ("average_box_office", "DECIMAL(20,2)"),
        ("profit", "BIGINT"),
        ("return_on_investment", "DECIMAL(20,4)"),
        ("average_vote", "DECIMAL(4,2)"),
        ("best_movie_id", "VARCHAR"),
        ("best_movie", "VARCHAR"),
    ]


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [
        (1, 2, 1),
        (-1, 2, -1),
        (3, 2, 2),
        (-3, 2, -2),
        (1, 3, 0),
        (2, 3, 1),
        (-1, 3, 0),
        (-2, 3, -1),
        (0, 5, 0),
        (1, 0, None),
        (10**30 + 1, 2, 5 * 10**29 + 1),
        (-(10**30) - 1, 2, -5 * 10**29 - 1),
        (10**30 - 1, 2, 5 * 10**29),
    ],
)
def test_rounding_is_half_away_from_zero(numerator: int, denominator: int, expected: int | None) -> None:
    query = f"SELECT rounded_quotient({numerator}::HUGEINT, {denominator}::HUGEINT)"
    assert rows(compute([]), query) == [(expected,)]


def test_read_lake(tmp_path: Path) -> None:
    path = tmp_path / KEY
    path.parent.mkdir(parents=True)
    path.write_bytes(line())
    (tmp_path / "raw" / "other").mkdir()
    (tmp_path / "raw" / "other" / "file").write_bytes(b"{}")
    # 2026-11-01T04:00:00.123456789Z
    os.utime(path, ns=(0, 1793505600_123456789))
    assert read_lake(tmp_path) == [(KEY, MODIFIED_AT, line())]
