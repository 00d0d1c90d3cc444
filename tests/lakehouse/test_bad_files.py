"""Bad files beside good ones: each ends in the ledger or in quarantine with its reason, and the rest loads.

What is expected is written by hand. All JSON files arrive in one run, and so do all CSV files.
"""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pyspark.sql import SparkSession

from lakehouse import job, reader
from query import connect
from tests.conftest import Lake
from tests.lakehouse.films import film, jsonl

DATASET = Path(__file__).resolve().parents[1] / "pipelines" / "parcels"


@dataclass(frozen=True)
class Case:
    """A file and what becomes of it.

    `reason`: how the ledger's reason begins. `rejects`: the names of failed checks, for each rejected record in its
    order. `loads`: keys of the rows that reach silver.
    """

    name: str
    content: bytes
    outcome: str = "read"
    reason: str | None = None
    rejects: tuple[tuple[str, ...], ...] = ()
    loads: tuple[str, ...] = ()


def good(number: int) -> str:
    """A film's line that passes all checks."""
    return json.dumps(film(number))


def changed(number: int, old: str, new: str) -> str:
    """A film's line with a piece of its text replaced."""
    assert old in good(number)
    return good(number).replace(old, new)


def lines(*texts: str, end: str = "\n") -> bytes:
    """Lines as a file's bytes."""
    return "".join(text + end for text in texts).encode()


def ids(*numbers: int) -> tuple[str, ...]:
    """Keys of films."""
    return tuple(f"mv-{number:04d}" for number in numbers)


