"""Rebuilds a layer beside the served tables, from raw, and compares: the same hops, in another folder of the lake.

The ledger is the served one, so batches, times and outcomes are those of the first time; silver is rebuilt from the
rebuilt bronze, and gold from the rebuilt silver. Nothing that is served changes.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from types import ModuleType

from pyspark.sql import functions as F

from lakehouse import bronze, layers, rebuilt
from lakehouse.accounting import Account, Equation
from lakehouse.comparison import UNREADABLE, compare
from lakehouse.declaration import Pipeline, Source
from lakehouse.discovery import File, Ledger
from lakehouse.gate import Gate, State, open_gate, read_gate
from lakehouse.inspection import inspect_file
from lakehouse.layers import Report
from lakehouse.rebuilt import BEFORE, ReplayError, beside
from lakehouse.rewritten import Rewritten
from lakehouse.storage import Changed
from lakehouse.tables import Run, Table


def replay(run: Run, pipeline: Pipeline, script: ModuleType, report: Report, layer: str) -> None:
    """Rebuilds a layer and puts the proof of each of its tables into the report."""
    apart, taken_over = beside(run), dict[str, str]()
    clear(apart, pipeline, layer)
    before = BEFORE.get(layer)
    if before and not read_gate(apart.lake, pipeline.name, before).tables:
        raise ReplayError(f"{before} isn't rebuilt yet: replay the layers in their order")
    if layer == "bronze":
        taken_over = _rebuild_bronze(run, apart, pipeline, report)
    else:
        (layers.run_silver if layer == "silver" else layers.run_gold)(apart, pipeline, script, report, "recent")
    for pair in rebuilt.pairs(run, apart, pipeline, script, layer):
        report.compared.append(compare(replace(pair, note=taken_over.get(pair.name, ""))).as_dict())


def clear(apart: Run, pipeline: Pipeline, layer: str) -> None:
    """Deletes what an earlier replay has left of a layer, after its gate is closed: half a table is never published."""
    if layer != "gold":
        open_gate(apart.lake, pipeline.name, layer, Gate())
    for table in layers.tables_of(apart, pipeline, layer):
        apart.lake.delete_folder(table.key)


def _rebuild_bronze(run: Run, apart: Run, pipeline: Pipeline, report: Report) -> dict[str, str]:
    """All batches whose files have been looked through. Returns what was taken over from served tables, in words."""
    ledger = Ledger(run, pipeline)
    files, rewritten = ledger.files_after(0, {}), ledger.rewritten
    waiting = [file.batch for file in files if file.inspection.outcome == "found"]
    newest = max((file.batch for file in files if file.batch < min(waiting, default=file.batch + 1)), default=0)
    if not newest:
        raise ReplayError(f"the ledger of {pipeline.name} knows no batch: there is nothing to rebuild")
    tables, verified, told = dict[str, Table](), dict[str, State](), dict[str, str]()
    for source in pipeline.bronze.values():
        known = [file for file in files if file.source == source.name and file.batch <= newest]
        if not known:
            continue
        table = bronze.bronze_table(apart, source)
        told[table.key] = _rebuild_source(run, apart, source, known, rewritten)
        tables[source.name] = table
        counted = sum(file.inspection.records for file in known if file.inspection.outcome == "read")
        rows = {"bronze rows": table.load().count()}
        equation = Equation("bronze rows", rows, {"rows before": 0, "records in files": counted})
        verified[source.name] = layers.record(report, Account(table.key, table.version(), 0, newest, [equation]))
    layers.publish(apart, pipeline, "bronze", newest, tables, verified)
    return told


def _rebuild_source(run: Run, apart: Run, source: Source, known: list[File], rewritten: Rewritten) -> str:
    """Loads all readable files of a source, as many batches at once as can be."""
    known.sort(key=lambda file: (file.batch, file.stored.key))
    # All records of a file may be erased.
    files = [file for file in known if file.inspection.outcome == "read" and file.inspection.records]
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = list(pool.map(lambda file: _look_again(run, file, source, rewritten), files))
    lost = {file: why for file, why in zip(files, found, strict=True) if isinstance(why, str)}
    told = _take_over(run, apart, source, lost) if lost else ""
    groups: list[list[File]] = [[]]
    for _, batch in groupby((file for file in found if isinstance(file, File)), key=attrgetter("batch")):
        # Spark reads a path once, and a file that came back in a later batch is read for each.
        again, keys = list(batch), {file.stored.key for file in groups[-1]}
        if any(file.stored.key in keys for file in again):
            groups.append([])
        groups[-1] += again
    for group in groups:
        bronze.load(apart, source, (known if group is groups[-1] else group)[-1].batch, group)
    return told


def _look_again(run: Run, file: File, source: Source, rewritten: Rewritten) -> File | str:
    """The file as it lies there now, with the ledger's batch and time; or why it isn't what it was."""
    key = file.stored.key
    if (now := run.raw.find(key)) is None:
        return "gone"
    try:
        with run.raw.open(key, now.etag) as stream:
            found = rewritten.recognise(key, inspect_file(stream, key, source))
    except Changed:
        return "replaced"
    if found.content_hash != file.inspection.content_hash:
        return "replaced"
    if found.outcome == "read" and found.records != file.inspection.records:
        return "what it was before an erasure"
    if found.outcome != "read":
        return f"{found.outcome} to today's code"
    return replace(file, inspection=replace(found, seen_at=now.modified_at))


def _take_over(run: Run, apart: Run, source: Source, lost: dict[File, str]) -> str:
    """Copies what served bronze holds of files that can't be read again. Raises ReplayError unless that is all."""
    served, table = bronze.bronze_table(run, source), bronze.bronze_table(apart, source)
    wanted = {(file.stored.key, file.batch): file.inspection.records for file in lost}
    named = "; ".join(f"{file.stored.key} of batch {file.batch} is {why}" for file, why in list(lost.items())[:5])
    these = run.spark.createDataFrame(list(wanted), "_file string, _batch bigint")
    try:
        rows = served.load().join(F.broadcast(these), ["_file", "_batch"], "left_semi")
        held = {
            (row["_file"], row["_batch"]): row["count"] for row in rows.groupBy("_file", "_batch").count().collect()
        }
    except UNREADABLE as error:
        raise ReplayError(f"{named}, and what {served.key} holds of it can't be read: put the files back") from error
    if held != {file: count for file, count in wanted.items() if count}:
        raise ReplayError(f"{named}, and {served.key} holds other rows of it than were counted: put the files back")
    writer = bronze.redeclared(rows, source).write.format("delta").mode("append")
    table.create().commit({"hop": "bronze", "batch": 0}, lambda: writer.save(table.path))
    return f"{sum(held.values())} rows are taken over from {served.key}, not rebuilt: {named}"
