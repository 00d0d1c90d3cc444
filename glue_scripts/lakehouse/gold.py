"""silver -> gold: only the groups that changed, by the same pure function that computes them all.

Reads silver's change feed from the table's watermark to the published version, and silver as of that version. A full
computation and one atomic overwrite happen the first time, when the code or an input's identity has changed, when
most groups are touched, or when the feed is gone.
"""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse import delta_log
from lakehouse.declaration import GoldTable
from lakehouse.delta_log import Commit
from lakehouse.inputs import input_state, run_at, unread
from lakehouse.tables import Run, Table

LOG = logging.getLogger("lakehouse")
MOST = 0.5
"""Share of a table's groups above which all are computed again: the MERGE would cost more than it saves."""
MANY = 10_000
"""Touched groups above which all are computed again: each becomes a literal of the query."""
GONE = ("DELTA_MISSING_CHANGE_DATA", "DELTA_TRUNCATED_TRANSACTION_LOG", "FAILED_READ_FILE.FILE_NOT_EXIST")
"""Spark's names of a change feed that can't be had any more: it was off for a while, or log or data are cleaned up."""


@dataclass(frozen=True)
class GoldHop:
    """One gold table with its function and its inputs, each pinned to a version."""

    run: Run
    declared: GoldTable
    table: Table
    script: ModuleType
    inputs: dict[str, Table]
    versions: dict[str, int]

    def compute(self, inputs: dict[str, DataFrame]) -> DataFrame:
        """The table's function on its inputs, checked against the declared columns."""
        return self.table.check(getattr(self.script, self.declared.name)(**inputs), "the function's result")

    def load(self) -> dict[str, DataFrame]:
        """All inputs as of their versions."""
        return {name: table.load(self.versions[name]) for name, table in self.inputs.items()}


def gold_table(run: Run, declared: GoldTable) -> Table:
    """A gold table: its declared columns, nothing else."""
    return Table(run, "gold", declared.name, declared.columns)


def gold_hop(
    run: Run, declared: GoldTable, script: ModuleType, silver: dict[str, Table], versions: dict[str, int]
) -> GoldHop:
    """The hop of a gold table over silver tables at the given versions."""
    inputs = {name: silver[name] for name in declared.reads}
    return GoldHop(
        run,
        declared,
        gold_table(run, declared),
        script,
        inputs,
        {name: versions[name] for name in inputs},
    )


def inputs_of(hop: GoldHop) -> dict[str, dict[str, Any]]:
    """What a commit says that the table was computed from: each input's identity, version, and who wrote that."""
    return {
        name: input_state(hop.run.lake, table.key, table.table_id(), hop.versions[name])
        for name, table in hop.inputs.items()
    }


def refresh(hop: GoldHop) -> tuple[Commit, str] | None:
    """Brings the table to its inputs' versions in one commit, returned with how it was computed; None: no work."""
    newest, inputs = hop.table.newest_hop(), inputs_of(hop)
    changed = unread(newest, inputs)
    if newest and not changed and newest.hop["code"] == hop.run.code:
        return None
    metadata: dict[str, object] = {"hop": "gold", "inputs": inputs, "rows_before": rows(newest) if newest else 0}
    why = _why_full(hop, newest, inputs, changed)
    if not why and newest:
        touched = _touched(hop, newest, changed)
        if isinstance(touched, str):
            why = touched
        else:
            how = f"{len(touched)} touched groups"
            return hop.table.commit(metadata, lambda: _merge(hop, touched)), how
    if not hop.table.exists():
        hop.table.create()
    # Other columns than stored mean another declaration, hence a full computation: gold is made anew with them.
    writer = hop.compute(hop.load()).write.format("delta").mode("overwrite").option("overwriteSchema", True)
    return hop.table.commit(metadata, lambda: writer.save(hop.table.path)), f"all groups: {why}"


def rows(commit: Commit) -> int:
    """Rows of a gold table after a commit."""
    if commit.operation != "MERGE":
        return commit.rows_written
    inserted, deleted = (commit.metrics[f"numTargetRows{what}"] for what in ("Inserted", "Deleted"))
    return int(commit.hop["rows_before"]) + inserted - deleted


def changed_rows(hop: GoldHop, newest: Commit | None, done: Commit) -> int:
    """Rows that the inputs got between the table's hop before (None: ever) and the one now, as their commits tell."""
    before, now = newest.hop["inputs"] if newest else {}, done.hop["inputs"]
    seen = {name: each["version"] for name, each in before.items() if each["id"] == now.get(name, {}).get("id")}
    return sum(
        commit.rows_written
        for name, table in hop.inputs.items()
        for commit in table.hops_after(seen.get(name, -1))
        if commit.version <= hop.versions[name]
    )


