"""movies against the oracle: silver, quarantine and gold after many days, row for row, from raw files alone."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyspark.sql import SparkSession

from film_dirt import KINDS
from film_file import generate_counted, key
from film_settings import Settings
from query import connect
from tests.conftest import Lake
from tests.oracles import movies as oracle

FIRST = date(2026, 11, 1)
NUMBER = re.compile(r'-?\d+\.0+|"NaN"')
GOLD = ("movies_by_genre", "movies_by_studio", "movies_by_release_year")


def settings(movies: int = 1000) -> Settings:
    """A catalogue in which all kinds of dirt occur."""
    return Settings(seed=11, movies=movies, corrections=0.2, dirt=dict.fromkeys(KINDS, 0.02))


def land_days(lake: Lake, first: int, count: int, how: Settings) -> Counter[str]:
    """Lands the files of some days of the catalogue, each with a time of its own; returns the dirt planted."""
    planted: Counter[str] = Counter()
    for number in range(first, first + count):
        body, summary = generate_counted(FIRST + timedelta(days=number), how)
        lake.land(key(FIRST + timedelta(days=number)).removeprefix("raw/"), body, at=1_790_000_000 + number)
        planted.update(summary.planted)
    return planted


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> tuple[Lake, Counter[str]]:
    """A lake after six days of films in three runs."""
    lake, planted = Lake(tmp_path_factory.mktemp("days"), spark), Counter[str]()
    for first in (0, 2, 4):
        planted += land_days(lake, first, 2, settings())
        lake.run()
    return lake, planted


def differences(lake: Path) -> dict[str, tuple[int, int, int]]:
    """For each table: rows of the oracle, rows that only it has, rows that only the lake has."""
    expected = oracle.compute(oracle.read_lake(lake))
    expected.execute("ATTACH ':memory:' AS lake")
    actual = connect(lake)
    compared = {
        "silver_movies": "oakvale_silver.movies",
        "quarantine_movies": "oakvale_silver.movies_quarantine",
    }
    compared |= {f"gold_{name}": f"oakvale_gold.{name}" for name in GOLD}
    return {name: _compare(expected, name, actual, table) for name, table in compared.items()}


def _compare(
    expected: duckdb.DuckDBPyConnection, name: str, actual: duckdb.DuckDBPyConnection, table: str
) -> tuple[int, int, int]:
    columns = [row[0] for row in expected.execute(f"DESCRIBE {name}").fetchall()]
    quoted = ", ".join(f'"{column}"' for column in columns)
    as_compared = _by_value if name == "quarantine_movies" else tuple
    left, right = (
        Counter(repr(as_compared(_in_utc(row))) for row in side.execute(f"SELECT {quoted} FROM {place}").fetchall())
        for side, place in ((expected, name), (actual, table))
    )
    for side, only in (("oracle", left - right), ("lake", right - left)):
        print(name, side, *list(only)[:5], sep="\n  ")
    return left.total(), (left - right).total(), (right - left).total()


def _in_utc(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Times as the oracle has them: in UTC, without naming it."""
    return tuple(
        value.astimezone(UTC).replace(tzinfo=None) if getattr(value, "tzinfo", None) else value for value in row
    )


def _by_value(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Texts of numbers without their spelling, which bronze doesn't keep: 7.0 is 7, and the bare word NaN is quoted."""
    return tuple(
        re.sub(r"\.0+$", "", value.strip('"')) if isinstance(value, str) and NUMBER.fullmatch(value) else value
        for value in row
    )


def test_every_kind_of_dirt_occurs(days: tuple[Lake, Counter[str]]) -> None:
    assert {kind: count for kind in (*KINDS, "correction") if (count := days[1][kind]) < 20} == {}


def test_equals_the_oracle(days: tuple[Lake, Counter[str]]) -> None:
    found = differences(days[0].root)
    assert {name: difference[1:] for name, difference in found.items()} == dict.fromkeys(found, (0, 0))
    assert sum(difference[0] for difference in found.values()) >= 5000
