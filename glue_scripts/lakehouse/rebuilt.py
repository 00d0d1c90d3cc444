"""What a replay rebuilds, held against what is served: each table with its like, and when the two must be equal."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse import bronze, gold
from lakehouse.beside import Beside
from lakehouse.comparison import UNREADABLE, Content, Pair, content, fewer_rows, is_equal
from lakehouse.declaration import Pipeline
from lakehouse.gate import read_gate
from lakehouse.inputs import unread
from lakehouse.silver_hop import SilverHop, silver_hops, silver_table
from lakehouse.tables import Run, Table

FOLDER = "replay"
"""The folder of a lake that holds the rebuilt tables, under the keys of the served ones."""
BEFORE = {"silver": "bronze", "gold": "silver"}


class ReplayError(RuntimeError):
    """What can't be rebuilt, or mustn't be published; the message says why and what to do."""


def beside(run: Run) -> Run:
    """The same run over the rebuilt tables."""
    return replace(run, lake=Beside(run.lake, FOLDER))


def pairs(run: Run, apart: Run, pipeline: Pipeline, script: ModuleType, layer: str) -> Iterator[Pair]:
    """The tables of a layer that are rebuilt, each with the served one."""
    return {"bronze": bronze_pairs, "silver": silver_pairs, "gold": gold_pairs}[layer](run, apart, pipeline, script)


def bronze_pairs(run: Run, apart: Run, pipeline: Pipeline, script: ModuleType) -> Iterator[Pair]:
    """One pair per source of which a file is known."""
    for source in pipeline.bronze.values():
        table, rebuilt = bronze.bronze_table(run, source), bronze.bronze_table(apart, source)
        if rebuilt.exists():
            behind = functools.partial(_behind, table, rebuilt, "batch")
            yield Pair(table.key, (table,), table.load, rebuilt.load, behind, str, lost=fewer_rows)


def hops_beside(run: Run, pipeline: Pipeline, script: ModuleType) -> list[SilverHop]:
    """The hops of all silver tables, served or rebuilt, over the bronze tables beside them."""
    gate = read_gate(run.lake, pipeline.name, "bronze")
    sources = pipeline.bronze.values()
    return silver_hops(
        run, pipeline, script, {each.name: gate.version(bronze.bronze_table(run, each)) for each in sources}
    )


def silver_pairs(run: Run, apart: Run, pipeline: Pipeline, script: ModuleType) -> Iterator[Pair]:
    """Two pairs per silver table: its rows, and its open rejects with what they fail."""
    for hop, rebuilt in zip(hops_beside(run, pipeline, script), hops_beside(apart, pipeline, script), strict=True):
        if not rebuilt.table.exists():
            continue
        behind = functools.partial(_behind, hop.table, rebuilt.table, "to")
        raw = Pair("", (), hop.bronze.load, rebuilt.bronze.load, str, str)
        follows = functools.partial(_follows_bronze, raw, f"{hop.bronze.key} differs, too")
        tables = (hop.table,)
        yield Pair(hop.table.key, tables, hop.table.load, rebuilt.table.load, behind, follows, lost=fewer_rows)
        quarantined = (hop.quarantine.rejects, hop.quarantine.events)
        served, other = (functools.partial(_open_rejects, each) for each in (hop, rebuilt))
        rejected = functools.partial(_newly_rejected, hop, rebuilt)
        yield Pair(f"{quarantined[0].key} (open)", quarantined, served, other, behind, follows, lost=rejected)


def _open_rejects(hop: SilverHop) -> DataFrame:
    work = hop.table.newest_hop()
    return hop.quarantine.judged_rejects(*((work.hop["to"], work.hop["attempts"]) if work else (0, 0)))


def _newly_rejected(hop: SilverHop, rebuilt: SilverHop, *_: Content) -> dict[str, int]:
    """Records that the served table has taken and the rebuilt one rejects, by what they fail."""
    work = hop.table.newest_hop()
    taken = _open_rejects(rebuilt).where(F.col("_batch") <= (work.hop["to"] if work else 0))
    new = taken.join(_open_rejects(hop).select("_record_id"), on="_record_id", how="left_anti")
    counted = new.groupBy(F.concat_ws(", ", "_rules").alias("rules")).count().collect()
    return {row["rules"]: row["count"] for row in sorted(counted)}


def _follows_bronze(raw: Pair, text: str) -> str:
    return "" if is_equal(raw) else text


def gold_pairs(run: Run, apart: Run, pipeline: Pipeline, script: ModuleType) -> Iterator[Pair]:
    """One pair per gold table."""
    inputs = {declared.name: silver_table(run, declared) for declared in pipeline.silver.values()}
    gate = read_gate(run.lake, pipeline.name, "silver")
    published = {name: gate.version(table) for name, table in inputs.items()}
    for declared in pipeline.gold.values():
        rebuilt = gold.gold_table(apart, declared)
        if rebuilt.exists():
            hop = gold.gold_hop(run, declared, script, inputs, published)
            behind, follows = functools.partial(_gold_behind, hop), functools.partial(_follows_silver, hop)
            yield Pair(hop.table.key, (hop.table,), hop.table.load, rebuilt.load, behind, follows)


def _gold_behind(hop: gold.GoldHop) -> str:
    newest = hop.table.newest_hop()
    if newest and newest.hop["code"] == hop.run.code and unread(newest, gold.inputs_of(hop)):
        return "not computed from what silver has published: run the pipeline first"
    return ""


def _follows_silver(hop: gold.GoldHop) -> str:
    try:
        computed = content(hop.compute(hop.load()))
    except UNREADABLE:
        return ""
    same = computed == content(hop.table.load())
    return "it is what today's code makes of silver as it is served" if same else ""


def _behind(table: Table, rebuilt: Table, counted: str) -> str:
    """That a table holds fewer batches than the rebuilt one, or more."""
    there, here = (commit.hop[counted] if commit else 0 for commit in (table.newest_hop(), rebuilt.newest_hop()))
    return "" if there == here else f"holds batches up to {there}, the rebuilt one up to {here}: run, then replay"
