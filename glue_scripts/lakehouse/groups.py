"""The groups of a gold table that changed rows of its inputs touch, and the rows that these are computed from."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.declaration import GoldTable, TouchedBy
from lakehouse.tables import Run

Touched = list[tuple[Any, ...]]
"""The values of the group columns of each touched group."""


def group_columns(declared: GoldTable) -> tuple[str, ...]:
    """The key columns by which every input tells what a change touches."""
    told = [by for by in declared.touched_by.values() if by is not None]
    return tuple(name for name in declared.key if told and all(name in by for by in told))


def sources(told: TouchedBy | None, by: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The columns of an input that hold the values of the group columns; several such where a column has several."""
    held = told if isinstance(told, Mapping) else {}
    return list(itertools.product(*(held.get(name, (name,)) for name in by)))


def touched_groups(changed: DataFrame, told: TouchedBy | None, by: tuple[str, ...]) -> DataFrame:
    """The group columns' values in changed rows of an input."""
    found = [
        changed.select(*(F.col(source).alias(name) for source, name in zip(held, by, strict=True)))
        for held in sources(told, by)
    ]
    return functools.reduce(DataFrame.unionByName, found)


def rows_behind(run: Run, frame: DataFrame, told: TouchedBy | None, by: tuple[str, ...], touched: Touched) -> DataFrame:
    """The rows of an input that some groups are computed from, and maybe others that change nothing in these.

    Where several columns may hold a group's value, each of them gets its own filter: files are skipped by one column.
    """
    if told is None:
        return frame
    first, *others = sources(told, by)
    if not others:
        return of_groups(run, frame, by, touched) if first == by else frame.where(among(first, touched))
    found, seen = frame.where(among(first, touched)), among(first, touched)
    for held in others:
        here = among(held, touched)
        found = found.unionByName(frame.where(here & ~F.coalesce(seen, F.lit(False))))
        seen = seen | here
    return found


def of_groups(run: Run, frame: DataFrame, by: tuple[str, ...], touched: Touched) -> DataFrame:
    """The rows of some groups. The literals let Delta skip files; a join alone would read them all."""
    groups = run.spark.createDataFrame(touched, frame.select(*by).schema)
    rows = frame.where(among(by, touched)).alias("t")
    return rows.join(F.broadcast(groups).alias("s"), same_values(by), "left_semi")


def among(columns: Sequence[str], touched: Touched) -> Column:
    """Condition that each column has a value of some touched group, in literals."""
    met = F.lit(True)
    for position, name in enumerate(columns):
        values = {group[position] for group in touched}
        is_one = F.col(name).isin([value for value in values if value is not None])
        met = met & (is_one | F.col(name).isNull() if None in values else is_one)
    return met


def same_values(names: tuple[str, ...]) -> Column:
    """Condition that rows `t` and `s` have the same values, null being one."""
    same = (F.col(f"t.{name}").eqNullSafe(F.col(f"s.{name}")) for name in names)
    return functools.reduce(Column.__and__, same)