def _why_full(hop: GoldHop, newest: Commit | None, inputs: dict[str, dict[str, Any]], changed: set[str]) -> str:
    if newest is None:
        return "first time"
    if newest.hop["code"] != hop.run.code:
        return "the pipeline's code or declaration has changed"
    before = newest.hop["inputs"]
    for name, now in inputs.items():
        if before[name]["id"] != now["id"]:
            return f"silver table {name} is another one than before"
        if name in changed and before[name]["version"] >= now["version"]:
            return f"silver table {name} was set back"
        if name in changed and hop.declared.touched_by[name] is None:
            return f"a change of {name} touches all groups"
    return ""


def _touched(hop: GoldHop, newest: Commit, names: set[str]) -> list[tuple[Any, ...]] | str:
    """The values of the shared group columns in all changed rows, old and new images; or why that can't be told."""
    before = newest.hop["inputs"]
    changed = {name: table for name, table in hop.inputs.items() if name in names}
    by = group_columns(hop.declared)
    if not by:
        return "its inputs share no group column"
    for name, table in changed.items():
        read, run = before[name]["version"], run_at(hop.run.lake, table.key, before[name]["version"])
        # Delta has a different error for each way in which the beginning of a feed can be missing from the log.
        if not run or read + 1 not in delta_log.versions(hop.run.lake, table.key):
            return f"the log of the changes of {name} is cleaned up"
        if run != before[name].get("run"):
            return f"silver table {name} was set back"
    try:
        feeds = [table.changes(before[name]["version"], hop.versions[name]) for name, table in changed.items()]
        groups = functools.reduce(DataFrame.unionByName, [feed.select(*by) for feed in feeds])
        touched = [tuple(row) for row in groups.distinct().limit(MANY + 1).collect()]
    except (AnalysisException, Py4JJavaError) as error:
        gone = next((name for name in GONE if f"[{name}]" in str(error)), None)
        if gone is None:
            raise
        LOG.warning("%s: the change feed is gone, and all groups are computed: %s", hop.table.key, error)
        return f"the change feed is gone ({gone})"
    if len(touched) > MANY:
        return f"more than {MANY:,} groups touched"
    # One row per group: their number stands in the log.
    known = rows(newest) if by == hop.declared.key else hop.table.load().select(*by).distinct().count()
    return touched if len(touched) <= known * MOST else f"{len(touched)} groups touched of {known}"


def group_columns(declared: GoldTable) -> tuple[str, ...]:
    """The key columns by which every input tells what a change touches."""
    told = [by for by in declared.touched_by.values() if by is not None]
    return tuple(name for name in declared.key if told and all(name in by for by in told))


def _merge(hop: GoldHop, touched: list[tuple[Any, ...]]) -> None:
    by = group_columns(hop.declared)
    inputs = {
        name: _of_groups(hop.run, frame, by, touched) if hop.declared.touched_by[name] is not None else frame
        for name, frame in hop.load().items()
    }
    new = hop.compute(inputs).withColumn("_gone", F.lit(False))
    old = _of_groups(hop.run, hop.table.load(), by, touched).select(*hop.declared.key)
    gone = old.alias("t").join(new.alias("s"), _same(hop.declared.key), "left_anti").withColumn("_gone", F.lit(True))
    source = new.unionByName(gone, allowMissingColumns=True)
    values: dict[str, str | Column] = {column.name: f"s.{column.name}" for column in hop.declared.columns}
    merge = hop.table.delta().alias("t").merge(source.alias("s"), _same(hop.declared.key))
    merge.whenMatchedDelete("s._gone").whenMatchedUpdate(set=values).whenNotMatchedInsert(
        "not s._gone", values
    ).execute()


def _of_groups(run: Run, frame: DataFrame, by: tuple[str, ...], touched: list[tuple[Any, ...]]) -> DataFrame:
    """The rows of some groups. The literals let Delta skip files; a join alone would read them all."""
    schema = frame.select(*by).schema
    groups = run.spark.createDataFrame(touched, schema)
    for position, name in enumerate(by):
        values = {group[position] for group in touched}
        is_one = F.col(name).isin([value for value in values if value is not None])
        frame = frame.where(is_one | F.col(name).isNull() if None in values else is_one)
    return frame.alias("t").join(F.broadcast(groups).alias("s"), _same(by), "left_semi")


def _same(names: tuple[str, ...]) -> Column:
    joined = F.lit(True)
    for name in names:
        joined = joined & F.col(f"t.{name}").eqNullSafe(F.col(f"s.{name}"))
    return joined
