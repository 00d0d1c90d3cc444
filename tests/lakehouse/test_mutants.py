"""Ten mutants of movies.py, each with one planted mistake: the comparison with the oracle notices every one."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from film_dirt import KINDS
from film_file import generate, key
from film_settings import Settings
from tests.conftest import Lake
from tests.lakehouse.films import changed_script
from tests.pipelines.test_movies import differences

MUTANTS = {
    "a spelling stands for another rating": ('"PG13": "PG-13"', '"PG13": "PG"'),
    "a missing rating isn't NR": ('F.coalesce(values.text("rating"), F.lit("NR"))', 'values.text("rating")'),
    "a missing studio stays missing": ('F.coalesce(values.text("studio"), F.lit("Unknown"))', 'values.text("studio")'),
    "a date is read leniently": ('values.date("release_date").alias', 'F.col("release_date").try_cast("date").alias'),
    "budget is taken for box office": ('values.integer("box_office").alias', 'values.integer("budget").alias'),
    "films without takings count in the return": ('.isNotNull() & F.col("box_office").isNotNull()', ".isNotNull()"),
    "votes don't weigh": ('F.col("vote_average") * F.col("vote_count")', 'F.col("vote_average")'),
    "the worst film is the best": ("best = F.min_by(", "best = F.max_by("),
    "unknown takings count as zero": ('F.count("box_office")', "F.count(F.lit(1))"),
    "sums are of films, not of money": (
        'F.sum("budget").alias("total_budget")',
        'F.count("budget").alias("total_budget")',
    ),
}


@pytest.fixture(scope="module")
def bronze_only(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Path:
    """A lake whose bronze holds two days of films with all kinds of dirt."""
    lake = Lake(tmp_path_factory.mktemp("mutants") / "lake", spark)
    how = Settings(seed=5, movies=400, corrections=0.2, dirt=dict.fromkeys(KINDS, 0.03))
    for number in range(2):
        day = date(2026, 11, 1) + timedelta(days=number)
        lake.land(key(day).removeprefix("raw/"), generate(day, how), at=1_790_000_000 + number)
    lake.run("bronze")
    return lake.root


def wrong_tables(bronze_only: Path, folder: Path, spark: SparkSession, *changes: tuple[str, str]) -> list[str]:
    """The tables that differ from the oracle when silver and gold are made by the script with these changes."""
    lake = Lake(folder / "lake", spark)
    shutil.copytree(bronze_only, lake.root, dirs_exist_ok=True)
    lake.run("silver", "gold", script=changed_script(folder, *changes))
    return [name for name, (_, missing, surplus) in differences(lake.root).items() if missing or surplus]


def test_the_script_itself_is_right(bronze_only: Path, tmp_path: Path, spark: SparkSession) -> None:
    assert wrong_tables(bronze_only, tmp_path, spark) == []


@pytest.mark.parametrize("mistake", MUTANTS)
def test_the_oracle_notices(mistake: str, bronze_only: Path, tmp_path: Path, spark: SparkSession) -> None:
    assert wrong_tables(bronze_only, tmp_path, spark, MUTANTS[mistake]) != []
