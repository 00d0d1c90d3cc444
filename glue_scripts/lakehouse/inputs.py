"""What a gold table was computed from, as its commits say, and what of that has changed since.

A version alone doesn't tell: maintenance makes a new one of the same rows, and when the newest log file is lost, other
rows get the same number. The run that wrote the rows does.
"""

from __future__ import annotations

from typing import Any

from lakehouse.delta_log import Commit, hop_commits
from lakehouse.storage import Storage


def input_state(storage: Storage, table: str, table_id: str, version: int) -> dict[str, Any]:
    """A version of a table as a commit names it."""
    return {"id": table_id, "version": version, "run": run_at(storage, table, version)}


def run_at(storage: Storage, table: str, version: int) -> str:
    """The run that has written the rows of a version; empty when the log doesn't tell any more."""
    made = next((commit for commit in hop_commits(storage, table) if commit.version <= version), None)
    return str(made.hop["run"]) if made else ""


def unread(newest: Commit | None, inputs: dict[str, dict[str, Any]]) -> set[str]:
    """The inputs whose rows aren't those that a table's newest commit has read."""
    before = newest.hop["inputs"] if newest else {}
    return {
        name
        for name, now in inputs.items()
        if name not in before or any(before[name].get(what) != now[what] for what in ("id", "run"))
    }
