"""What a table has consumed, read from log files that are written here by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lakehouse.delta_log import Commit, LogError, hop_commits, read_commit, versions
from lakehouse.storage import FolderStorage

TABLE = "bronze/movies"


class Log:
    """The log of one table, a commit a line."""

    def __init__(self, root: Path) -> None:
        self.storage = FolderStorage(root)

    def commit(self, operation: str, hop: dict[str, Any] | None = None, **parameters: Any) -> int:
        """Adds the next commit; returns its version."""
        info: dict[str, Any] = {"timestamp": 1, "operation": operation, "operationParameters": parameters}
        if hop is not None:
            info["userMetadata"] = json.dumps(hop)
        version = max(versions(self.storage, TABLE), default=-1) + 1
        self.write(version, {"commitInfo": info}, {"add": {"path": f"{version}.parquet"}})
        return version

    def hop(self, batch: int) -> int:
        """Adds the commit of a hop."""
        return self.commit("WRITE", {"hop": "bronze", "batch": batch})

    def write(self, version: int, *actions: dict[str, Any]) -> None:
        """Writes a log file."""
        self.write_text(version, "".join(f"{json.dumps(action)}\n" for action in actions))

    def write_text(self, version: int, text: str) -> None:
        """Writes a log file as it stands."""
        self.storage.write(self.key(version), text.encode())

    def key(self, version: int) -> str:
        """The log file of a version."""
        return f"{TABLE}/_delta_log/{version:020d}.json"

    def found(self) -> list[tuple[int, int]]:
        """Versions and batches of the commits that the table stands on."""
        return [(commit.version, commit.hop["batch"]) for commit in hop_commits(self.storage, TABLE)]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """A table that isn't there yet."""
    return Log(tmp_path)


def test_no_table(log: Log) -> None:
    assert versions(log.storage, TABLE) == []
    assert log.found() == []


def test_versions_are_those_with_a_log_file(log: Log) -> None:
    log.hop(1)
    log.hop(2)
    for name in ("_last_checkpoint", f"{1:020d}.checkpoint.parquet", f"{1:020d}.crc", ".tmp/x.json", "2.json"):
        log.storage.write(f"{TABLE}/_delta_log/{name}", b"")
    assert versions(log.storage, TABLE) == [0, 1]
    assert log.found() == [(1, 2), (0, 1)]


def test_another_table_with_a_longer_name_is_not_mistaken(log: Log) -> None:
    log.hop(1)
    assert versions(log.storage, "bronze/mov") == []


def test_a_commit_tells_what_stands_in_it(log: Log) -> None:
    info = {
        "operation": "MERGE",
        "operationParameters": {"matchedPredicates": "[]"},
        "operationMetrics": {"numTargetRowsInserted": "12", "scanTimeMs": "7", "share": "0.5", "note": "x"},
        "userMetadata": '{"hop": "silver", "to": 3}',
    }
    log.write(0, {"protocol": {}}, {"metaData": {"id": "table-1"}}, {"commitInfo": info})
    expected = Commit(
        version=0,
        operation="MERGE",
        parameters={"matchedPredicates": "[]"},
        metrics={"numTargetRowsInserted": 12, "scanTimeMs": 7},
        hop={"hop": "silver", "to": 3},
        table_id="table-1",
    )
    assert read_commit(log.storage, TABLE, 0) == expected


def test_a_commit_of_others_may_say_little(log: Log) -> None:
    log.write(0, {"commitInfo": {"operation": "OPTIMIZE"}})
    assert read_commit(log.storage, TABLE, 0) == Commit(0, "OPTIMIZE", {}, {}, {}, None)


def test_blank_lines_in_a_log_file_do_not_matter(log: Log) -> None:
    log.write_text(0, '\n{"commitInfo": {"operation": "WRITE"}}\n\n')
    assert read_commit(log.storage, TABLE, 0).operation == "WRITE"


def test_a_new_table_has_consumed_nothing(log: Log) -> None:
    log.commit("CREATE TABLE")
    log.commit("SET TBLPROPERTIES")
    log.commit("UPGRADE PROTOCOL")
    log.commit("CHANGE COLUMN")
    log.commit("ADD COLUMNS")
    assert log.found() == []


def test_empty_metadata_is_no_hop(log: Log) -> None:
    log.write(0, {"commitInfo": {"operation": "CREATE TABLE", "userMetadata": ""}})
    assert log.found() == []


def test_newest_hop_first(log: Log) -> None:
    log.commit("CREATE TABLE")
    for batch in (1, 2, 3):
        log.hop(batch)
    assert log.found() == [(3, 3), (2, 2), (1, 1)]


