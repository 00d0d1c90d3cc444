"""Erases a person: no record, row, version or log of the lake tells of them any more, and a record tells that of it.

What goes is planned first. Then raw files are rewritten, tables get one commit each that leaves the person's rows out,
gold follows silver as in any run, and the past of all these tables is taken away. Every step can be repeated.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import ModuleType

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse import layers, persons, raw_erasure, replay
from lakehouse.declaration import Pipeline
from lakehouse.erasure_plan import Plan, make_plan, plan_key, read_plan, tables_of, write_plan
from lakehouse.gate import Gate, State, open_gate, read_gate
from lakehouse.gold import gold_table
from lakehouse.layers import Report
from lakehouse.lease import Lease
from lakehouse.past import drop_past
from lakehouse.raw_erasure import ErasureError
from lakehouse.rebuilt import beside, hops_beside
from lakehouse.silver_hop import SilverHop
from lakehouse.tables import Run, Table

LOG = logging.getLogger("lakehouse")
NOT_CARRIED = {"run", "code", "table", "counts", "switched", "erased"}
"""What of its last commit's metadata a table's new one doesn't repeat."""


@dataclass(frozen=True)
class Erasure:
    """One erasure of one pipeline, with the run of each layer under that layer's lease."""

    runs: dict[str, Run]
    pipeline: Pipeline
    script: ModuleType

    def of(self, table: Table) -> Table:
        """The table, to be written under its layer's lease."""
        layer = {"quarantine": "silver", "quarantine_events": "silver", "ledger": "bronze"}.get(table.layer)
        return replace(table, run=self.runs[layer or table.layer])


def erase(run: Run, pipeline: Pipeline, script: ModuleType, report: Report, person: str) -> None:
    """Brings the pipeline up to date, then erases a person; or finishes the erasure of that person that ended early."""
    if not pipeline.holds_persons:
        raise ErasureError(f"{pipeline.name} holds no persons: no source in {pipeline.name}.yaml declares a `person`")
    lake, name, patience = run.lake, pipeline.name, run.lease.patience
    with (
        Lease(lake, name, "silver", run.run_id, patience) as silver,
        Lease(lake, name, "gold", run.run_id, patience) as gold,
    ):
        runs = {"bronze": run, "silver": replace(run, lease=silver), "gold": replace(run, lease=gold)}
        erasure, plan = Erasure(runs, pipeline, script), read_plan(lake, pipeline)
        if plan is None:
            layers.run_bronze(runs["bronze"], pipeline, script, report, "recent")
            layers.run_silver(runs["silver"], pipeline, script, report, "recent")
            layers.run_gold(runs["gold"], pipeline, script, report, "recent")
            plan = make_plan(run, pipeline, script, person)
            if plan.is_empty:
                raw_erasure.forget_versions(run, pipeline)
                unsearched = ", ".join(map(str, plan.unsearched)) or "none"
                LOG.info("%s: nothing is there of the person to be erased; files not searched: %s", name, unsearched)
                return
            write_plan(lake, pipeline, plan)
        elif not plan.is_of(person):
            raise ErasureError(f"the erasure that run {plan.erasure} has begun is of another person: finish that first")
        _carry_out(erasure, plan, report)
        if not (left := make_plan(run, pipeline, script, person)).is_empty:
            records = sum(map(len, left.records.values()))
            raise ErasureError(
                f"{records} records of the person in bronze and {len(left.files)} raw files with such are there again: "
                f"files have come meanwhile. `make erase` once more takes them, too"
            )


def _carry_out(erasure: Erasure, plan: Plan, report: Report) -> None:
    run, pipeline = erasure.runs["bronze"], erasure.pipeline
    rewritten = raw_erasure.rewrite(run, pipeline, plan.files)
    raw_erasure.forget_versions(run, pipeline)
    concerned = persons.concerned(pipeline)
    hops = [hop for hop in hops_beside(run, pipeline, erasure.script) if hop.table.name in concerned]
    held = any(plan.rows.values())  # else it is raw files alone, and no table has ever known
    for hop in hops if held else []:
        for table in (each for each in tables_of(hop) if each.exists() and each.newest_hop()):
            _leave_out(erasure, hop, table, plan)
    raw_erasure.correct_ledger(run, pipeline, plan.batches, rewritten)
    if held:
        _publish(erasure, hops, report)
    apart = beside(run)
    for layer in erasure.runs:
        replay.clear(apart, pipeline, layer)
        for table in layers.tables_of(apart, pipeline, layer):
            apart.lake.forget(table.key)
    report.erased.update({table: count for table, count in plan.rows.items() if count})
    report.files["rewritten"] += len(plan.files)
    _write_record(run, pipeline, plan)
    run.lake.delete(plan_key(pipeline))


