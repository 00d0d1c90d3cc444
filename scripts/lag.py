"""How far each layer of a pipeline is: what it has published, against what there is to publish."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lakehouse.declaration import GoldTable, Pipeline
from lakehouse.delta_log import hop_commits
from lakehouse.inputs import input_state, unread
from lakehouse.storage import Storage


@dataclass(frozen=True)
class Lag:
    """The newest batches of ledger, bronze and silver, and the gold tables that are on silver's published versions.

    `waiting`: how many records of each silver table wait for rows that they reference; only tables where some do.
    """

    ledger: int
    bronze: int
    silver: int
    gold: tuple[str, ...]
    gold_tables: int
    waiting: dict[str, int]

    @property
    def behind(self) -> bool:
        """Whether a run would have something to do with what is known by now."""
        return not (self.ledger == self.bronze == self.silver) or len(self.gold) < self.gold_tables

    def __str__(self) -> str:
        waiting = "".join(f"; {count:,} records of {name} wait" for name, count in self.waiting.items())
        return (
            f"published: bronze {self.bronze} of {self.ledger} batches, silver {self.silver} of {self.bronze}, "
            f"gold {len(self.gold)} of {self.gold_tables} tables up to date{waiting}"
        )


def read_lag(lake: Storage, pipeline: Pipeline) -> Lag:
    """How far the layers of a pipeline are in a lake, now."""
    ledger = next(hop_commits(lake, f"ledger/{pipeline.name}"), None)
    bronze, silver = (_gate(lake, pipeline.name, layer) for layer in ("bronze", "silver"))
    current = tuple(table.name for table in pipeline.gold.values() if _is_current(lake, table, silver["tables"]))
    newest = int(ledger.hop["batch"]) if ledger else 0
    held = {name: next(hop_commits(lake, f"silver/{name}"), None) for name in pipeline.silver}
    waiting = {name: count for name, commit in held.items() if commit and (count := commit.hop.get("waiting"))}
    return Lag(newest, bronze["batch"], silver["batch"], current, len(pipeline.gold), waiting)


def _gate(lake: Storage, pipeline: str, layer: str) -> dict[str, Any]:
    found = lake.read(f"gates/{pipeline}/{layer}.json")
    return dict(json.loads(found[0])) if found else {"batch": 0, "tables": {}}


def _is_current(lake: Storage, table: GoldTable, published: dict[str, Any]) -> bool:
    newest = next(hop_commits(lake, f"gold/{table.name}"), None)
    if not newest or any(name not in published for name in table.reads):
        return False
    now = {
        name: input_state(lake, f"silver/{name}", published[name]["id"], published[name]["version"])
        for name in table.reads
    }
    return not unread(newest, now)
