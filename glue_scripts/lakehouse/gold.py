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
from lakehouse.groups import Touched, among, group_columns, of_groups, rows_behind, same_values, touched_groups
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
    return Table(run, "gold", declared.name, declared.columns, declared.partition_by)


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
    # Other columns or partitions than stored mean another declaration, hence a full computation: gold is made anew.
    writer = hop.table.writer(hop.compute(hop.load())).mode("overwrite").option("overwriteSchema", True)
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


def _touched(hop: GoldHop, newest: Commit, names: set[str]) -> Touched | str:
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
        feeds = {name: table.changes(before[name]["version"], hop.versions[name]) for name, table in changed.items()}
        told = hop.declared.touched_by
        groups = [touched_groups(feed, told[name], by) for name, feed in feeds.items()]
        found = functools.reduce(DataFrame.unionByName, groups).distinct().limit(MANY + 1)
        touched = [tuple(row) for row in found.collect()]
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


def _merge(hop: GoldHop, touched: Touched) -> None:
    """Computes the touched groups anew; what is as it was isn't written, so that its files stay."""
    by, told = group_columns(hop.declared), hop.declared.touched_by
    inputs = {name: rows_behind(hop.run, frame, told[name], by, touched) for name, frame in hop.load().items()}
    new = of_groups(hop.run, hop.compute(inputs), by, touched)
    old = of_groups(hop.run, hop.table.load(), by, touched)
    rows = [frame.select(F.struct(*hop.table.schema.names).alias(side)) for side, frame in (("n", new), ("o", old))]
    same = [F.col(f"n.n.{name}").eqNullSafe(F.col(f"o.o.{name}")) for name in hop.declared.key]
    both = rows[0].alias("n").join(rows[1].alias("o"), functools.reduce(Column.__and__, same), "full_outer")
    differing = both.where(~F.col("n.n").eqNullSafe(F.col("o.o")))
    source = differing.select(F.coalesce("n.n", "o.o").alias("row"), F.col("n.n").isNull().alias("_gone"))
    values: dict[str, str | Column] = {name: f"s.{name}" for name in hop.table.schema.names}
    # Literals of partitions alone: the log keeps the condition, and other groups may be persons.
    places = [place for place, name in enumerate(by) if name in hop.declared.partition_by]
    folders = among(
        [f"t.{by[place]}" for place in places], [tuple(group[place] for place in places) for group in touched]
    )
    met = same_values(hop.declared.key) & folders
    merge = hop.table.delta().alias("t").merge(source.select("row.*", "_gone").alias("s"), met)
    merge.whenMatchedDelete("s._gone").whenMatchedUpdate(set=values).whenNotMatchedInsert(
        "not s._gone", values
    ).execute()
