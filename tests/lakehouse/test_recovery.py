"""Tables that are old, gone or set back: the lake notices, starts where it must, and ends with the same content."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from lakehouse import job
from lakehouse.discovery import LedgerError
from lakehouse.lease import Lease, LeaseError
from lakehouse.storage import FolderStorage
from lakehouse.tables import ContractError
from tests.conftest import Lake
from tests.lakehouse.films import film, jsonl

pytestmark = pytest.mark.usefixtures("interpreted")
DAY = 86_400
BATCHES = (
    jsonl(film(1), film(2), film(3, title="")),
    jsonl(film(2, genre="Horror", updated_at="2026-11-02T00:00:00Z"), film(4), "no json"),
    jsonl(film(1, studio="Late", updated_at="2026-11-03T00:00:00Z"), film(5)),
)


def land(lake: Lake, number: int) -> None:
    """Lands one of the batches' files."""
    lake.land(f"movies/2026/09/0{number + 1}/films.jsonl", BATCHES[number], at=1_790_000_000 + number)


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, interpreted: None) -> Lake:
    """A lake after two batches, one run each."""
    lake = Lake(tmp_path_factory.mktemp("recovery") / "lake", spark)
    for number in range(2):
        land(lake, number)
        lake.run()
    return lake


@pytest.fixture(scope="module")
def expected(two_days: Lake, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The content after the third batch, when nothing has gone wrong."""
    lake = two_days.copy(tmp_path_factory.mktemp("expected") / "lake")
    land(lake, 2)
    lake.run()
    return lake.content()


def test_a_source_that_was_silent_for_weeks(two_days: Lake, expected: dict[str, list[str]], tmp_path: Path) -> None:
    lake = two_days.copy(tmp_path / "lake")
    for log in lake.root.glob("*/*/_delta_log/*.json"):
        old = log.stat().st_mtime - 21 * DAY  # further back than VACUUM keeps files, where Delta refuses by default
        os.utime(log, (old, old))
    land(lake, 2)
    lake.run()
    assert lake.content() == expected


@pytest.mark.parametrize(
    "gone",
    [
        ("silver/movies", "quarantine/movies"),
        ("gold/movies_by_genre",),
        ("bronze/movies", "silver/movies", "quarantine/movies"),
    ],
)
def test_deleted_tables_are_built_anew(
    gone: tuple[str, ...], two_days: Lake, expected: dict[str, list[str]], tmp_path: Path
) -> None:
    lake = two_days.copy(tmp_path / "lake")
    for table in gone:
        shutil.rmtree(lake.root / table)
    land(lake, 2)
    lake.run()
    assert lake.content() == expected
    assert {record["outcome"] for record in lake.run()} == {"idle"}


def test_bronze_without_its_ledger_is_refused(two_days: Lake, tmp_path: Path) -> None:
    lake = two_days.copy(tmp_path / "lake")
    shutil.rmtree(lake.root / "ledger" / "movies")
    before = lake.versions()
    with pytest.raises(LedgerError, match=r"^ledger/movies knows 0 batches, but bronze holds batch 2: restore"):
        lake.run("bronze")
    assert lake.records("bronze")[-1]["error"].startswith("LedgerError: ledger/movies knows 0 batches")
    assert lake.versions() == before


def test_a_run_beside_another_is_refused(lake: Lake) -> None:
    land(lake, 0)
    with Lease(FolderStorage(lake.root), "movies", "bronze", "other"):
        with pytest.raises(LeaseError, match=r"^run other on .* holds leases/movies/bronze.json; it ends by itself"):
            lake.run("bronze")
        (record,) = lake.records("bronze")
    assert (record["outcome"], record["error"].split(" on ")[0]) == ("failed", "LeaseError: run other")
    assert lake.versions() == {}


def test_optimize_between_two_hops_hides_no_watermark(
    two_days: Lake, expected: dict[str, list[str]], tmp_path: Path
) -> None:
    lake = two_days.copy(tmp_path / "lake")
    tables = {"bronze/movies": "movie_id", "silver/movies": "movie_id", "gold/movies_by_genre": "genre"}
    before = lake.versions()
    for table, column in tables.items():  # with an order, since it leaves single files alone otherwise
        DeltaTable.forPath(lake.spark, str(lake.root / table)).optimize().executeZOrderBy(column)
    assert {table: lake.versions()[table] - before[table] for table in tables} == dict.fromkeys(tables, 1)
    land(lake, 2)
    bronze, silver, gold = lake.run()
    assert bronze["files"] == {"read": 1}
    assert [(account["after"], account["to"]) for account in silver["accounts"]] == [(2, 3)]
    assert {done["table"]: done["computed"] for done in gold["refreshed"]}["gold/movies_by_genre"] == "1 touched groups"
    assert lake.content() == expected


def test_another_bronze_table_below_silver_is_refused(two_days: Lake, tmp_path: Path) -> None:
    lake = two_days.copy(tmp_path / "lake")
    shutil.rmtree(lake.root / "bronze" / "movies")
    lake.run("bronze")
    with pytest.raises(ContractError, match="bronze/movies is another table than silver/movies has consumed: delete"):
        lake.run("silver")


@pytest.mark.parametrize("table", ["bronze/movies", "silver/movies"])
def test_a_table_set_back_below_its_gate_catches_up(
    table: str, two_days: Lake, expected: dict[str, list[str]], tmp_path: Path
) -> None:
    lake = two_days.copy(tmp_path / "lake")
    DeltaTable.forPath(lake.spark, str(lake.root / table)).restoreToVersion(1)
    land(lake, 2)
    lake.run()
    assert lake.content() == expected


def test_other_code_makes_gold_anew_with_its_columns(
    two_days: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = two_days.copy(tmp_path / "lake")
    lake.spark.sql(f"ALTER TABLE delta.`{lake.root}/gold/movies_by_genre` ADD COLUMNS (obsolete STRING)")
    monkeypatch.setattr(job, "code_of", lambda *_: "other code")
    (record,) = lake.run("gold")
    assert {each["computed"] for each in record["refreshed"]} == {
        "all groups: the pipeline's code or declaration has changed"
    }
    assert lake.content("gold") == two_days.content("gold")
