"""What a run of each layer does: check what an earlier run left unchecked, take what is new, check, open the gate."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from lakehouse import accounting, bronze, gold, run_record, silver, undeclared
from lakehouse.accounting import Account
from lakehouse.declaration import Pipeline
from lakehouse.discovery import File, Ledger
from lakehouse.gate import Gate, State, open_gate, read_gate
from lakehouse.quarantine import quarantine_of
from lakehouse.silver_hop import SilverHop, silver_hops, silver_table
from lakehouse.tables import Run, Table


@dataclass
class Report:
    """What a run did; goes into its run record."""

    files: Counter[str] = field(default_factory=Counter)
    late_files: int = 0
    accounts: list[dict[str, Any]] = field(default_factory=list)
    refreshed: list[dict[str, Any]] = field(default_factory=list)
    restored: list[dict[str, Any]] = field(default_factory=list)
    compared: list[dict[str, Any]] = field(default_factory=list)
    maintained: list[dict[str, Any]] = field(default_factory=list)
    undeclared_fields: dict[str, list[str]] = field(default_factory=dict)
    erased: dict[str, int] = field(default_factory=dict)

    @property
    def idle(self) -> bool:
        """Whether there was nothing to do."""
        return not any(
            (self.files, self.accounts, self.refreshed, self.restored, self.compared, self.maintained, self.erased)
        )

    def as_dict(self) -> dict[str, Any]:
        """For the run record, with the rows that went in and came out."""
        return {**vars(self), **run_record.row_counts(self.accounts, self.refreshed)}


def tables_of(run: Run, pipeline: Pipeline, layer: str) -> list[Table]:
    """All tables that the runs of a layer write, the ledger and the quarantines included."""
    if layer == "bronze":
        return [Ledger(run, pipeline).table, *(bronze.bronze_table(run, source) for source in pipeline.bronze.values())]
    if layer == "gold":
        return [gold.gold_table(run, declared) for declared in pipeline.gold.values()]
    tables = []
    for declared in pipeline.silver.values():
        quarantine = quarantine_of(run, declared, pipeline.bronze[declared.reads])
        tables += [silver_table(run, declared), quarantine.rejects, quarantine.events]
    return tables


def run_bronze(run: Run, pipeline: Pipeline, script: ModuleType, report: Report, listing: str) -> None:
    """raw -> bronze: the batches that the ledger knows and bronze doesn't, among them the files found now."""
    ledger = Ledger(run, pipeline)
    tables = {source.name: bronze.bronze_table(run, source) for source in pipeline.bronze.values()}
    gate = read_gate(run.lake, pipeline.name, "bronze")
    published = {name: gate.version(table) for name, table in tables.items()}
    newest = {name: table.newest_hop() for name, table in tables.items()}
    covered = {name: int(commit.hop["batch"]) if commit else 0 for name, commit in newest.items()}
    for name, commit in newest.items():
        if commit and commit.hop["code"] != run.code:
            tables[name].create()  # refuses other columns than are declared now, also when there is no file to load
    # A table that has been set back or deleted starts again behind the gate.
    set_back = [
        name
        for name, commit in newest.items()
        if not tables[name].same_rows(commit.version if commit else -1, published[name])
    ]
    newest_batch = ledger.discover(max(covered.values()), everything=listing == "all")
    report.late_files = ledger.late_files
    lost = set_back or [name for name in gate.tables if published.get(name, -1) < 0]
    if ledger.found and newest_batch == gate.batch + 1 and not lost:
        files = ledger.found
    else:
        files = ledger.files_after(gate.batch, covered) if lost or newest_batch != gate.batch else []
    for batch in sorted({file.batch for file in files if file.batch > covered[file.source]}):
        files = _load_batch(run, pipeline, ledger, batch, files, covered, report)
    verified = verify_bronze(tables, gate, files, report)
    if report.accounts or files:
        publish(run, pipeline, "bronze", newest_batch, tables, verified)


def verify_bronze(tables: dict[str, Table], gate: Gate, files: list[File], report: Report) -> dict[str, State]:
    """Accounts for all commits behind the gate; returns the version of each table that balances."""
    verified = {}
    for name, table in tables.items():
        state, commits = accounting.unverified(table, gate.state(table))
        for commit in commits:
            state = record(report, accounting.bronze_account(table, commit, state.rows, files))
        verified[name] = state
    return verified


