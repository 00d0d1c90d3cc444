"""Each other side of the benchmark against the oracle, and its comparison of lakes against a changed lake."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import SparkSession

import duckdb_movies
import same_tables
import tutorial_movies
from bare_movies import SILVER_COLUMNS, load
from film_command import write_once
from film_dirt import KINDS
from film_input import DIRT
from film_settings import Settings
from query import connect
from tests.oracles import movies as oracle

FIRST = date(2026, 11, 1)


def by_hand(spark: SparkSession, raw: Path, lake: Path) -> None:
    """The bare job."""
    load(spark, str(raw), str(lake))


def tutorial(spark: SparkSession, raw: Path, lake: Path) -> None:
    """The three scripts of the tutorials, here in one process."""
    tutorial_movies.bronze(spark, str(raw), str(lake))
    tutorial_movies.silver(spark, str(lake))
    tutorial_movies.gold(spark, str(lake))


def duckdb_alone(_: SparkSession, raw: Path, lake: Path) -> None:
    """DuckDB and delta-rs."""
    duckdb_movies.load(raw, lake)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four days of films, with much dirt of the kinds that are in the benchmark's input."""
    folder = tmp_path_factory.mktemp("raw")
    left_out = {rate.split("=")[0] for rate in DIRT}
    dirt = {kind: 0.0 if kind in left_out else 0.02 for kind in KINDS}
    for number in range(4):
        write_once(FIRST + timedelta(number), Settings(seed=11, movies=800, corrections=0.2, dirt=dirt), folder)
    return folder


@pytest.fixture(scope="module")
def expected(raw: Path) -> duckdb.DuckDBPyConnection:
    """What the oracle makes of them."""
    return oracle.compute(oracle.read_lake(raw))


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> Counter[str]:
    """How often each row is in the answer."""
    return Counter(map(str, connection.execute(query).fetchall()))


@pytest.mark.parametrize("side", [by_hand, tutorial, duckdb_alone])
def test_each_side_equals_the_oracle(
    side: Callable[[SparkSession, Path, Path], None],
    raw: Path,
    expected: duckdb.DuckDBPyConnection,
    spark: SparkSession,
    tmp_path: Path,
) -> None:
    side(spark, raw, tmp_path)
    actual = connect(tmp_path)
    values = [f"{name}::timestamp" if name == "updated_at" else name for name in SILVER_COLUMNS]
    silver = f"select {', '.join(values)} from "
    assert rows(actual, f"{silver} oakvale_silver.movies") == rows(expected, f"{silver} silver_movies")
    for name in ("movies_by_genre", "movies_by_studio", "movies_by_release_year"):
        columns = ", ".join(column for column, *_ in expected.execute(f"describe gold_{name}").fetchall())
        query = f"select {columns} from "
        assert rows(actual, f"{query} oakvale_gold.{name}") == rows(expected, f"{query} gold_{name}")
    failed = "select case when _original is null then movie_id end, _original, parse_filename(_file), _rules from "
    quarantined = rows(expected, f"{failed} quarantine_movies")
    assert rows(actual, f"{failed} oakvale_silver.movies_quarantine") == quarantined
    assert quarantined.total() > 100


def test_comparison_finds_what_differs(raw: Path, tmp_path: Path, spark: SparkSession) -> None:
    lake, changed = tmp_path / "lake", tmp_path / "changed"
    duckdb_movies.load(raw, lake)
    shutil.copytree(lake, changed)
    counts, differences = same_tables.compare(changed, lake, "duckdb")
    assert differences == []
    assert counts["gold/movies_by_genre"] == 12
    spark.sql(f"update delta.`{changed}/gold/movies_by_genre` set profit = profit + 1 where genre = 'Drama'")
    once = (
        "select movie_id from oakvale_silver.movies_quarantine where _original is null group by all having count(*) = 1"
    )
    (reject,) = connect(lake).execute(f"select min(movie_id) from ({once})").fetchall()[0]
    spark.sql(f"update delta.`{changed}/quarantine/movies` set movie_id = 'other' where movie_id = '{reject}'")
    spark.sql(f"insert into delta.`{changed}/silver/movies` select * from delta.`{lake}/silver/movies` limit 1")
    _, differences = same_tables.compare(changed, lake, "duckdb")
    assert [difference.split(", such as")[0] for difference in differences] == [
        "silver/movies: 1 rows only in ours",
        "gold/movies_by_genre: 1 rows only in ours",
        "gold/movies_by_genre: 1 rows only in duckdb",
        "quarantine/movies: 1 rows only in ours",
        "quarantine/movies: 1 rows only in duckdb",
    ]
