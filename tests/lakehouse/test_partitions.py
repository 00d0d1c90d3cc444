"""A table lies in folders as declared, by few files each; one that lies otherwise is refused until it is migrated."""

from __future__ import annotations

import importlib
import itertools
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from lakehouse import job
from lakehouse.catalog import table_input
from lakehouse.declaration import Pipeline
from lakehouse.job import find_declaration
from lakehouse.tables import ContractError, Run, Table, columns
from tests.conftest import LAYERS, Lake
from tests.pipelines.datasets import find_cases

pytestmark = pytest.mark.usefixtures("interpreted")
DECLARED = columns(("day", "date", "."), ("kind", "string", "."), ("n", "int", "."))


def folders(table: Path) -> list[str]:
    """The folder of each file of a table's rows."""
    files = [path for path in table.rglob("*.parquet") if "_change_data" not in path.parts]
    return sorted(path.parent.relative_to(table).as_posix() for path in files)


def test_each_partition_is_one_file_whatever_tasks_its_rows_come_from(run: Run, tmp_path: Path) -> None:
    table = Table(run, "silver", "parts", DECLARED, ("kind", "day"))
    table.create()
    rows = run.spark.sql(
        "SELECT date'2026-11-01' + CAST(id % 2 AS int) AS day, nullif(concat('k', id % 3), 'k2') AS kind, "
        "CAST(id AS int) AS n FROM range(0, 60, 1, 4)"
    )
    table.writer(table.check(rows, "these")).mode("append").save(table.path)
    nothing = "__HIVE_DEFAULT_PARTITION__"
    expected = [f"kind={kind}/day=2026-11-0{day}" for kind in ("k0", "k1", nothing) for day in (1, 2)]
    assert folders(tmp_path / table.key) == sorted(expected)
    assert table.load().exceptAll(rows).count() == 0
    assert table.fits()
    entry = table_input(table, "parts")  # Athena takes the partitions from the table's own log
    assert (entry["PartitionKeys"], len(entry["StorageDescriptor"]["Columns"])) == ([], 3)
    for other, told in (((), "nothing"), (("day",), "day")):
        assert not replace(table, partition_by=other).fits()
        with pytest.raises(ContractError) as refused:
            replace(table, partition_by=other).check_partitions()
        assert str(refused.value) == (
            f"silver/parts: the stored table is partitioned by kind, day, declared is {told}; if the declaration is "
            "right, `make migrate PIPELINE=name` brings the lake's tables to it"
        )


def by_day(pipeline: Pipeline) -> Pipeline:
    """The events with silver partitioned by day alone, and counts not at all."""
    silver = {"events": replace(pipeline.silver["events"], partition_by=("event_date",))}
    counts = replace(pipeline.gold["events_by_day"], partition_by=())
    return replace(pipeline, silver=silver, gold={**pipeline.gold, "events_by_day": counts})


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, interpreted: None) -> Lake:
    """A lake of a few events that have come in two runs, the second of them into a folder of the first."""
    lake, times = Lake(tmp_path_factory.mktemp("week") / "lake", spark), itertools.count(1_790_000_000)
    (case,) = (each for each in find_cases() if str(each) == "events/one_week")
    for files in case.landings():
        for key, content in files:
            lake.land(key, content, at=next(times))
        lake.run(pipeline="events")
    return lake


def test_a_folder_is_compacted_and_a_person_taken_out_of_all(week: Lake, tmp_path: Path) -> None:
    lake = week.copy(tmp_path / "lake")
    before, rows = files(lake, "silver/events"), lake.content()
    small = [place for place in before if place.startswith("event_date=2026-09-21/event_hour=0/")]
    assert len(small) == 2
    (maintained,) = lake.run("silver", pipeline="events", options=("--mode", "maintain"))
    assert [each["compacted"] for each in maintained["maintained"] if each["table"] == "silver/events"] == [2]
    assert len(files(lake, "silver/events")) == len(before) - 1
    assert set(before) - set(small) < set(files(lake, "silver/events"))
    assert lake.content() == rows
    lake.run("bronze", pipeline="events", options=("--mode", "erase", "--person", "ann"))
    assert lake.rows("silver/events", "user_id") == [("bob",)] * 3 + [("cid",)] * 2 + [(None,)]
    assert ("ann",) not in lake.rows("bronze/events", "user_id")
    assert lake.rows("gold/sessions_by_day") == [(date(2026, 9, 14), 1, 1), (date(2026, 9, 21), 2, 2)]


def test_other_partitions_are_refused_made_anew_or_migrated(
    week: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, script = week.copy(tmp_path / "lake"), importlib.import_module("pipelines.events")
    before, declared = lake.content(), by_day(find_declaration("events"))
    monkeypatch.setattr(job, "find_declaration", lambda _: declared)

    def run(*layers: str, **options: Any) -> list[dict[str, Any]]:
        named = tuple(part for name, value in options.items() for part in (f"--{name}", value))
        return lake.run(*layers, script=script, pipeline="events", options=named)

    versions = lake.versions()
    for mode in ("run", "switch"):
        with pytest.raises(ContractError, match="by event_date, event_hour, declared is event_date; if the declar"):
            run("silver", mode=mode)
    assert lake.versions() == versions
    (made,) = run("gold")
    told = "all groups: the pipeline's code or declaration has changed"
    assert [each["computed"] for each in made["refreshed"]] == [told] * 3
    assert {place.count("/") for place in files(lake, "gold/events_by_day")} == {0}
    replayed = [each["verdict"] for record in run(*LAYERS, mode="replay") for each in record["compared"]]
    assert replayed == ["equal"] * len(replayed)
    run(*LAYERS, mode="migrate")
    assert {place.count("/") for place in files(lake, "silver/events")} == {1}
    assert [record["outcome"] for record in run()] == ["idle"] * 3
    assert lake.content() == before


def files(lake: Lake, table: str) -> list[str]:
    """The files that a table stands on now, by their places in its folder."""
    found = lake.spark.read.format("delta").load(str(lake.root / table)).inputFiles()
    return sorted(Path(file.removeprefix("file:")).relative_to(lake.root / table).as_posix() for file in found)
