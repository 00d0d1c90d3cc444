"""Which records are a person's, by one condition for bronze and for raw files, and what silver is without them.

A record is the person's when its field says so, or the silver column that is made of it; when it can't be read, and its
text holds the id as a word of its own; and when it references a row that was the person's and isn't there any more.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse import values
from lakehouse.declaration import Pipeline, SilverTable, Source
from lakehouse.quality import RECORD
from lakehouse.quarantine import NONE
from lakehouse.silver_hop import SilverHop
from lakehouse.work import Work

Keys = set[tuple[Any, ...]]
LETTER = r"[\p{L}\p{N}_]"


def concerned(pipeline: Pipeline) -> dict[str, SilverTable]:
    """The silver tables that hold persons' rows, or rows that reference such; parents first."""
    found: dict[str, SilverTable] = {}
    for name, table in pipeline.silver.items():
        if table.person or found.keys() & table.references.keys():
            found[name] = table
    return found


def find(hop: SilverHop, source: Source, records: DataFrame, person: str, vanished: Mapping[str, Keys]) -> DataFrame:
    """Those of some records in bronze's columns that are the person's: their keys in silver, `_record_id` and `_file`.

    `vanished`: by parent table the keys of rows that were the person's and won't be there any more.
    """
    typed, said = hop.typed(records), [_says(source, person)]
    if hop.declared.person:
        said.append(F.col(hop.declared.person).cast("string") == person)
    for parent, by in hop.references.columns.items():
        if keys := vanished.get(parent):
            gone = hop.run.spark.createDataFrame(list(keys), typed.select(*by).schema)
            mark = f"_{parent}_gone"
            typed = typed.join(F.broadcast(gone.withColumn(mark, F.lit(True))), list(by), "left")
            said.append(F.col(mark))
    own = typed.where(functools.reduce(operator.or_, (F.coalesce(each, F.lit(False)) for each in said)))
    return own.select(*hop.declared.key, *(f"{RECORD}.{name}" for name in ("_record_id", "_file", "_batch")))


def _says(source: Source, person: str) -> Column:
    if not source.person:
        return F.lit(False)
    original = F.col(f"{RECORD}._original")
    packed = F.when(original.startswith("base64:"), F.unbase64(F.substr(original, F.lit(8))).cast("string"))
    word = rf"(?<!{LETTER}){re.escape(person)}(?!{LETTER})"
    return (values.text(f"{RECORD}.{source.person}") == person) | F.coalesce(packed, original).rlike(word)


@dataclass(frozen=True)
class HopWithout(SilverHop):
    """A silver hop as if some records had never come; `gone` has their `_record_id`."""

    gone: DataFrame

    def bronze_rows(self, after: int, to: int) -> DataFrame:
        """The published bronze rows of a range of batches, without those."""
        return super().bronze_rows(after, to).join(self.gone, "_record_id", "left_anti")

    def touched(self) -> tuple[DataFrame, DataFrame]:
        """The stored rows of all keys of which one comes from such a record, and what stands in their place then."""
        stored, key = self.table.load(), list(self.declared.key)
        keys = stored.join(self.gone, "_record_id", "left_semi").select(*key).distinct()
        every = Work(0, self.watermark(), self.attempts(), self.attempts(), NONE, self.references.versions())
        rows = self.newest_versions(self.judged(every)).drop("_n")
        return stored.join(keys, key, "left_semi"), rows.join(keys, key, "left_semi")

    def vanishing(self, keys: Keys) -> Keys:
        """Those of some keys that silver has no row of then."""
        by = list(self.declared.key)
        asked = self.run.spark.createDataFrame(list(keys), self.table.load().select(*by).schema)
        old, new = self.touched()
        others = self.table.load().join(old.select(*by), by, "left_anti")
        kept = others.select(*by).unionByName(new.select(*by)).join(F.broadcast(asked), by, "left_semi")
        return keys - {tuple(row) for row in kept.collect()}


def without(hop: SilverHop, ids: list[str]) -> HopWithout:
    """The hop without some records."""
    return HopWithout(**vars(hop), gone=hop.run.spark.createDataFrame([(each,) for each in ids], "_record_id string"))
