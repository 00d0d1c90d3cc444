"""Ten mutants of movies.py, each with one planted mistake: the comparison with the oracle notices every one."""

from __future__ import annotations

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

pytestmark = pytest.mark.usefixtures("interpreted")
IN_SILVER = {
    "a spelling stands for another rating": ('"PG13": "PG-13"', '"PG13": "PG"'),
    "a missing rating isn't NR": ('F.coalesce(values.text("rating"), F.lit("NR"))', 'values.text("rating")'),
    "a missing studio stays missing": ('F.coalesce(values.text("studio"), F.lit("Unknown"))', 'values.text("studio")'),
    "a date is read leniently": ('values.date("release_date").alias', 'F.col("release_date").try_cast("date").alias'),
    "budget is taken for box office": ('values.integer("box_office").alias', 'values.integer("budget").alias'),
}
IN_GOLD = {
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
def stages(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, interpreted: None) -> dict[str, Lake]:
    """Two days of films with all kinds of dirt, before `silver` and before `gold` are made of them."""
    folder = tmp_path_factory.mktemp("mutants")
    lake = Lake(folder / "lake", spark)
    how = Settings(seed=5, movies=400, corrections=0.2, dirt=dict.fromkeys(KINDS, 0.03))
    for number in range(2):
        day = date(2026, 11, 1) + timedelta(days=number)
        lake.land(key(day).removeprefix("raw/"), generate(day, how), at=1_790_000_000 + number)
    lake.run("bronze")
    stages = {"silver": lake.copy(folder / "silver")}
    lake.run("silver")
    return {**stages, "gold": lake.copy(folder / "gold")}


def wrong_tables(before: Lake, folder: Path, *layers: str, changes: tuple[tuple[str, str], ...] = ()) -> list[str]:
    """The tables that differ from the oracle when these layers are made by the script with these changes."""
    lake = before.copy(folder / "lake")
    lake.run(*layers, script=changed_script(folder, *changes))
    return [name for name, (_, missing, surplus) in differences(lake.root).items() if missing or surplus]


def test_the_script_itself_is_right(stages: dict[str, Lake], tmp_path: Path) -> None:
    assert wrong_tables(stages["silver"], tmp_path, "silver", "gold") == []


@pytest.mark.parametrize("mistake", IN_SILVER)
def test_the_oracle_notices_in_silver(mistake: str, stages: dict[str, Lake], tmp_path: Path) -> None:
    assert wrong_tables(stages["silver"], tmp_path, "silver", "gold", changes=(IN_SILVER[mistake],)) != []


@pytest.mark.parametrize("mistake", IN_GOLD)
def test_the_oracle_notices_in_gold(mistake: str, stages: dict[str, Lake], tmp_path: Path) -> None:
    assert wrong_tables(stages["gold"], tmp_path, "gold", changes=(IN_GOLD[mistake],)) != []
