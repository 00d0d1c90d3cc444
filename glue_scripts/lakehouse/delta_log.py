"""The newest commits of a Delta table, from its log: what a hop wrote into its commit, and the commit's counts.

`DESCRIBE HISTORY` gives the same through a Spark job of half a second a table; a run asks some ten tables. The file
names and the two actions read here (commitInfo, metaData) are part of the published Delta protocol.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lakehouse.storage import Storage

COMMIT = re.compile(r"(\d{20})\.json")
NO_DATA = ("CREATE TABLE", "SET TBLPROPERTIES", "UPGRADE PROTOCOL", "CHANGE COLUMN", "ADD COLUMNS")
SAME_ROWS = ("OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES")
"""Operations that leave all rows as they are."""


class LogError(RuntimeError):
    """A log that doesn't say what a table has consumed; the message names the table."""


@dataclass(frozen=True)
class Commit:
    """One commit: `hop` is what the engine wrote beside the data (empty for commits of others)."""

    version: int
    operation: str
    parameters: dict[str, Any]
    metrics: dict[str, int]
    hop: dict[str, Any]
    table_id: str | None

    @property
    def replaces_all(self) -> bool:
        """Whether nothing is left of what the table held before."""
        return self.parameters.get("mode") == "Overwrite" and self.parameters.get("predicate", "[]") == "[]"

    @property
    def rows_written(self) -> int:
        """Rows that a write or a MERGE has put into the table; what a MERGE only copied doesn't count."""
        if self.operation != "MERGE":
            return self.metrics.get("numOutputRows", 0)
        return self.metrics.get("numTargetRowsInserted", 0) + self.metrics.get("numTargetRowsUpdated", 0)


def versions(storage: Storage, table: str) -> list[int]:
    """Versions whose log file is there, in order; empty when there is no table."""
    names = (found.key.rpartition("/")[2] for found in storage.list(f"{table}/_delta_log/"))
    return [int(match[1]) for name in names if (match := COMMIT.fullmatch(name))]


def read_commit(storage: Storage, table: str, version: int) -> Commit:
    """One commit of a table. Raises LogError when its log file is gone or no JSON."""
    key = f"{table}/_delta_log/{version:020d}.json"
    content = storage.read(key)
    if content is None:
        raise LogError(f"{key} is gone: the table's log is damaged or has been cleaned up")
    try:
        actions = [json.loads(line) for line in content[0].splitlines() if line.strip()]
    except ValueError as error:
        raise LogError(f"{key} is damaged: {error}") from error
    info = next((action["commitInfo"] for action in actions if "commitInfo" in action), None)
    if info is None:
        raise LogError(f"{key} is damaged: it holds no commitInfo")
    metrics = {name: int(value) for name, value in info.get("operationMetrics", {}).items() if str(value).isdigit()}
    table_id = next((action["metaData"]["id"] for action in actions if "metaData" in action), None)
    hop = _hop(info.get("userMetadata"))
    return Commit(version, info["operation"], info.get("operationParameters", {}), metrics, hop, table_id)


def _hop(metadata: str | None) -> dict[str, Any]:
    """What a hop wrote; empty for the metadata of others, whatever it is."""
    try:
        found = json.loads(metadata or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) and "hop" in found else {}


def standing_commits(storage: Storage, table: str) -> Iterator[tuple[int, Commit | None]]:
    """The commits that the table stands on by their versions, newest first; None, and the end, where the log ends.

    A RESTORE leaps to the version that it restored: what came between counts no more.
    """
    known = versions(storage, table)
    version = known[-1] if known else -1
    while version >= 0:
        if version not in known:
            yield version, None
            return
        commit = read_commit(storage, table, version)
        if commit.operation != "RESTORE":
            yield version, commit
            version -= 1
        elif commit.parameters.get("version") is None:
            raise LogError(f"{table}: version {version} is a RESTORE to a time; RESTORE it to a version number instead")
        else:
            version = int(commit.parameters["version"])


def hop_commits(storage: Storage, table: str) -> Iterator[Commit]:
    """The commits of hops that the table stands on, newest first; a RESTORE leaps to the version that it restored.

    Maintenance carries no watermark, so the newest commit needn't be a hop's. Raises LogError when the log's
    beginning is reached without a hop although the table holds data: that isn't a fresh table, and starting over
    would double it.
    """
    found = data = False
    for version, commit in standing_commits(storage, table):
        if commit is None:
            if found:
                return  # history before a clean-up of the log: nobody asks further back
            raise LogError(
                f"{table}: version {version} has no log file, and no newer commit says what the table has consumed"
            )
        data = data or commit.operation not in NO_DATA
        if commit.hop:
            found = True
            yield commit
    if data and not found:
        raise LogError(f"{table} holds data that no run of the pipeline has written; move it away, then run again")


def same_rows(storage: Storage, table: str, after: int, to: int) -> bool:
    """Whether the commits after one version up to another have left all rows as they were; False when one is gone."""
    known = versions(storage, table) if to > after else []
    return all(
        version in known and read_commit(storage, table, version).operation in SAME_ROWS
        for version in range(after + 1, to + 1)
    )
