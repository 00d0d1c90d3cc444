"""How a line of JSON reads, whatever it is: its problem or its exact values, by hand and as Python's parser judges it.

All lines are one file, read in one run; beside it lie files with names that Spark could mistake for patterns or paths.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.conftest import Lake
from tests.oracles.movies import read_json_line

Fields = dict[str, str | None]
Row = dict[str, object]

DAY = "movies/2026/11/01"
LINES = f"raw/{DAY}/lines.jsonl"

GOOD: dict[str, Fields] = {
    '{"movie_id":"a","title":"b"}': {"movie_id": "a", "title": "b"},
    ' \t{ "movie_id" : "a" } ': {"movie_id": "a"},
    "{}": {},
    '{"movie_id":null,"colour":null}': {"movie_id": None, "colour": None},
    '{"movie_id":"","title":" "}': {"movie_id": "", "title": " "},
    '{"Movie_ID":"a","movie_id ":"b","":"c"}': {"Movie_ID": "a", "movie_id ": "b", "": "c"},
    '{"title":"a}{b],[","genre":"},{"}': {"title": "a}{b],[", "genre": "},{"},
    '{"title":"\\u0041\\n\\"\\\\\\/\\u0000"}': {"title": 'A\n"\\/\0'},
    '{"title":"\\ud83d\\ude00","genre":"\\\\ud800"}': {"title": "😀", "genre": "\\ud800"},
    '{"title":"é\u2028\x85\x7f"}': {"title": "é\u2028\x85\x7f"},
    '{"movie\\u005fid":"a"}': {"movie_id": "a"},
    '{"budget":12,"box_office":-0,"vote_count":true}': {"budget": "12", "box_office": "0", "vote_count": "true"},
    '{"budget":99999999999999999999}': {"budget": "99999999999999999999"},
    f'{{"budget":{"9" * 38}}}': {"budget": "9" * 38},
    '{"vote_average":7.40,"budget":7.405}': {"vote_average": "7.4", "budget": "7.405"},
    '{"title":["a", 1],"crew":{"b": null}}': {"title": '["a",1]', "crew": '{"b":null}'},
    '{"crew":{"a":1,"a":2}}': {"crew": '{"a":1,"a":2}'},
    f'{{"crew":{"[" * 900}{"]" * 900}}}': {"crew": "[" * 900 + "]" * 900},
    f'{{"title":"{"x" * 1_000_000}"}}': {"title": "x" * 1_000_000},
}
NOT_FINITE = ('{"budget":NaN}', '{"budget":Infinity}', '{"vote_average":-Infinity,"title":"a"}')
BAD = {
    "malformed_record": (
        *("null", "true", "7", '"text"', "[1]", "[{}]", "[]", "NaN", "no json", "{", "}", "\0", "\x1c"),
        *("{'a':1}", "{a:1}", '{"a":1,}', '{"a":}', '{"a"}', "{,}", '{"a":1 "b":2}', '{"a":1;}'),
        *('{"a":01}', '{"a":.5}', '{"a":5.}', '{"a":+5}', '{"a":True}', '{"a":nan}', '{"a":undefined}'),
        *('{"a":"\\x"}', '{"a":"x\ty"}', '{"a":"x\0y"}', '\0{"a":1}', '{"a":1}\0', '\ufeff{"a":1}'),
        *('{"a":"x}', '{"a":1', '{"a":[1}', '{"a":{"b":1}', '{"a":1}//x', '/**/{"a":1}', '{"a":1}#'),
        *('{"a":1}x', '{"a":1},', '{"a":1}]', '{"a":1}}', '{"a":1}]} x', '{"a":1}],"b":[1', ',{"a":1}'),
        *('{"a":1} {"b":', '{"a":1} [1]', '{"a":1},7', '{"a":1},null', '{"a":1}],[{"b":2}', '{"a":1} null'),
        *('{"a":"\\ud800"}', '{"a":"\\uDE00x"}', '{"\\ud83d":1}', '{"a":"\\ud83d\\ud83d\\ude00"}'),
        *('{"a":"\\\\\\ud800"}', '{"a":"\\ude00\\ud83d"}', "{" * 2000, "[" * 2000 + "]" * 2000),
        f'{{"a":{"[" * 2000}{"]" * 2000}}}',
    ),
    "several_records": (*('{"a":1}{"b":2}', '{"a":1} {"b":2}', '{"a":1},{"b":2}', '{"a":1}\t{"a":1}\t{}', "{}{}"),),
    "repeated_field": (
        *('{"a":1,"a":2}', '{"a":1,"b":2,"a":1}', '{"a":null,"a":null}', '{"a":1,"\\u0061":2}', '{"a":NaN,"a":1}'),
    ),
    "record_too_large": (
        f'{{"title":"{"x" * (1 << 20)}"}}',
        "x" * ((1 << 20) + 1),
        f'{{"title":"{"é" * (1 << 19)}"}}',
    ),
}
BYTES = {
    "invalid_utf8": (b'{"title":"\xff"}', b'{"title":"\xed\xa0\x80"}', b"\xc3", b"\xff{}", b"{}{}\xff"),
    "record_too_large": (b'{"title":"' + b"\xff" * (1 << 20) + b'"}',),
}
BLANK = ["", " ", "\t\x0b\x0c", "\x85", "\xa0\u3000", "\u2028\u1680"]
"""No records."""
NAMES = [
    "a [b] {c} *d ?e %20+é",
    "a\\b",
    "a\nb",
    "a\tb",
    "#a&b=c,d;e",
    "$a^(b)|~",
    "😀",
    "%zz",
    "a.b.",
    " a ",
    "-",
    "a'b\"c",
]
FOLDERS = ["day=1", "day=2/hour=3", "_a", ".b", "c d", "12:30"]
OTHERS = [*(f"{DAY}/{name}.json" for name in NAMES), *(f"{DAY}/{folder}/a.json" for folder in FOLDERS)]
COLON = f"{DAY}/12:30.json"


def all_lines() -> list[bytes]:
    """The file's lines, blank ones among them."""
    texts = [*GOOD, *NOT_FINITE, *(line for lines in BAD.values() for line in lines), *BLANK]
    return [*(text.encode() for text in texts), *(line for lines in BYTES.values() for line in lines)]


