"""Puts rebuilt tables in the place of the served ones: one atomic overwrite per table that differs, then the gate.

A migration is the same for tables whose columns are declared otherwise than they are stored, and asked for by name.

Each overwrite says what the rebuilt table has consumed, so the next run goes on from there. A switch that ended early
is run again: what is equal by then stays as it is. Silver comes before its quarantine, and silver's account asks for
both, so nothing is published in between.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from pyspark.sql import DataFrame

from lakehouse import bronze, gold, layers, rebuilt
from lakehouse.accounting import Account, Equation, unverified
from lakehouse.comparison import Pair, is_equal
from lakehouse.declaration import Pipeline
from lakehouse.delta_log import Commit
from lakehouse.gate import Gate, read_gate
from lakehouse.inputs import unread
from lakehouse.layers import Report
from lakehouse.rebuilt import ReplayError, beside, hops_beside
from lakehouse.silver_hop import SilverHop, silver_table
from lakehouse.tables import Run, Table

AGAIN = "run `make replay` again, and switch then (or `make migrate`, which does both)"


def switch(run: Run, pipeline: Pipeline, script: ModuleType, report: Report, layer: str) -> None:
    """As migrate, but raises ContractError when a table of bronze or silver would get other columns."""
    if layer != "gold":
        for table in layers.tables_of(run, pipeline, layer):
            if table.exists():
                table.create().check_partitions()
    migrate(run, pipeline, script, report, layer)


def migrate(run: Run, pipeline: Pipeline, script: ModuleType, report: Report, layer: str) -> None:
    """Publishes what the last replay has rebuilt of a layer. Raises ReplayError when that isn't what it should be."""
    apart = beside(run)
    asked = rebuilt.BEFORE["gold"] if layer == "gold" else layer
    if not read_gate(apart.lake, pipeline.name, asked).tables:
        raise ReplayError(f"{asked} of {pipeline.name} isn't rebuilt: {AGAIN}")
    {"bronze": _switch_bronze, "silver": _switch_silver, "gold": _switch_gold}[layer](
        run, apart, pipeline, script, report
    )


def _switch_bronze(run: Run, apart: Run, pipeline: Pipeline, script: ModuleType, report: Report) -> None:
    tables = {each.name: bronze.bronze_table(run, each) for each in pipeline.bronze.values()}
    gate, remade = (read_gate(each.lake, pipeline.name, "bronze") for each in (run, apart))
    pairs = list(rebuilt.bronze_pairs(run, apart, pipeline, script))
    made = {pair.name: _made(apart, pair.tables[0], "batch") for pair in pairs}
    for pair in pairs:
        table = pair.tables[0]
        if not is_equal(pair) or _is_red(table, gate):
            rows = pair.rebuilt()
            hop = {"hop": "bronze", "batch": made[table.key]["batch"], "switched": {"rows": rows.count()}}
            _overwrite(table, rows, hop)
    verified = layers.verify_bronze(tables, gate, [], report)
    if report.accounts:
        layers.publish(run, pipeline, "bronze", max(gate.batch, remade.batch), tables, verified)


def _switch_silver(run: Run, apart: Run, pipeline: Pipeline, script: ModuleType, report: Report) -> None:
    gate, remade = (read_gate(each.lake, pipeline.name, "silver") for each in (run, apart))
    hops = hops_beside(run, pipeline, script)
    published = {hop.table.name: gate.state(hop.table) for hop in hops}
    both = [each for each in zip(hops, hops_beside(apart, pipeline, script), strict=True) if each[1].table.exists()]
    made = {hop.table.name: _made(apart, hop.table, "to") for hop, _ in both}
    if any(made[hop.table.name]["bronze"] != other.bronze.table_id() for hop, other in both):
        raise ReplayError(f"silver was rebuilt from another bronze than is rebuilt now: {AGAIN}")
    pairs = rebuilt.silver_pairs(run, apart, pipeline, script)
    differing = {pair.tables[0].name for pair in pairs if not is_equal(pair)}
    others = [table for hop in hops for table in (hop.table, hop.quarantine.events)]
    differing |= {table.name for table in others if table.exists() and not table.fits()}
    for hop, other in both:
        newest = hop.table.newest_hop()
        moved = newest is None or newest.hop["bronze"] != hop.bronze.table_id()
        if moved or hop.table.name in differing or _is_red(hop.table, gate):
            _switch_table(hop, other, made[hop.table.name]["to"], made[hop.table.name]["waiting"])
    verified = layers.verify_silver(hops, published, {}, report)
    if report.accounts:
        batch, tables = max(gate.batch, remade.batch), {hop.table.name: hop.table for hop in hops}
        layers.publish(run, pipeline, "silver", batch, tables, verified)


