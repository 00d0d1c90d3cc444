"""The gate of a layer: what of it has been proven to balance, and so may be read by the next one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from lakehouse.storage import Storage
from lakehouse.tables import Table


class DamagedGateError(RuntimeError):
    """A gate object can't be read; the message says which, why, and what to do."""


class State(NamedTuple):
    """A version of a table and how many rows it holds."""

    version: int
    rows: int


@dataclass(frozen=True)
class Gate:
    """What a layer has published: the batch up to which all its tables balance, and each one's version, id and rows."""

    batch: int = 0
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)

    def version(self, table: Table) -> int:
        """The published version of a table; -1 before the first, and when it isn't that table any more."""
        published = self.tables.get(table.name)
        if not published or table.version() < published["version"] or table.table_id() != published["id"]:
            return -1
        return int(published["version"])

    def state(self, table: Table) -> State:
        """The published version of a table with its rows; version -1 without any where there is none."""
        version = self.version(table)
        return State(version, self.tables[table.name]["rows"] if version >= 0 else 0)


def read_gate(lake: Storage, pipeline: str, layer: str) -> Gate:
    """The gate of a layer; closed at 0 before the first verdict."""
    key = f"gates/{pipeline}/{layer}.json"
    found = lake.read(key)
    try:
        return Gate(**json.loads(found[0])) if found else Gate()
    except (ValueError, TypeError) as error:
        raise DamagedGateError(
            f"{key} isn't what a run has written ({error}): put back the version that it had before, and run again"
        ) from error


def open_gate(lake: Storage, pipeline: str, layer: str, gate: Gate) -> None:
    """Publishes a verdict."""
    lake.write(f"gates/{pipeline}/{layer}.json", json.dumps(asdict(gate), indent=1).encode())
