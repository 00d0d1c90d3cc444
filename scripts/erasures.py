"""What a lake tells of erasures of persons: those that are done, and the one that isn't finished."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from lakehouse.storage import Storage


def told(lake: Storage, pipeline: str, count: int) -> Iterator[str]:
    """A line for each of the newest erasures, oldest first, and one for what is pending."""
    folder = f"erasures/{pipeline}"
    # They are called as their runs, whose names begin with the time.
    for key in [stored.key for stored in lake.list(f"{folder}/records/")][-count:]:
        if found := lake.read(key):
            record = json.loads(found[0])
            yield f"erasure of {_time(record['finished_at'])}: {_extent(record['rows'], record['rewritten'])}"
    if found := lake.read(f"{folder}/pending.json"):
        plan = json.loads(found[0])
        yield (
            f"erasure begun {_time(plan['begun'])}: {_extent(plan['rows'], plan['files'])}; it isn't finished, and no "
            f"run begins until `make erase PIPELINE={pipeline} PERSON=...` of the same person has finished it"
        )


def _extent(rows: dict[str, int], files: list[Any]) -> str:
    return f"{sum(rows.values()):,} rows of {sum(map(bool, rows.values()))} tables, {len(files):,} raw files"


def _time(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"