def _switch_table(hop: SilverHop, other: SilverHop, to: int, waiting: int) -> None:
    """A silver table and its quarantine. No try of a reject counts any more, since all are judged anew."""
    rows, rejects = other.table.load(), other.quarantine.rejects.load()
    attempts = max(hop.attempts(), hop.quarantine.attempts_begun()) + 1
    consumed = {"after": 0, "to": to, "attempts_before": attempts, "attempts": attempts}
    counted = {"rows": rows.count(), "open": rejects.count()}
    identity = {"bronze": hop.bronze.table_id(), "waiting": waiting}
    _overwrite(hop.table, rows, {"hop": "silver", **consumed, **identity, "switched": counted})
    events, none = hop.quarantine.events, hop.run.spark.createDataFrame([], hop.quarantine.events.schema)
    _overwrite(events, none, {"hop": events.layer, "attempt": attempts})
    _overwrite(hop.quarantine.rejects, rejects, {"hop": hop.quarantine.rejects.layer, "after": 0, "to": to})


def _switch_gold(run: Run, apart: Run, pipeline: Pipeline, script: ModuleType, report: Report) -> None:
    gate, remade = (read_gate(each.lake, pipeline.name, "silver") for each in (run, apart))
    inputs = {declared.name: silver_table(run, declared) for declared in pipeline.silver.values()}
    versions = {name: gate.version(table) for name, table in inputs.items()}
    for each in pipeline.silver.values():
        served, other = inputs[each.name], silver_table(apart, each)
        if remade.version(other) >= 0 and not is_equal(_as_published(served, other, versions[served.name])):
            raise ReplayError(f"{served.key} as published isn't what was rebuilt: switch silver first, or {AGAIN}")
    pairs = {pair.name: pair for pair in rebuilt.gold_pairs(run, apart, pipeline, script)}
    for declared in pipeline.gold.values():
        hop = gold.gold_hop(run, declared, script, inputs, versions)
        if not (pair := pairs.get(hop.table.key)):
            continue
        _made(apart, hop.table, None)
        newest, now = hop.table.newest_hop(), gold.inputs_of(hop)
        if newest and newest.hop["code"] == run.code and not unread(newest, now) and is_equal(pair):
            continue
        rows = pair.rebuilt()
        commit = _overwrite(hop.table, rows, {"hop": "gold", "inputs": now})
        counted = Equation("switched rows", {"rows switched": commit.rows_written}, {"rows rebuilt": rows.count()})
        layers.record(report, Account(hop.table.key, commit.version, 0, 0, [counted]))


def _as_published(served: Table, other: Table, version: int) -> Pair:
    return Pair(served.key, (served,), lambda: served.load(version), other.load, str, str)


def _made(apart: Run, served: Table, counted: str | None) -> dict[str, Any]:
    """What a rebuilt table says of itself. Raises ReplayError when it is older than today's code or what is served."""
    made, held = Table(apart, served.layer, served.name, served.columns).newest_hop(), served.newest_hop()
    if made is None or made.hop["code"] != apart.code:
        raise ReplayError(f"{served.key} was rebuilt by other code than today's: {AGAIN}")
    if counted and held and held.hop[counted] > made.hop[counted]:
        raise ReplayError(
            f"{served.key} has taken batches up to {held.hop[counted]} since it was rebuilt up to "
            f"{made.hop[counted]}: {AGAIN}"
        )
    return made.hop


def _is_red(table: Table, gate: Gate) -> bool:
    """Whether a commit of a run is unpublished, and so must be replaced, whatever it holds."""
    return any("switched" not in commit.hop for commit in unverified(table, gate.state(table))[1])


def _overwrite(table: Table, rows: DataFrame, hop: dict[str, object]) -> Commit:
    if not table.exists():
        table.create()
    writer = table.writer(table.check(rows, "what is rebuilt")).mode("overwrite")
    writer = writer.option("overwriteSchema", not table.fits())
    return table.commit(hop, lambda: writer.save(table.path))
