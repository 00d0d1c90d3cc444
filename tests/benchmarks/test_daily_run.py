"""The gate on what a daily run costs: requests, files and bytes, which a lake's history makes larger by a known amount.

They are counted on S3, with small lakes that the pipeline has built day by day. Ids of films grow from day to day, so
each day's file in silver has a range of keys of its own.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

import counters
import daily_lakes
from counters import Counters
from daily_lakes import ANY, LAYERS, NEWEST, Past
from daily_results import AGE, SIZE
from tests.lakehouse.s3_lake import S3, serving

pytestmark = pytest.mark.usefixtures("interpreted")
YOUNG = Past(days=5, films=40)
PASTS = {"young": YOUNG, "large": replace(YOUNG, times=100), "old": replace(YOUNG, days=15)}
IDLE = {
    "bronze": Counter(get=36, list=14, head=11, put=1),
    "silver": Counter(get=14, list=14, put=1),
    "gold": Counter(get=14, list=14, put=1),
}
"""Requests of a run without news. Bronze asks Spark for what the ledger knows, a small file for each day since the last
maintenance; silver and gold look at logs alone."""
NEW_ROWS = {"RowsInserted": 40, "RowsUpdated": 4}
Day = tuple[str, str | None]
"""A lake, and which films its new day corrects; None: there is no new day."""


@dataclass
class Runs:
    """Runs of all layers on S3, on each lake as it was, with what they did to it."""

    s3: S3
    lakes: dict[str, Path]
    buckets: dict[Day, str] = field(default_factory=dict)
    outcomes: dict[tuple[Day, str], str] = field(default_factory=dict)
    found: dict[tuple[Day, str], Counters] = field(default_factory=dict)

    def of(self, lake: str, corrects: str | None, layer: str) -> Counters:
        """What a layer's run does to a lake with its new day, after the layers before it; all of them run once."""
        day, past = (lake, corrects), PASTS[lake]
        if day not in self.buckets:
            new = {daily_lakes.key(past.days): daily_lakes.batch(past, past.days, corrects)} if corrects else {}
            self.buckets[day] = self.s3.bucket({**daily_lakes.objects(self.lakes[lake]), **new})
        for each in LAYERS[: LAYERS.index(layer) + 1]:
            if (day, each) not in self.found:
                self.s3.proxy.exchanges.clear()
                self.outcomes[day, each] = self.s3.run(self.buckets[day], self.buckets[day], each)["outcome"]
                self.found[day, each] = counters.count(self.s3.proxy.exchanges)
        return self.found[day, layer]

    def merge(self, lake: str, corrects: str) -> dict[str, int]:
        """What the newest commit of silver says of the files that its MERGE took away and added."""
        objects = self.s3.objects(self.buckets[lake, corrects])
        logs = [key for key in objects if counters.COMMIT.fullmatch(key) and key.startswith("silver/movies/")]
        metrics = json.loads(objects[max(logs)].splitlines()[0])["commitInfo"]["operationMetrics"]
        names = ("numTargetFilesRemoved", "numTargetFilesAdded", "numTargetRowsInserted", "numTargetRowsUpdated")
        return {name.removeprefix("numTarget"): int(metrics[name]) for name in names}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, interpreted: None) -> Iterator[Runs]:
    """A young lake, one with days 100 times as large, and the young one after ten more days and a maintenance.

    Silver takes nine of the ten days in one commit, which saves half a minute: its log is read as bronze's is.
    """
    folder = tmp_path_factory.mktemp("lakes")
    lakes = {name: folder / name for name in PASTS}
    for name in ("young", "large"):
        daily_lakes.build(lakes[name], PASTS[name], layers=("bronze", "silver"))
        daily_lakes.run(str(lakes[name]), "gold")
    shutil.copytree(lakes["young"], lakes["old"])
    daily_lakes.build(lakes["old"], replace(YOUNG, days=10), begin=5, layers=("bronze",))
    daily_lakes.maintain(lakes["old"], ("bronze",))
    daily_lakes.build(lakes["old"], replace(YOUNG, days=14), begin=10, layers=("bronze",))
    daily_lakes.run(str(lakes["old"]), "silver")
    daily_lakes.build(lakes["old"], PASTS["old"], begin=14, layers=("bronze", "silver"))
    with serving(tmp_path_factory.mktemp("cloud"), spark) as s3:
        yield Runs(s3, lakes)