def _publish(erasure: Erasure, hops: list[SilverHop], report: Report) -> None:
    """Opens the gates for what is left, has gold follow, and takes the past of all these tables away."""
    pipeline, run = erasure.pipeline, erasure.runs["gold"]
    for hop in hops:
        for table in (hop.bronze, hop.table):
            _move_gate(erasure, table)
    layers.run_gold(run, pipeline, erasure.script, report, "recent")
    names = {hop.table.name for hop in hops}
    golden = [gold_table(run, each) for each in pipeline.gold.values() if names & set(each.reads)]
    for table in [*(table for hop in hops for table in tables_of(hop)), *golden]:
        deleted = drop_past(erasure.of(table)) if table.exists() else 0
        report.maintained.append({"table": table.key, "compacted": 0, "deleted": deleted, "left_alone": None})


def _leave_out(erasure: Erasure, hop: SilverHop, table: Table, plan: Plan) -> None:
    """One commit that leaves the rows of the planned records out, also when there are none: so its past can go."""
    newest = table.newest_hop()
    assert newest is not None
    if newest.hop.get("erased") == plan.erasure:
        return
    # What it holds was judged by the code that it says, and is tried again by other code.
    table = replace(erasure.of(table), run=replace(erasure.of(table).run, code=newest.hop["code"]))
    hop_metadata = {name: value for name, value in newest.hop.items() if name not in NOT_CARRIED}
    metadata = {**hop_metadata, "erased": plan.erasure}
    if table.layer == "silver" and hop.references.columns:
        work = (newest.hop["to"], newest.hop["attempts"])
        waiting = hop.quarantine.waiting(*work).count() if hop.quarantine.rejects.exists() else 0
        metadata |= {"waiting": waiting, "references": hop.references.versions()}
    if not plan.rows.get(table.key):
        none = table.run.spark.createDataFrame([], table.load().schema).write.format("delta").mode("append")
        table.commit(metadata, lambda: none.save(table.path))
        return
    there = persons.without(hop, plan.records[hop.bronze.name])
    if table.layer != "silver":
        merge = table.delta().alias("t").merge(there.gone.alias("s"), "t._record_id = s._record_id")
        table.commit(metadata, merge.whenMatchedDelete().execute)
        return
    old, new = there.touched()
    # By record: where an arrival is declared, a key that was used again much later has two rows.
    gone = old.select("_record_id").join(new.select("_record_id"), "_record_id", "left_anti")
    rows = new.withColumn("_gone", F.lit(False)).unionByName(
        gone.withColumn("_gone", F.lit(True)), allowMissingColumns=True
    )
    same = "t._record_id = s._record_id"
    merge = table.delta().alias("t").merge(rows.alias("s"), same).whenMatchedDelete("s._gone")
    values: dict[str, str | Column] = {column.name: f"s.{column.name}" for column in table.columns}
    merge = merge.whenMatchedUpdate(set=values).whenNotMatchedInsert("not s._gone", values)
    table.commit(metadata, merge.execute)


def _move_gate(erasure: Erasure, table: Table) -> None:
    """Publishes the version without the person's rows. Raises ErasureError when others are missing, too."""
    run, pipeline = erasure.of(table).run, erasure.pipeline
    gate = read_gate(run.lake, pipeline.name, table.layer)
    published = gate.state(table)
    commits = table.hops_after(published.version)
    if published.version < 0 or not commits:
        return
    taken = sum(
        commit.metrics.get("numTargetRowsDeleted", 0) - commit.metrics.get("numTargetRowsInserted", 0)
        for commit in commits
    )
    version = commits[-1].version
    rows = table.load(version).count()
    if rows != published.rows - taken:
        raise ErasureError(
            f"{table.key} version {version} holds {rows} rows, which aren't the {published.rows} that are published "
            f"without {taken}: nothing of it is published"
        )
    run.lease.check()
    moved = {**gate.tables[table.name], **State(version, rows)._asdict()}
    open_gate(run.lake, pipeline.name, table.layer, Gate(gate.batch, {**gate.tables, table.name: moved}))


def _write_record(run: Run, pipeline: Pipeline, plan: Plan) -> None:
    """That, when, by which runs and where; of whom only a hash, to which the id must be known."""
    record = {
        "erasure": plan.erasure,
        "pipeline": pipeline.name,
        "begun_at": plan.begun,
        "finished_at": datetime.now(UTC).isoformat(),
        "finished_by": run.run_id,
        "salt": plan.salt,
        "person": plan.person,
        "rows": plan.rows,
        "rewritten": [file.key for file in plan.files],
        "unsearched": plan.unsearched,
    }
    run.lake.write(f"erasures/{pipeline.name}/records/{plan.erasure}.json", json.dumps(record, indent=1).encode())