def _load_batch(
    run: Run, pipeline: Pipeline, ledger: Ledger, batch: int, files: list[File], covered: dict[str, int], report: Report
) -> list[File]:
    """Loads what isn't loaded of a batch; returns all files, those of the batch with what was found in them."""
    open_files = [file for file in files if file.batch == batch and batch > covered[file.source]]
    inspected = ledger.inspect(open_files)
    report.files.update(Counter(file.inspection.outcome for file in inspected))
    for name in sorted({file.source for file in inspected}):
        source = pipeline.bronze[name]
        found = bronze.load(run, source, batch, [file for file in inspected if file.source == name])
        undeclared.note(report.undeclared_fields, bronze.bronze_table(run, source).key, found)
    return [file for file in files if file not in open_files] + inspected


def run_silver(
    run: Run, pipeline: Pipeline, script: ModuleType, report: Report, listing: str, *, readmit: bool = False
) -> None:
    """bronze -> silver: the batches that bronze has published, and open rejects that might pass now.

    Those are what other code has judged last, and what waits for rows that have come. `readmit`: all of them.
    """
    source, gate = (read_gate(run.lake, pipeline.name, layer) for layer in ("bronze", "silver"))
    readable = {each.name: source.version(bronze.bronze_table(run, each)) for each in pipeline.bronze.values()}
    hops = silver_hops(run, pipeline, script, readable)
    published = {hop.table.name: gate.state(hop.table) for hop in hops}
    observed: dict[str, dict[str, int]] = {}
    for hop in hops:
        hop.check_columns()
    for hop in hops:
        if not (published_batch := hop.published_batch()):
            continue
        to, tries = max(published_batch, hop.watermark()), hop.tries(asked=readmit)
        if to > hop.watermark() or tries:
            hop.table.create()
            hop.quarantine.create()
            observed[hop.table.name] = silver.consume(hop, to, tries=tries)
    verified = verify_silver(hops, published, observed, report)
    if report.accounts:
        publish(run, pipeline, "silver", source.batch, {hop.table.name: hop.table for hop in hops}, verified)


def verify_silver(
    hops: list[SilverHop], published: dict[str, State], observed: dict[str, dict[str, int]], report: Report
) -> dict[str, State]:
    """As verify_bronze. `observed`: what this run has counted on the way into a table."""
    verified = {}
    for hop in hops:
        state, commits = accounting.unverified(hop.table, published[hop.table.name])
        for commit in commits:
            counted = observed.get(hop.table.name, {}) if commit.hop["run"] == hop.run.run_id else {}
            state = record(report, accounting.silver_account(hop, commit, state.rows, counted))
        verified[hop.table.name] = state
    return verified


def record(report: Report, account: Account) -> State:
    """Notes and verifies an account; the version that it makes good, with its rows. Raises Unbalanced."""
    report.accounts.append(account.as_dict())
    account.verify()
    return State(account.version, account.rows)


def publish(
    run: Run, pipeline: Pipeline, layer: str, batch: int, tables: dict[str, Table], verified: dict[str, State]
) -> None:
    """Opens the gate of a layer for versions that balance."""
    run.lease.check()
    published = {
        name: {**state._asdict(), "id": tables[name].table_id()}
        for name, state in verified.items()
        if state.version >= 0
    }
    open_gate(run.lake, pipeline.name, layer, Gate(batch, published))


def run_gold(run: Run, pipeline: Pipeline, script: ModuleType, report: Report, listing: str) -> None:
    """silver -> gold: every gold table brought to the versions that silver has published."""
    gate = read_gate(run.lake, pipeline.name, "silver")
    tables = {declared.name: silver_table(run, declared) for declared in pipeline.silver.values()}
    versions = {name: gate.version(table) for name, table in tables.items()}
    for declared in pipeline.gold.values():
        if any(versions[name] < 0 for name in declared.reads):
            continue  # an input has no published version yet
        hop = gold.gold_hop(run, declared, script, tables, versions)
        newest = hop.table.newest_hop()
        if done := gold.refresh(hop):
            commit, how = done
            rows = {"rows_in": gold.changed_rows(hop, newest, commit), "rows_out": commit.rows_written}
            report.refreshed.append(
                {"table": hop.table.key, "version": commit.version, "inputs": hop.versions, "computed": how, **rows}
            )


def repair(run: Run, pipeline: Pipeline, layer: str, report: Report) -> None:
    """Sets each table of a layer back to its published version; the next run takes the batches behind it again."""
    if layer == "bronze":
        tables = [bronze.bronze_table(run, source) for source in pipeline.bronze.values()]
    else:
        tables = [silver_table(run, declared) for declared in pipeline.silver.values()]
    gate = read_gate(run.lake, pipeline.name, layer)
    for table in tables:
        state, commits = accounting.unverified(table, gate.state(table))
        if commits:
            run.lease.check()
            table.delta().restoreToVersion(max(state.version, 0))
            report.restored.append({"table": table.key, "version": max(state.version, 0)})
