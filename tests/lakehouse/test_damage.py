"""Damaged and missing files of tables, and a full disk: an error that names the file, or the same content."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lakehouse.delta_log import LogError
from tests.conftest import Lake

pytestmark = pytest.mark.usefixtures("interpreted")
SMALL_FILE = 4096
"""Bytes of a file on the full disk: less than any data file has, more than a commit of these tables."""


@pytest.fixture
def damaged(second_day: dict[str, Lake], tmp_path: Path) -> Lake:
    """A lake to be damaged, with the second day in bronze."""
    return second_day["silver"].copy(tmp_path / "lake")


def newest_commit(lake: Lake, table: str) -> Path:
    """The log file of a table's newest version."""
    return max((lake.root / table / "_delta_log").glob("*.json"))


@pytest.mark.parametrize(("kept", "problem"), [(0, "it holds no commitInfo"), (100, "Expecting property name")])
@pytest.mark.parametrize(("table", "layer"), [("bronze/movies", "bronze"), ("silver/movies", "silver")])
def test_a_damaged_commit_is_named(kept: int, problem: str, table: str, layer: str, damaged: Lake) -> None:
    commit, before = newest_commit(damaged, table), damaged.gate(layer)
    commit.write_bytes(commit.read_bytes()[:kept])
    with pytest.raises(LogError, match=rf"^{table}/_delta_log/{commit.name} is damaged: {problem}"):
        damaged.run(layer)
    assert damaged.gate(layer) == before
    assert damaged.records(layer)[-1]["error"].startswith(f"LogError: {table}/_delta_log/{commit.name}")


@pytest.mark.parametrize("table", ["bronze/movies", "silver/movies"])
def test_a_missing_data_file_is_named(table: str, damaged: Lake) -> None:
    before, versions = damaged.gate("silver"), damaged.versions()
    files = [file.name for file in (damaged.root / table).glob("*.parquet")]
    for name in files:
        (damaged.root / table / name).unlink()
    with pytest.raises(Exception, match="|".join(files)):
        damaged.run("silver")
    assert damaged.gate("silver") == before
    assert damaged.versions()["silver/movies"] == versions["silver/movies"]


def test_a_missing_log_file_between_others_is_named(damaged: Lake) -> None:
    commits = sorted((damaged.root / "bronze" / "movies" / "_delta_log").glob("*.json"))
    commits[-2].unlink()
    before = damaged.gate("silver")
    with pytest.raises(Exception, match=r"Versions \(0, 2\) are not contiguous"):
        damaged.run("silver")
    assert damaged.gate("silver") == before


@pytest.mark.parametrize("table", ["bronze/movies", "silver/movies"])
def test_a_missing_newest_log_file_is_made_up_for(table: str, damaged: Lake, second_day: dict[str, Lake]) -> None:
    """Of silver too, whose lost version gold has read, and which the next run writes again with other rows."""
    commit = newest_commit(damaged, table)
    commit.unlink()
    commit.with_name(f".{commit.name}.crc").unlink()
    damaged.run()
    assert damaged.content() == second_day["done"].content()
    assert {record["outcome"] for record in damaged.run()} == {"idle"}


def test_a_deleted_checkpoint_is_not_needed(damaged: Lake, second_day: dict[str, Lake]) -> None:
    jvm = damaged.spark.sparkContext._jvm.org.apache.spark.sql.delta.DeltaLog  # type: ignore[union-attr]
    for table in ("bronze/movies", "silver/movies"):
        jvm.forTable(damaged.spark._jsparkSession, str(damaged.root / table)).checkpoint()
        (checkpoint,) = (damaged.root / table / "_delta_log").glob("*.checkpoint.parquet")
        checkpoint.unlink()
    jvm.clearCache()
    damaged.run()
    # As Spark reads them: DuckDB refuses a log that names a checkpoint which isn't there.
    for table in ("bronze/movies", "silver/movies", "quarantine/movies", "gold/movies_by_genre"):
        assert damaged.rows(table) == second_day["done"].rows(table)


@contextmanager
def full_disk(lake: Lake) -> Iterator[None]:
    """Lets Spark's Java process write no file above a few kilobytes."""
    process = lake.spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid()  # type: ignore[union-attr]
    soft, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (SMALL_FILE, hard))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the files of a process that runs already")
def test_a_full_disk_ends_a_run_that_the_next_one_makes_up_for(damaged: Lake, second_day: dict[str, Lake]) -> None:
    before, versions = damaged.gate("silver"), damaged.versions()
    with full_disk(damaged), pytest.raises(Exception, match="File too large"):
        damaged.run("silver")
    assert damaged.gate("silver") == before
    assert damaged.versions()["silver/movies"] == versions["silver/movies"]
    assert damaged.records("silver")[-1]["outcome"] == "failed"
    assert not (damaged.root / "leases" / "movies" / "silver.json").exists()
    damaged.run()
    assert damaged.content() == second_day["done"].content()