def ratios(now: Counters, before: Counters) -> dict[str, float]:
    """How much each figure has grown."""
    was = before.totals()
    return {name: figure / was[name] for name, figure in now.totals().items()}


def missed(runs: Runs, lake: str, most: float, layers: tuple[str, ...] = LAYERS) -> set[tuple[str, str]]:
    """The figures of a clustered day on a lake that are more than `most` times those on the young one."""
    found = {layer: ratios(runs.of(lake, NEWEST, layer), runs.of("young", NEWEST, layer)) for layer in layers}
    return {(layer, name) for layer, grown in found.items() for name, ratio in grown.items() if ratio > most}


def live_bytes(lake: Path) -> int:
    """Size of the files of silver, in a lake whose days have only brought new films: none has been replaced."""
    return sum(file.stat().st_size for file in lake.glob("silver/movies/*.parquet"))


def test_an_idle_run_commits_nothing_and_writes_nothing_but_its_record(runs: Runs) -> None:
    before = daily_lakes.objects(runs.lakes["young"])
    found = {layer: runs.of("young", None, layer) for layer in LAYERS}
    assert {runs.outcomes[("young", None), layer] for layer in LAYERS} == {"idle"}
    after = runs.s3.objects(runs.buckets["young", None])
    records = sorted(key.rsplit("/", 4)[0] for key in after.keys() - before.keys())
    assert records == ["runs/movies/bronze", "runs/movies/gold", "runs/movies/silver"]
    assert {key: after[key] for key in before} == before
    assert {layer: counted.requests for layer, counted in found.items()} == IDLE
    assert [counted.files_written for counted in found.values()] == [Counter({"runs": 1})] * 3


def test_a_day_costs_the_same_on_a_lake_100_times_as_large_but_for_what_gold_reads(runs: Runs) -> None:
    assert missed(runs, "large", SIZE) == {("gold", "bytes_read")}
    for lake in ("young", "large"):
        bronze, silver, gold = (runs.of(lake, NEWEST, layer) for layer in LAYERS)
        assert bronze.commits == {"ledger/movies": 2, "bronze/movies": 1}
        assert silver.commits == {"quarantine/movies": 1, "silver/movies": 1}
        assert gold.commits.total() == 3
        # One of five files: that of the day before, whose films are corrected.
        assert silver.files_read["silver/movies"] == 1
        assert runs.merge(lake, NEWEST) == {**NEW_ROWS, "FilesRemoved": 1, "FilesAdded": 1}


def test_gold_reads_silver_once_for_each_of_its_tables(runs: Runs) -> None:
    # Genre, studio and year are all over silver, so no file can be skipped: four old ones, a new one and the changes.
    gold = runs.of("large", NEWEST, "gold")
    assert gold.files_read["silver/movies"] == YOUNG.days + 1
    assert gold.bytes_read["silver/movies"] < 3 * live_bytes(runs.lakes["large"])


def test_random_keys_cost_a_scan_of_all_keys_and_each_file_that_holds_one(runs: Runs) -> None:
    silver, size = runs.of("large", ANY, "silver"), live_bytes(runs.lakes["large"])
    assert silver.files_read["silver/movies"] == YOUNG.days
    # Of the five days four are corrected. Their keys are read, then all of their rows; these are written again.
    assert runs.merge("large", ANY) == {**NEW_ROWS, "FilesRemoved": 4, "FilesAdded": 1}
    assert size < silver.bytes_read["silver/movies"] < 3 * size
    assert 0.8 * size < silver.bytes_written["silver/movies"] < 1.2 * size
    assert max(ratios(runs.of("large", ANY, "bronze"), runs.of("young", NEWEST, "bronze")).values()) <= SIZE


def test_a_day_after_fifteen_costs_what_it_does_after_five_but_for_a_checkpoint_and_longer_listings(runs: Runs) -> None:
    found = missed(runs, "old", AGE, ("bronze", "silver"))
    assert found == {("bronze", "objects_listed"), ("silver", "objects_listed"), ("bronze", "bytes_read")}
    young, old = (runs.of(lake, NEWEST, "bronze") for lake in ("young", "old"))
    # Few objects a listing, so no further request; and the log's bytes are those of one file more, its checkpoint.
    assert old.requests["list"] == young.requests["list"]
    assert old.files_read["bronze/movies/_delta_log"] == young.files_read["bronze/movies/_delta_log"] + 2