FIVE = [good(number) for number in range(20, 25)]
LONG = changed(18, "Film 18", "x" * (5 << 20))
NOTHING = ("movie_id_missing", "title_missing", "genre_missing", "release_date_missing", "updated_at_missing")
JSON = (
    Case("good.jsonl", lines(good(1), good(2)), loads=ids(1, 2)),
    Case("good.jsonl.gz", gzip.compress(lines(good(3))), loads=ids(3)),
    Case("truncated.jsonl.gz", gzip.compress(jsonl(*map(film, range(900, 990))))[:-20], "unreadable", "broken_gzip: "),
    Case("text-named.jsonl.gz", lines(good(901)), "unreadable", "not_gzip: "),
    Case("gzip-named.json", gzip.compress(lines(good(902))), "unreadable", "gzip_without_gz: "),
    Case("utf16.json", lines(good(903)).decode().encode("utf-16"), "unreadable", "not_utf8: "),
    Case("no-byte.json", b"", "empty", "no byte"),
    Case("blank.json", b"\n  \r\n\t\n", "empty", "no record"),
    Case("array.json", json.dumps([film(904), film(905)], indent=1).encode(), "unreadable", "json_array: "),
    Case("_hidden.json", lines(good(906)), "unreadable", "hidden_name: "),
    Case("table.parquet", b"PAR1", "unreadable", "unexpected_name: "),
    Case("two.json", lines(good(10) + good(11), good(12)), rejects=(("several_records",),), loads=ids(12)),
    Case("two-with-comma.json", lines(f"{good(10)}, {good(11)}"), rejects=(("several_records",),)),
    Case("five-without-ends.json", "".join(FIVE).encode(), rejects=(("several_records",),)),
    Case("utf8.json", lines(good(13)) + b'{"movie_id":"\xff"}\n', rejects=(("invalid_utf8",),), loads=ids(13)),
    Case("keys.json", lines('{"title":"A",' + good(14)[1:]), rejects=(("repeated_field",),)),
    Case("nan.json", lines(changed(15, "1000015", "NaN")), rejects=(("budget_invalid",),)),
    Case("large.json", lines(changed(16, "1000016", "9" * 30)), rejects=(("budget_invalid",),)),
    Case("date.json", lines(changed(17, "2002-05-04", "2023-02-30")), rejects=(("release_date_invalid",),)),
    Case("cell.json", lines(LONG, good(19)), rejects=(("record_too_large",),), loads=ids(19)),
    Case("deep.json", lines('{"a":' + "[" * 2000 + "]" * 2000 + "}"), rejects=(("malformed_record",),)),
    Case("not-objects.json", lines("null", "[1]", "7", "no json"), rejects=(("malformed_record",),) * 4),
    Case("quotes.json", lines(good(30).replace('"', "'")), rejects=(("malformed_record",),)),
    Case("garbage.json", lines(good(31) + " and more", good(32)[:-9]), rejects=(("malformed_record",),) * 2),
    Case("no-field.json", lines("{}"), rejects=(NOTHING,)),
    Case("undeclared.json", lines('{"colour":"red",' + good(33)[1:]), loads=ids(33)),
    Case("bom.json", b"\xef\xbb\xbf" + lines(good(34), good(35)), loads=ids(34, 35)),
    Case("crlf.json", lines(good(36), "", good(37), end="\r\n"), loads=ids(36, 37)),
    Case("cr.json", lines(good(38), good(39), end="\r"), loads=ids(38, 39)),
    Case("no-end.json", good(40).encode(), loads=ids(40)),
    Case("a [b] {c} *d ?e %20+é.json", lines(good(41)), loads=ids(41)),
)  # fmt: skip
CSV = (
    Case("good.csv", b"depot_id,town\na1,Hull\n", loads=("a1",)),
    Case("good.csv.gz", gzip.compress(b"depot_id,town\na2,Hull\n"), loads=("a2",)),
    Case("gzip-named.csv", gzip.compress(b"depot_id,town\nz,Hull\n"), "unreadable", "gzip_without_gz: "),
    Case("truncated.csv.gz", gzip.compress(b"depot_id,town\n" + b"z,Hull\n" * 99)[:-12], "unreadable", "broken_gzip: "),
    Case("header-only.csv", b"depot_id,town\n", "empty", "header only"),
    Case("reordered.csv", b"town,depot_id\nGhent,b1\n", loads=("b1",)),
    Case("renamed.csv", b"depot_id,city\nz,Hull\n", "unreadable", "missing_columns: town"),
    Case("missing.csv", b"depot_id\nz\n", "unreadable", "missing_columns: town"),
    Case("extra.csv", b"depot_id,town,colour\nb2,Ghent,red\n", loads=("b2",)),
    Case("repeated.csv", b"depot_id,town,town\nz,Hull,York\n", "unreadable", "repeated_columns: town"),
    Case("quotes.csv", b'depot_id,town\nb3,"say ""hi""\nand, bye"\n', loads=("b3",)),
    Case("open-quote.csv", b'depot_id,town\nz,"Hull\ny,York\n', "unreadable", "broken_csv: "),
    Case("count.csv", b"depot_id,town\nb4\nb5,Hull,more\nb6,York\n", rejects=(("column_count",),) * 2, loads=("b6",)),
    Case("utf8.csv", b"depot_id,town\nb7,H\xffll\nb8,\xc3\xa9\n", rejects=(("invalid_utf8",),), loads=("b8",)),
    Case("cell.csv", b"depot_id,town\nb9," + b"x" * (5 << 20) + b"\n", rejects=(("record_too_large",),)),
    Case("empty-cells.csv", b'depot_id,town\nc1,\nc2,""\n', rejects=(("town_missing",),) * 2),
    Case("bom-crlf.csv", b"\xef\xbb\xbfdepot_id,town\r\nc3,Hull\r\n", loads=("c3",)),
    Case("utf16.csv", "depot_id,town\nz,Hull\n".encode("utf-16"), "unreadable", "not_utf8: "),
)


def records(case: Case) -> int:
    """How many records a readable file has, by Python's parsers."""
    content = gzip.decompress(case.content) if case.name.endswith(".gz") else case.content
    if ".csv" in case.name:
        csv.field_size_limit(1 << 30)
        text = content.decode("utf-8-sig", errors="replace")
        return sum(1 for row in csv.reader(io.StringIO(text, newline="")) if row) - 1
    return sum(1 for line in re.split(rb"\r\n|\r|\n", content) if line.strip(b" \t"))


