"""Maintenance of a layer's tables: small files are made one, and files that nobody reads any more are deleted.

It commits nothing but Delta's own OPTIMIZE, which carries no watermark. What the engine may still read stays: the
published version of a table, the version that a repair would set it back to, and changes that gold hasn't read. The
log cleans itself up, at every tenth commit, of what is older than its retention.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lakehouse import accounting, delta_log, gold
from lakehouse.declaration import Pipeline
from lakehouse.gate import Gate, State, open_gate, read_gate
from lakehouse.inputs import run_at
from lakehouse.layers import Report, tables_of
from lakehouse.storage import StoredObject
from lakehouse.tables import FILE_DAYS, Run, Table


class ChangedRows(RuntimeError):
    """A table that was compacted holds another number of rows than before."""


def maintain(run: Run, pipeline: Pipeline, layer: str, report: Report) -> None:
    """Compacts and vacuums every table that the runs of a layer write, the ledger and the quarantines included."""
    for table in tables_of(run, pipeline, layer):
        # Quarantine and ledger share their names with tables that have a gate.
        gated = layer != "gold" and table.layer == layer
        if not table.exists() or not table.newest_hop():
            continue
        compacted = deleted = 0
        if not (reason := _unpublished(run, pipeline, table) if gated else None):
            compacted = _compact(table)
            if gated:
                _move_gate(run, pipeline, table)
            if not (reason := _unread(run, pipeline, table) if table.layer == "silver" else None):
                deleted = _vacuum(table)
        if compacted or deleted or reason:
            report.maintained.append(
                {"table": table.key, "compacted": compacted, "deleted": deleted, "left_alone": reason}
            )


def _unpublished(run: Run, pipeline: Pipeline, table: Table) -> str | None:
    """Why a repair or the next layer may need files that the newest version of a table hasn't; None: they don't."""
    published = read_gate(run.lake, pipeline.name, table.layer).state(table)
    _, commits = accounting.unverified(table, published)
    if commits:
        return f"version {commits[-1].version} isn't published: run the pipeline, or repair it"
    if not table.same_rows(published.version, newest := table.version()):
        return f"version {newest} isn't a run's, and version {published.version} is published"
    return None


def _compact(table: Table) -> int:
    """Makes small files one; returns how many they were. Nothing new since the last time: no commit.

    An old commit of a hop stays the newest, since the log mustn't lose it: the table knows its watermark from there.
    """
    lake, before = table.run.lake, table.version()
    if not delta_log.read_commit(lake, table.key, before).hop or table.is_ageing():
        return 0
    table.run.lease.check()
    table.delta().optimize().executeCompaction()
    newest = table.version()
    return delta_log.read_commit(lake, table.key, newest).metrics["numRemovedFiles"] if newest > before else 0


def _move_gate(run: Run, pipeline: Pipeline, table: Table) -> None:
    """Publishes the compacted version: VACUUM takes the files of the one before, which the next layer would read."""
    gate = read_gate(run.lake, pipeline.name, table.layer)
    published, newest = gate.state(table), table.version()
    if newest == published.version:
        return
    rows = table.load(newest).count()
    if rows != published.rows:
        raise ChangedRows(
            f"{table.key} version {newest} holds {rows} rows after OPTIMIZE, and version {published.version} holds "
            f"{published.rows}: nothing of it is published. RESTORE the table to version {published.version}"
        )
    run.lease.check()
    moved = {**gate.tables[table.name], **State(newest, rows)._asdict()}
    open_gate(run.lake, pipeline.name, table.layer, Gate(gate.batch, {**gate.tables, table.name: moved}))


def _unread(run: Run, pipeline: Pipeline, table: Table) -> str | None:
    """Which gold tables haven't read which changes of a silver table; None: all have, or will read it whole."""
    newest, unread = table.version(), []
    for declared in pipeline.gold.values():
        hop = gold.gold_table(run, declared).newest_hop()
        seen = hop.hop["inputs"].get(table.name) if hop else None
        if not seen or seen["id"] != table.table_id() or seen["run"] == run_at(run.lake, table.key, newest):
            continue
        unread.append(f"gold/{declared.name} hasn't read what came after version {seen['version']}")
    return "; ".join(unread) or None


def _vacuum(table: Table) -> int:
    """Deletes what the table needed last before its retention; returns how many files."""
    oldest_kept = datetime.now(UTC) - timedelta(days=FILE_DAYS)
    before = _files(table)
    if all(file.modified_at >= oldest_kept for file in before):
        return 0  # most tables of a young lake: VACUUM takes seconds to find that out
    table.run.lease.check()
    table.delta().vacuum()
    return len(before) - len(_files(table))


def _files(table: Table) -> list[StoredObject]:
    """The files of a table's rows and changes."""
    listed = table.run.lake.list(f"{table.key}/")
    return [file for file in listed if "/_delta_log/" not in file.key and file.key.endswith(".parquet")]
