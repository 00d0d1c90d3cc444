"""References between silver tables: what a record waits for, as the tables that it references stand at some version."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.declaration import WAITS
from lakehouse.tables import Table

Versions = Mapping[str, Mapping[str, Any]]
"""The id and version of each referenced table that records were judged by; version -1: there was none."""


@dataclass(frozen=True)
class References:
    """The tables that a silver table references, each with the columns that are its key in both."""

    tables: Mapping[str, Table]
    columns: Mapping[str, tuple[str, ...]]

    def versions(self) -> dict[str, dict[str, Any]]:
        """What the tables are now."""
        found = {name: table.version() for name, table in self.tables.items()}
        return {
            name: {"id": self.tables[name].table_id() if version >= 0 else "", "version": version}
            for name, version in found.items()
        }

    def have_changed(self, since: Versions) -> bool:
        """Whether one of the tables has got rows since; maintenance brings none."""
        for name, table in self.tables.items():
            seen = since.get(name, {"id": "", "version": -1})
            newest = table.newest_hop() if table.exists() else None
            if newest and (newest.hop["table"] != seen["id"] or newest.version > seen["version"]):
                return True
        return False

    def judge(self, judged: DataFrame, versions: Versions) -> DataFrame:
        """Adds to `_rules` of the records that fail nothing else what they wait for."""
        awaited = []
        for name, by in self.columns.items():
            there, version = f"_{name}_there", int(versions[name]["version"])
            if version >= 0:
                rows = self.tables[name].load(version).select(*by, F.lit(True).alias(there))
                judged = judged.join(rows, on=list(by), how="left")
            else:
                judged = judged.withColumn(there, F.lit(None).cast("boolean"))
            given = functools.reduce(operator.and_, (F.col(column).isNotNull() for column in by))
            awaited.append(F.when(F.col(there).isNull() & given, WAITS + name))
        if not awaited:
            return judged
        waits = F.array_compact(F.array(*awaited))
        rules = F.when(F.size("_rules") == 0, waits).otherwise(F.col("_rules"))
        return judged.withColumn("_rules", rules).drop(*(f"_{name}_there" for name in self.columns))


def is_waiting(rules: str) -> Column:
    """Whether these are the rules of a record that fails nothing, but waits."""
    return F.coalesce(F.get(rules, F.lit(0)).startswith(WAITS), F.lit(False))