@pytest.fixture(scope="module")
def json_lake(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Lake:
    """A lake after one run on all JSON files."""
    lake = Lake(tmp_path_factory.mktemp("json") / "lake", spark)
    for case in JSON:
        lake.land(f"movies/2026/09/01/{case.name}", case.content)
    lake.run("bronze", "silver")
    return lake


@pytest.fixture(scope="module")
def csv_lake(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Lake:
    """A lake after one run on all CSV files, as depots of the sample dataset."""
    lake = Lake(tmp_path_factory.mktemp("csv") / "lake", spark)
    for case in CSV:
        lake.land(f"parcels/depots/{case.name}", case.content)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(job, "find_declaration", lambda name: reader.read(DATASET / f"{name}.yaml"))
        lake.run("bronze", "silver", script=load_script(), pipeline="parcels")
    return lake


def load_script() -> ModuleType:
    """The sample dataset's functions."""
    spec = importlib.util.spec_from_file_location("parcels", DATASET / "parcels.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(case: Case, lake: Lake, raw: str, ledger: str, table: str, key: str) -> None:
    """Compares ledger, bronze, quarantine and silver with what the case expects."""
    answer, name = connect(lake.root), f"raw/{raw}/{case.name}"

    def ask(sql: str) -> list[tuple[Any, ...]]:
        return answer.execute(sql, [name]).fetchall()

    ((outcome, reason, counted),) = ask(f"SELECT outcome, reason, records FROM oakvale_bronze.{ledger} WHERE key = ?")
    assert outcome == case.outcome
    assert (reason or "").startswith(case.reason or "")
    assert (reason is None) == (case.reason is None)
    ((rows,),) = ask(f"SELECT count(*) FROM oakvale_bronze.{table} WHERE _file = ?")
    assert rows == counted == (records(case) if case.outcome == "read" else 0)
    rejects = f"SELECT _rules FROM oakvale_silver.{table}_quarantine WHERE _file = ? ORDER BY _record_id"
    assert tuple(tuple(rules) for (rules,) in ask(rejects)) == case.rejects
    loaded = f"SELECT {key} FROM oakvale_silver.{table} JOIN oakvale_bronze.{table} USING (_record_id) WHERE _file = ?"
    found = ask(loaded.replace(f"SELECT {key}", f"SELECT oakvale_silver.{table}.{key}"))
    assert sorted(each for (each,) in found) == sorted(case.loads)


@pytest.mark.parametrize("case", JSON, ids=lambda case: case.name)
def test_json(case: Case, json_lake: Lake) -> None:
    check(case, json_lake, "movies/2026/09/01", "movies_files", "movies", "movie_id")


@pytest.mark.parametrize("case", CSV, ids=lambda case: case.name)
def test_csv(case: Case, csv_lake: Lake) -> None:
    check(case, csv_lake, "parcels/depots", "parcels_files", "depots", "depot_id")


def test_values_come_through_unchanged(csv_lake: Lake, json_lake: Lake) -> None:
    answer = connect(csv_lake.root)
    town = "SELECT town FROM oakvale_bronze.depots WHERE depot_id = ?"
    assert answer.execute(town, ["b3"]).fetchall() == [('say "hi"\nand, bye',)]
    assert answer.execute(town, ["c1"]).fetchall() == [(None,)]
    assert answer.execute(town, ["c2"]).fetchall() == [("",)]
    assert answer.execute("SELECT _extra['colour'] FROM oakvale_bronze.depots WHERE depot_id = 'b2'").fetchall() == [
        ("red",)
    ]
    original = "SELECT _original FROM oakvale_silver.movies_quarantine WHERE _file LIKE ?"
    films = connect(json_lake.root)
    assert films.execute(original, ["%five-without-ends.json"]).fetchall() == [("".join(FIVE),)]
    assert films.execute(original, ["%utf8.json"]).fetchall() == [("base64:eyJtb3ZpZV9pZCI6Iv8ifQ==",)]
