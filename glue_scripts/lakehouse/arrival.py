"""How late a record may come: which are rejected, and which stored rows a commit therefore needn't look at.

A record is taken when its moment is at most the declared days before its file's time, and at most an hour after. A
repetition of a row has the row's moment, so when it is taken the row is no older than those days before its file.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse.declaration import Arrival

AHEAD = timedelta(hours=1)
"""How far the clock that gave a moment may be ahead of the one that gave the file's time."""


def failed(arrival: Arrival, ingested_at: Column) -> list[Column]:
    """The names of the checks that a record fails whose file has this time."""
    moment = F.col(arrival.column)
    return [
        F.when(moment < ingested_at - F.lit(timedelta(days=arrival.days)), f"{arrival.column}_too_old"),
        F.when(moment > ingested_at + F.lit(AHEAD), f"{arrival.column}_in_future"),
    ]


def repeatable(arrival: Arrival, earliest: str | None) -> Column:
    """Condition on the stored rows `t` that records may repeat whose files' times begin with `earliest`."""
    if earliest is None:
        return F.lit(False)
    begin = datetime.fromisoformat(earliest).replace(tzinfo=UTC) - timedelta(days=arrival.days)
    return F.col(f"t.{arrival.column}") >= F.lit(begin)
