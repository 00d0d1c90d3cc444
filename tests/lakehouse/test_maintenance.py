"""`--mode maintain`: fewer files and the same rows; nothing that a run may still read is taken, and nothing is undone.

Time passes by what carries it: the times of files, and those at which the log says that a file was removed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from lakehouse import accounting, maintenance, tables
from tests.conftest import Lake
from tests.lakehouse.films import film, jsonl

pytestmark = pytest.mark.usefixtures("interpreted")
DAY = 86_400
MAINTAIN = ("--mode", "maintain")
TABLES = ("ledger", "bronze", "silver", "quarantine", "quarantine_events", "gold")


class Crash(Exception):
    """What ends a run before its next step."""


def crash(*_: object) -> None:
    """In place of that step."""
    raise Crash


def days_later(lake: Lake, days: int) -> None:
    """Makes all that the tables hold older by some days."""
    for file in (path for folder in TABLES for path in (lake.root / folder).rglob("*") if path.is_file()):
        time = file.stat().st_mtime - days * DAY
        if file.suffix == ".json" and file.parent.name == "_delta_log":
            actions = [json.loads(line) for line in file.read_text().splitlines()]
            for action in actions:
                if "remove" in action:
                    action["remove"]["deletionTimestamp"] -= days * DAY * 1000
            file.write_text("".join(f"{json.dumps(action)}\n" for action in actions))
            file.with_name(f".{file.name}.crc").unlink(missing_ok=True)
        os.utime(file, (time, time))
    lake.spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()  # type: ignore[union-attr]


def maintain(lake: Lake, *layers: str) -> dict[str, tuple[int, int, str | None]]:
    """Maintains layers (all by default); what the records say of each table: files compacted, deleted, why not."""
    records = lake.run(*layers, options=MAINTAIN)
    return {
        each["table"]: (each["compacted"], each["deleted"], each["left_alone"])
        for record in records
        for each in record["maintained"]
    }


def live_files(lake: Lake) -> dict[str, int]:
    """How many files each table's newest version has."""
    return {
        table: DeltaTable.forPath(lake.spark, str(lake.root / table)).detail().collect()[0]["numFiles"]
        for table in lake.versions()
    }


def land(lake: Lake, day: int, *films: dict[str, Any]) -> None:
    """A day's file."""
    lake.land(f"movies/2026/11/{day:02d}/films.jsonl", jsonl(*films), at=1_790_000_000 + day)


def test_small_files_become_one_and_old_ones_go(second_day: dict[str, Lake], tmp_path: Path) -> None:
    lake, plain = (second_day["done"].copy(tmp_path / name) for name in ("lake", "plain"))
    days_later(lake, 10)
    before, rows = lake.versions(), lake.content(*TABLES, without=())
    done = maintain(lake)
    assert done == {
        "ledger/movies": (2, 4, None),
        "bronze/movies": (2, 0, None),
        "silver/movies": (0, 2, None),
        "quarantine/movies": (2, 0, None),
        **{f"gold/movies_by_{by}": (0, 1, None) for by in ("genre", "studio", "release_year")},
    }
    assert lake.content(*TABLES, without=()) == rows
    assert live_files(lake) == dict.fromkeys(before, 1) | {"quarantine_events/movies": 0}
    for layer, version, count in (("bronze", 3, 34), ("silver", 2, 24)):
        published = lake.gate(layer)["tables"]["movies"]
        assert (published["version"], published["rows"]) == (version, count)
    versions = lake.versions()
    assert [record["outcome"] for record in (*lake.run(), *lake.run(options=MAINTAIN))] == ["idle"] * 6
    assert lake.versions() == versions

    for each in (lake, plain):
        land(each, 3, film(0, title="Third", updated_at="2026-11-03T00:00:00Z"), film(40, title=""))
        gold = each.run()[-1]
        assert {table["computed"] for table in gold["refreshed"]} == {"1 touched groups"}
    assert lake.content(without=("_ingested_at",)) == plain.content(without=("_ingested_at",))

    # What the first maintenance has replaced is kept for a week, and needed by nobody then.
    days_later(lake, 10)
    assert maintain(lake, "bronze") == {"ledger/movies": (2, 4, None), "bronze/movies": (2, 2, None)}
    assert [record["outcome"] for record in lake.run()] == ["idle"] * 3
    assert lake.content() == plain.content()