@pytest.mark.parametrize("operation", ["OPTIMIZE", "VACUUM START", "SET TBLPROPERTIES", "WRITE", "DELETE"])
def test_commits_without_a_hop_are_passed_over(log: Log, operation: str) -> None:
    log.commit("CREATE TABLE")
    log.hop(1)
    log.commit(operation)
    log.hop(2)
    log.commit(operation)
    log.commit(operation)
    assert log.found() == [(3, 2), (1, 1)]


def test_a_restore_leaps_to_what_it_restored(log: Log) -> None:
    log.commit("CREATE TABLE")
    for batch in (1, 2, 3):
        log.hop(batch)
    log.commit("RESTORE", version=1)
    assert log.found() == [(1, 1)]
    log.hop(2)
    assert log.found() == [(5, 2), (1, 1)]


def test_a_restore_to_a_restore_leaps_twice(log: Log) -> None:
    for batch in (1, 2, 3):
        log.hop(batch)
    log.commit("RESTORE", version=0)
    log.hop(12)
    log.commit("RESTORE", version=3)
    assert log.found() == [(0, 1)]


def test_a_restore_to_a_maintenance_commit_finds_the_hop_behind_it(log: Log) -> None:
    log.hop(1)
    log.commit("OPTIMIZE")
    log.hop(2)
    log.commit("RESTORE", version="1")
    log.commit("OPTIMIZE")
    assert log.found() == [(0, 1)]


def test_a_restore_to_the_empty_table_has_consumed_nothing(log: Log) -> None:
    log.commit("CREATE TABLE")
    log.hop(1)
    log.commit("RESTORE", version=0)
    assert log.found() == []


@pytest.mark.parametrize(
    "operation", ["WRITE", "MERGE", "CREATE TABLE AS SELECT", "CONVERT", "CLONE", "STREAMING UPDATE"]
)
def test_data_of_others_is_an_error(log: Log, operation: str) -> None:
    log.commit(operation)
    log.commit("OPTIMIZE")
    with pytest.raises(LogError) as refused:
        log.found()
    assert str(refused.value) == (
        f"{TABLE} holds data that no run of the pipeline has written; move it away, then run again"
    )


def test_a_log_file_that_is_gone_is_an_error(log: Log) -> None:
    log.hop(1)
    log.commit("OPTIMIZE")
    log.commit("OPTIMIZE")
    log.storage.delete(log.key(1))
    with pytest.raises(LogError) as refused:
        log.found()
    assert str(refused.value) == (
        f"{TABLE}: version 1 has no log file, and no newer commit says what the table has consumed"
    )


def test_a_cleaned_up_log_needs_no_older_commits(log: Log) -> None:
    for batch in (1, 2, 3):
        log.hop(batch)
    log.commit("OPTIMIZE")
    log.storage.delete(log.key(0))
    assert log.found() == [(2, 3), (1, 2)]


def test_a_restore_to_a_version_that_is_cleaned_up_is_an_error(log: Log) -> None:
    log.hop(1)
    log.hop(2)
    log.commit("RESTORE", version=0)
    log.storage.delete(log.key(0))
    with pytest.raises(LogError, match=f"{TABLE}: version 0 has no log file"):
        log.found()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"commitInfo": {"operation": "WR', "is damaged: Unterminated string starting at"),
        ("\0\0\0", "is damaged: Expecting value"),
        ("", "is damaged: it holds no commitInfo"),
        ('{"add": {}}\n', "is damaged: it holds no commitInfo"),
    ],
)
def test_a_damaged_log_file_is_an_error_that_names_it(log: Log, text: str, problem: str) -> None:
    log.hop(1)
    log.write_text(1, text)
    with pytest.raises(LogError) as refused:
        log.found()
    assert str(refused.value).startswith(f"{log.key(1)} {problem}")


def test_a_log_file_that_goes_while_it_is_read_is_an_error(log: Log) -> None:
    with pytest.raises(LogError) as refused:
        read_commit(log.storage, TABLE, 7)
    assert str(refused.value) == f"{log.key(7)} is gone: the table's log is damaged or has been cleaned up"


@pytest.mark.parametrize("metadata", ["nightly maintenance", '"nightly"', "[1]", '{"by": "cron"}'])
def test_metadata_of_others_is_no_hop(log: Log, metadata: str) -> None:
    log.hop(1)
    log.write(1, {"commitInfo": {"operation": "OPTIMIZE", "userMetadata": metadata}})
    assert log.found() == [(0, 1)]


def test_a_restore_by_time_is_an_error_that_says_so(log: Log) -> None:
    log.hop(1)
    log.commit("RESTORE", version=None, timestamp="2026-11-21 07:38:43.119")
    with pytest.raises(LogError, match=f"{TABLE}: version 1"):
        log.found()
