"""What all tests share: one Spark session, and lakes in temporary folders."""

from __future__ import annotations

import importlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

import laptop_spark

os.environ.update(laptop_spark.environment())

from pyspark.sql import SparkSession

import query

LAYERS = ("bronze", "silver", "gold")
# Folders whose tests share what is costly: the deployed cloud, a plan.
TOGETHER = ("tests/cloud/", "tests/terraform/")
# The longest come first, so that no process is left alone with one of them at the end.
LONG = (
    "tests/cloud/",
    "tests/test_readme.py",
    "tests/lakehouse/test_faults.py",
    "tests/lakehouse/test_crash.py",
    "tests/bad_input/test_bad_input.py",
    "tests/lakehouse/test_arrival.py",
)


class ByFile(LoadScopeScheduling):
    """Gives a process all tests of a file, and of some folders."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def pytest_addoption(parser: pytest.Parser) -> None:
    """What `make test-crash` asks for."""
    told = "disturb runs at each of their requests and kill them before each of their writes, not at some"
    parser.addoption("--every-kill", action="store_true", help=told)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Distributes the tests when several processes run them."""
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the long tests first."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """The one session of the suite."""
    from lakehouse.session import open_session

    usual = os.environ["PYSPARK_SUBMIT_ARGS"]
    os.environ.update(laptop_spark.long_session_environment())
    session = open_session()
    os.environ["PYSPARK_SUBMIT_ARGS"] = usual  # for the jobs that tests start
    yield session
    session.stop()


@pytest.fixture(scope="module")
def interpreted(spark: SparkSession) -> Iterator[None]:
    """For tests of many small runs, with the settings that suit these."""
    before = {name: spark.conf.get(name) for name in laptop_spark.SMALL_RUNS}
    for name, value in laptop_spark.SMALL_RUNS.items():
        spark.conf.set(name, value)
    yield
    for name, value in before.items():
        spark.conf.set(name, str(value))


class Lake:
    """A lake in a folder: land files, run layers, look at the result."""

    def __init__(self, root: Path, spark: SparkSession) -> None:
        self.root, self.spark = root, spark
        root.mkdir(parents=True, exist_ok=True)

    def land(self, key: str, content: bytes, at: int = 1_790_000_000) -> Path:
        """Puts a file below raw/, with a modification time (epoch seconds)."""
        path = self.root / "raw" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (at, at))
        return path

    def run(
        self, *layers: str, script: Any = None, pipeline: str = "movies", options: tuple[str, ...] = ()
    ) -> list[dict[str, Any]]:
        """Runs layers (all by default) in the suite's session; returns their run records."""
        from lakehouse.job import main

        script = script or importlib.import_module(f"pipelines.{pipeline}")
        place = ["--pipeline", pipeline, "--lake", str(self.root), "--raw", str(self.root)]
        return [main(script, [*place, "--layer", layer, *options]) for layer in layers or LAYERS]

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Rows of a table as Spark reads it, sorted; all columns by default."""
        frame = self.spark.read.format("delta").load(str(self.root / table))
        return sorted((tuple(row) for row in (frame.select(*columns) if columns else frame).collect()), key=repr)

    def content(self, *layers: str, without: tuple[str, ...] = ("_batch",)) -> dict[str, list[str]]:
        """All rows of all tables of some layers, in an order of their own.

        Without `_batch` by default: it tells what came together, and all else is independent of that.
        """
        found, connection = {}, query.connect(self.root)
        for log in sorted(self.root.glob("*/*/_delta_log")):
            layer, table = log.parts[-3:-1]
            if layer in (layers or ("silver", "quarantine", "gold")):
                schema, name = query.LAYERS[layer]
                sql = f'SELECT COLUMNS(c -> NOT list_contains(?, c)) FROM {schema}."{name.format(table)}"'
                found[f"{layer}/{table}"] = sorted(map(repr, connection.execute(sql, [list(without)]).fetchall()))
        return found

    def gate(self, layer: str, pipeline: str = "movies") -> dict[str, Any]:
        """What a layer has published; empty before the first verdict."""
        gate = self.root / "gates" / pipeline / f"{layer}.json"
        return dict(json.loads(gate.read_bytes())) if gate.exists() else {}

    def records(self, layer: str, pipeline: str = "movies") -> list[dict[str, Any]]:
        """The run records of a layer, oldest first."""
        written = (self.root / "runs" / pipeline / layer).rglob("*.json")
        return sorted((json.loads(path.read_bytes()) for path in written), key=lambda record: record["finished_at"])

    def copy(self, root: Path) -> Lake:
        """The same lake in another folder; files keep their times, so that its ledger knows them."""
        shutil.copytree(self.root, root)
        return Lake(root, self.spark)

    def versions(self) -> dict[str, int]:
        """The newest version of every Delta table."""
        logs = self.root.glob("*/*/_delta_log")
        return {
            str(log.parent.relative_to(self.root)): max(int(file.stem) for file in log.glob("*.json")) for log in logs
        }

    def files(self) -> dict[str, int]:
        """Every file of every table with its modification time in nanoseconds: what an idle run must leave alone."""
        found = (path for name in query.LAYERS for path in (self.root / name).rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)): path.stat().st_mtime_ns for path in found}


@pytest.fixture
def lake(tmp_path: Path, spark: SparkSession) -> Lake:
    """An empty lake."""
    return Lake(tmp_path / "lake", spark)