def cases(bad: dict[str, tuple[Any, ...]]) -> list[tuple[Any, str]]:
    """Each line with its problem."""
    return [(line, problem) for problem, lines in bad.items() for line in lines]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Lake:
    """A lake after one run of bronze."""
    lake = Lake(tmp_path_factory.mktemp("lines") / "lake", spark)
    lake.land(f"{DAY}/lines.jsonl", b"\n".join(all_lines()))
    for key in (*OTHERS, COLON):
        lake.land(key, b'{"movie_id":"%d"}\n' % len(key))
    lake.run("bronze")
    return lake


@pytest.fixture(scope="module")
def rows(lake: Lake) -> dict[bytes, Row]:
    """The row of each line that isn't blank."""
    table = lake.spark.read.format("delta").load(str(lake.root / "bronze/movies"))
    found = {row["_record_id"]: row.asDict() for row in table.where(table["_file"] == LINES).collect()}
    assert len({record[:16] for record in found}) == 1
    lines = all_lines()
    return {lines[int(record[17:])]: row for record, row in found.items()}


def fields(row: Row) -> Fields:
    """All fields that a row holds a value for, declared or not, and undeclared ones without."""
    declared = {name: str(value) for name, value in row.items() if name[0] != "_" and value is not None}
    extra = row["_extra"] or {}
    assert isinstance(extra, dict)
    return {**declared, **extra}


def test_blank_lines_are_no_records(lake: Lake, rows: dict[bytes, Row]) -> None:
    expected = [line for line in all_lines() if line.decode(errors="replace") not in BLANK]
    assert sorted(rows) == sorted(expected)
    ledger = {key: rest for key, *rest in lake.rows("ledger/movies", "key", "outcome", "records")}
    assert ledger[LINES] == ["read", len(expected)] == ["read", len(all_lines()) - len(BLANK)]


@pytest.mark.parametrize("line", GOOD, ids=lambda line: line[:40])
def test_good_lines(line: str, rows: dict[bytes, Row]) -> None:
    row = rows[line.encode()]
    declared = {name: value for name, value in GOOD[line].items() if value is not None or name not in row}
    assert (row["_problem"], row["_original"], fields(row)) == (None, None, declared)


@pytest.mark.parametrize("line", NOT_FINITE)
def test_numbers_that_are_none_are_values(line: str, rows: dict[bytes, Row]) -> None:
    row = rows[line.encode()]
    assert row["_problem"] is None
    assert [name for name in ("budget", "vote_average") if row[name] is not None] == [line.split('"')[1]]


@pytest.mark.parametrize(("line", "problem"), cases(BAD), ids=lambda text: text[:40])
def test_bad_lines_keep_their_text(line: str, problem: str, rows: dict[bytes, Row]) -> None:
    row = rows[line.encode()]
    assert (row["_problem"], row["_original"], fields(row)) == (problem, line, {})


@pytest.mark.parametrize(("line", "problem"), cases(BYTES), ids=lambda text: str(text[:40]))
def test_bytes_that_are_no_text_are_kept(line: bytes, problem: str, rows: dict[bytes, Row]) -> None:
    row = rows[line]
    expected = f"base64:{base64.b64encode(line).decode()}"
    assert (row["_problem"], row["_original"], fields(row)) == (problem, expected, {})


def test_python_judges_the_lines_alike(rows: dict[bytes, Row]) -> None:
    """Each line that is text and not too large: its problem and the names of its fields, by Python's JSON parser."""
    differing = {}
    for line, row in rows.items():
        if row["_problem"] not in ("record_too_large", "invalid_utf8"):
            problem, members = read_json_line(line.decode())
            given = {name for name, value in members if value is not None or name not in row}
            if (problem, given) != (row["_problem"], set(fields(row))):
                differing[line] = (problem, members, row)
    assert differing == {}


def test_names_are_no_patterns(lake: Lake) -> None:
    expected = sorted((f"raw/{key}", str(len(key))) for key in OTHERS)
    assert [row for row in lake.rows("bronze/movies", "_file", "movie_id") if row[0] != LINES] == sorted(
        expected, key=repr
    )
    ledger = {key: rest for key, *rest in lake.rows("ledger/movies", "key", "outcome", "records", "reason")}
    assert {key: ledger[f"raw/{key}"] for key in OTHERS} == {key: ["read", 1, None] for key in OTHERS}
    reason = "colon_in_name: Hadoop can't read every file whose name has a colon; rename it"
    assert ledger[f"raw/{COLON}"] == ["unreadable", 0, reason]
    assert set(ledger) == {LINES, f"raw/{COLON}", *(f"raw/{key}" for key in OTHERS)}
