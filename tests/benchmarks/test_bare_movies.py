"""The bare job of the benchmark against the oracle, and the benchmark's comparison of lakes against a changed lake."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from benchmarks.bare_movies import SILVER_COLUMNS, load
from benchmarks.film_input import DIRT
from pyspark.sql import SparkSession

from benchmarks import same_tables
from film_command import write_once
from film_dirt import KINDS
from film_settings import Settings
from query import connect
from tests.oracles import movies as oracle

FIRST = date(2026, 11, 1)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Path:
    """A lake that the bare job made of four days, with much dirt of the kinds that are in the benchmark's input."""
    lake = tmp_path_factory.mktemp("bare")
    left_out = {rate.split("=")[0] for rate in DIRT}
    dirt = {kind: 0.0 if kind in left_out else 0.02 for kind in KINDS}
    for number in range(4):
        write_once(FIRST + timedelta(number), Settings(seed=11, movies=800, corrections=0.2, dirt=dirt), lake)
    load(spark, str(lake), str(lake))
    return lake


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> Counter[str]:
    """How often each row is in the answer."""
    return Counter(map(str, connection.execute(query).fetchall()))


def test_bare_job_equals_the_oracle(bare: Path) -> None:
    expected, actual = oracle.compute(oracle.read_lake(bare)), connect(bare)
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


def test_comparison_finds_what_differs(bare: Path, tmp_path: Path, spark: SparkSession) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(bare, changed)
    counts, differences = same_tables.compare(changed, bare)
    assert differences == []
    assert counts["gold/movies_by_genre"] == 12
    spark.sql(f"update delta.`{changed}/gold/movies_by_genre` set profit = profit + 1 where genre = 'Drama'")
    once = (
        "select movie_id from oakvale_silver.movies_quarantine where _original is null group by all having count(*) = 1"
    )
    (reject,) = connect(bare).execute(f"select min(movie_id) from ({once})").fetchall()[0]
    spark.sql(f"update delta.`{changed}/quarantine/movies` set movie_id = 'other' where movie_id = '{reject}'")
    spark.sql(f"insert into delta.`{changed}/silver/movies` select * from delta.`{bare}/silver/movies` limit 1")
    _, differences = same_tables.compare(changed, bare)
    assert [difference.split(", such as")[0] for difference in differences] == [
        "silver/movies: 1 rows only in ours",
        "gold/movies_by_genre: 1 rows only in ours",
        "gold/movies_by_genre: 1 rows only in bare",
        "quarantine/movies: 1 rows only in ours",
        "quarantine/movies: 1 rows only in bare",
    ]