def test_changes_that_gold_has_not_read_stay(second_day: dict[str, Lake], tmp_path: Path) -> None:
    lake = second_day["done"].copy(tmp_path / "lake")
    land(lake, 3, film(0, title="Third", updated_at="2026-11-03T00:00:00Z"))
    lake.run("bronze", "silver")
    days_later(lake, 10)
    feed = set((lake.root / "silver/movies/_change_data").glob("*.parquet"))
    names = ("movies_by_genre", "movies_by_studio", "movies_by_release_year")
    unread = "; ".join(f"gold/{name} hasn't read what came after version 2" for name in names)
    assert maintain(lake, "silver")["silver/movies"] == (0, 0, unread)
    assert set((lake.root / "silver/movies/_change_data").glob("*.parquet")) == feed != set()
    gone = lake.copy(tmp_path / "gone")
    (record,) = lake.run("gold")
    assert {table["computed"] for table in record["refreshed"]} == {"1 touched groups"}
    compacted, deleted, left_alone = maintain(lake, "silver")["silver/movies"]
    assert (compacted, deleted > len(feed), left_alone) == (0, True, None)
    assert not list((lake.root / "silver/movies/_change_data").glob("*.parquet"))

    # Whoever vacuums by hand takes them, and gold is computed whole.
    DeltaTable.forPath(gone.spark, str(gone.root / "silver/movies")).vacuum()
    (record,) = gone.run("gold")
    assert {table["computed"] for table in record["refreshed"]} == {
        "all groups: the change feed is gone (FAILED_READ_FILE.FILE_NOT_EXIST)"
    }
    assert gone.content("gold") == lake.content("gold")


def test_an_unpublished_layer_is_left_alone(
    second_day: dict[str, Lake], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repair reads the files of the published version."""
    lake = second_day["silver"].copy(tmp_path / "lake")
    with monkeypatch.context() as patched:
        patched.setattr(accounting, "silver_account", crash)
        with pytest.raises(Crash):
            lake.run("silver")
    days_later(lake, 10)
    files = {path for path in lake.files() if path.startswith("silver/movies/")}
    reason = "version 2 isn't published: run the pipeline, or repair it"
    assert maintain(lake, "silver")["silver/movies"] == (0, 0, reason)
    assert {path for path in lake.files() if path.startswith("silver/movies/")} == files
    lake.run("silver", options=("--mode", "repair"))
    reason = "version 3 isn't a run's, and version 1 is published"
    assert maintain(lake, "silver")["silver/movies"] == (0, 0, reason)
    lake.run()
    assert lake.content() == second_day["done"].content()


def test_a_maintenance_that_ends_before_it_publishes(
    second_day: dict[str, Lake], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The published version is still there and right; a run or the next maintenance goes on from it."""
    lake, expected = second_day["bronze"].copy(tmp_path / "lake"), second_day["done"]
    lake.run("bronze")
    gate, versions = lake.gate("bronze"), lake.versions()
    with monkeypatch.context() as patched:
        patched.setattr(maintenance, "open_gate", crash)
        with pytest.raises(Crash):
            lake.run("bronze", options=MAINTAIN)
    assert lake.gate("bronze") == gate
    assert lake.versions()["bronze/movies"] == versions["bronze/movies"] + 1
    lake.run("silver", "gold")
    assert lake.content() == expected.content()
    healed = lake.copy(tmp_path / "healed")
    versions = healed.versions()
    healed.run("bronze", options=MAINTAIN)
    assert healed.gate("bronze")["tables"]["movies"]["version"] == versions["bronze/movies"]
    for each in (lake, healed):
        land(each, 3, film(50))
        each.run()
        assert [record["outcome"] for record in each.run()] == ["idle"] * 3
    assert lake.content() == healed.content()
    assert lake.versions() == healed.versions() == lake.versions()


def test_watermarks_outlive_the_logs_own_clean_up(
    tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lake that was idle for longer than the log is kept, and whose next commit makes a checkpoint."""
    monkeypatch.setattr(tables, "PROPERTIES", {**tables.PROPERTIES, "delta.checkpointInterval": "1"})
    lake = Lake(tmp_path / "lake", spark)
    for day in (1, 2):
        land(lake, day, *(film(number, updated_at=f"2026-11-0{day}T00:00:00Z") for number in range(day * 5)))
        lake.run()
    days_later(lake, 40)
    newest = lake.versions()
    maintain(lake)
    assert lake.versions() == newest  # not even an OPTIMIZE: its commit would be the one that cleans up
    land(lake, 3, film(3, title="Third", updated_at="2026-11-03T00:00:00Z"), film(60))
    bronze, silver, gold = lake.run()
    for table in ("bronze/movies", "silver/movies", "gold/movies_by_genre"):
        assert not (lake.root / table / "_delta_log" / f"{newest[table]:020d}.json").exists(), table
    equations = {each["name"]: each for record in (bronze, silver) for each in record["accounts"][0]["equations"]}
    assert equations["bronze rows"]["right"] == {"rows before": 15, "records in files": 2}
    assert equations["keys"]["right"] == {"inserted": 1, "updated": 1, "stale": 0}
    assert {table["computed"] for table in gold["refreshed"]} == {
        "all groups: the log of the changes of movies is cleaned up"
    }
    assert [record["outcome"] for record in lake.run()] == ["idle"] * 3
    assert len(lake.rows("silver/movies")) == 11
