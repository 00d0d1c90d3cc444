"""Names of the fields in raw records that the declaration doesn't name, found while the records are written.

What is kept on the way is bounded, whatever a file holds: of each record some names, each cut off, and a sketch of
the sets of names that records have. As long as there are a few hundred of such sets, every one is found; of more the
frequent ones, and always one.
"""

from __future__ import annotations

import json
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

MOST_NAMES = 100
"""Names that are told of one record, and of one run and table."""
LONGEST_NAME = 100
"""Characters of a name that are told."""
SETS = 1000
"""Sets of names that the sketch follows; it tells some three quarters of them apart without an error."""


def observed() -> tuple[Column, ...]:
    """What to observe while rows of bronze are written."""
    cut = F.transform(F.map_keys("_extra"), lambda name: F.left(name, F.lit(LONGEST_NAME)))
    together = F.when(F.col("_extra").isNotNull(), F.to_json(F.slice(F.array_sort(cut), 1, MOST_NAMES)))
    sketch = F.call_function("approx_top_k", together, F.lit(SETS), F.lit(SETS))
    return F.min(together).alias("one"), sketch.alias("sets")


def names(seen: dict[str, Any]) -> set[str]:
    """The names in what was observed."""
    together = {seen["one"], *(each["item"] for each in seen["sets"])} - {None}
    return {name for each in together for name in json.loads(each)}


def note(told: dict[str, list[str]], table: str, names: set[str]) -> None:
    """Adds names to what the record of a run tells of a table."""
    if names:
        told[table] = sorted({*told.get(table, []), *names})[:MOST_NAMES]
