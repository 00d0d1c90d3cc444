"""Checks of a typed record: the names of all that it fails, as one column, evaluated once.

A record with a reading problem fails that alone. Else, for each column in order: `<column>_missing` (required, and
nothing was given) or `<column>_invalid` (a value was given, and it couldn't be typed; in a history also a moment that
no version can hold from); where an arrival is declared, `<column>_too_old` or `<column>_in_future`; then the declared
rules. A rule that can't be decided (null) passes.
"""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse import arrival, values
from lakehouse.declaration import SilverTable
from lakehouse.history import forever

RECORD = "_record"
"""The column that every silver function passes on: the bronze row that a silver row comes from."""


def failed_checks(table: SilverTable, fields: tuple[str, ...]) -> Column:
    """An array of names, empty for a good record. `fields`: the fields of the bronze table."""
    checks = [check for column in table.columns for check in _typing(column.name, column.required, fields)]
    if table.history:
        checks += [F.when(F.col(moment) >= forever(table), f"{moment}_invalid") for moment in table.newest_by]
    if table.arrival:
        checks += arrival.failed(table.arrival, F.col(f"{RECORD}._ingested_at"))
    checks += [F.when(~F.expr(rule), name) for name, rule in table.rules.items()]
    # Names joined and split again, since Spark interprets filters over arrays row by row.
    joined = F.coalesce(f"{RECORD}._problem", F.concat_ws(",", *checks))
    return F.when(joined == "", F.array().cast("array<string>")).otherwise(F.split(joined, ","))


def _typing(name: str, required: bool, fields: tuple[str, ...]) -> list[Column]:
    nothing = F.col(name).isNull()
    given = values.text(f"{RECORD}.{name}").isNotNull() if name in fields else F.lit(False)
    missing = [F.when(nothing & ~given, f"{name}_missing")] if required else []
    return missing + ([F.when(nothing & given, f"{name}_invalid")] if name in fields else [])
