"""What the hop of one silver table takes and judges: which records, what each fails, which version of a key wins."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse import arrival, history
from lakehouse.bronze import bronze_table
from lakehouse.declaration import Pipeline, SilverTable
from lakehouse.delta_log import hop_commits
from lakehouse.quality import RECORD, failed_checks
from lakehouse.quarantine import ALL, ARRIVED, NONE, Quarantine, quarantine_of
from lakehouse.references import References
from lakehouse.tables import ContractError, Run, Table, columns
from lakehouse.work import Work, work_of

ORIGIN = columns(
    ("_record_id", "string", "The bronze record that this version of the row comes from."),
    ("_ingested_at", "timestamp", "Time of that record's file."),
    ("_batch", "bigint", "Batch of that record's file."),
)


@dataclass(frozen=True)
class SilverHop:
    """One silver table with all that its hop reads and writes."""

    run: Run
    declared: SilverTable
    table: Table
    bronze: Table
    quarantine: Quarantine
    references: References
    script: ModuleType
    fields: tuple[str, ...]
    bronze_version: int

    def bronze_rows(self, after: int, to: int) -> DataFrame:
        """The published bronze rows of a range of batches."""
        return self.bronze.load(self.bronze_version).where((F.col("_batch") > after) & (F.col("_batch") <= to))

    def published_batch(self) -> int:
        """The last batch of the source that bronze has published; 0 before the first."""
        commits = hop_commits(self.run.lake, self.bronze.key) if self.bronze_version >= 0 else ()
        return next((int(commit.hop["batch"]) for commit in commits if commit.version <= self.bronze_version), 0)

    def watermark(self) -> int:
        """The last batch that the table has consumed; 0 before the first."""
        newest = self.table.newest_hop()
        if newest and newest.hop["bronze"] != self.bronze.table_id():
            raise ContractError(
                f"{self.bronze.key} is another table than {self.table.key} has consumed: "
                f"delete {self.table.key} and {self.quarantine.rejects.key}, and the next run builds them anew"
            )
        return int(newest.hop["to"]) if newest else 0

    def check_columns(self) -> None:
        """Raises ContractError when the tables have other columns than are declared to other code than wrote last."""
        if (newest := self.table.newest_hop()) and newest.hop["code"] != self.run.code:
            self.table.create().check_partitions()
            self.quarantine.create()

    def attempts(self) -> int:
        """How many attempts at open rejects the table holds; 0 before the first."""
        newest = self.table.newest_hop()
        return int(newest.hop.get("attempts", 0)) if newest else 0

    def tries(self, asked: bool) -> str:
        """Which open rejects are tried, if any.

        All, when the code has changed or a person has asked; those whose wait is over, when referenced tables have got
        rows; those of an attempt that has ended early.
        """
        newest, attempts = self.table.newest_hop(), self.attempts()
        begun = self.quarantine.tries_begun() if self.quarantine.attempts_begun() > attempts else NONE
        if begun == ALL or newest is None:
            return begun
        to = newest.hop["to"]
        if asked or newest.hop["code"] != self.run.code:
            self.quarantine.create()
            return begun if self.quarantine.open_rejects(to, attempts).isEmpty() else ALL
        if begun or not newest.hop.get("waiting") or not self.references.have_changed(work_of(newest).references):
            return begun
        arrived = self.judged(Work(to, to, attempts, attempts + 1, ARRIVED, self.references.versions()))
        return NONE if arrived.isEmpty() else ARRIVED

    def waiting(self, work: Work, counts: dict[str, int]) -> int:
        """How many records wait after a commit, by what it has counted."""
        newest = self.table.newest_hop()
        before = int(newest.hop.get("waiting", 0)) if newest and work.tries != ALL else 0
        tried = counts["reopened"] if work.tries == ARRIVED else 0
        return before - tried + counts["waiting"] + counts["waiting_again"]

    def records(self, work: Work) -> DataFrame:
        """The bronze rows that a commit looks at; those of open rejects are the ones of older batches."""
        if not work.reopens:
            return self.bronze_rows(work.after, work.to)
        quarantined = self.quarantine.waiting if work.tries == ARRIVED else self.quarantine.open_rejects
        reopened = quarantined(work.after, work.attempts_before).select(*self.bronze.schema.names)
        return self.bronze_rows(work.after, work.to).unionByName(reopened) if work.to > work.after else reopened

    def typed(self, records: DataFrame) -> DataFrame:
        """Bronze rows in the columns that the table's function makes of them, each with `_record`: the bronze row."""
        bronze = records.withColumn(RECORD, F.struct(*(column.name for column in self.bronze.columns)))
        typed: DataFrame = getattr(self.script, self.declared.name)(bronze.select(*self.fields, RECORD))
        expected = [*(column.name for column in self.declared.columns), RECORD]
        if typed.columns != expected:
            raise ContractError(
                f"{self.table.key}: the function returns ({', '.join(typed.columns)}), expected ({', '.join(expected)})"
            )
        return typed

    def judged(self, work: Work) -> DataFrame:
        """The records that a commit takes, typed, with `_rules` (what each failed) and `_record` (its bronze row)."""
        judged = self.typed(self.records(work)).withColumn("_rules", failed_checks(self.declared, self.fields))
        # Without something to observe here, Spark would move a filter on _rules below the typing, and type everything
        # once more for each check that it takes part in.
        judged = judged.observe("judged", F.count(F.lit(1)).alias("records"))
        judged = self.references.judge(judged, work.references)
        return self._without_those_that_still_wait(judged, work) if work.tries == ARRIVED else judged

    def _without_those_that_still_wait(self, judged: DataFrame, work: Work) -> DataFrame:
        """The records of new batches, and of older ones those that no longer wait for all that they did."""
        waited = self.quarantine.waiting(work.after, work.attempts_before)
        waited = waited.select(F.col("_record_id").alias("_waited"), F.col("_rules").alias("_waited_for"))
        known = judged.join(waited, F.col(f"{RECORD}._record_id") == F.col("_waited"), "left")
        changed = F.col("_waited_for") != F.col("_rules")
        is_new = F.col(f"{RECORD}._batch") > work.after
        return known.where(is_new | changed).drop("_waited", "_waited_for")

    def newest_versions(self, judged: DataFrame) -> DataFrame:
        """One row per identity among the good records, in the table's columns, with `_n`: how many records it is."""
        origin = [F.col(f"{RECORD}.{column.name}").alias(column.name) for column in ORIGIN]
        good = judged.where(F.size("_rules") == 0).select(*(column.name for column in self.declared.columns), *origin)
        return self.reduce(good).select(*(column.name for column in self.table.columns), "_n")

    def reduce(self, versions: DataFrame) -> DataFrame:
        """The newest of all rows with the same identity, with `_n`, and in a history with `_valid_to`."""
        newest = versions.groupBy(*self.declared.identity).agg(
            F.max_by(F.struct(*versions.columns), self.order("")).alias("_row"), F.count(F.lit(1)).alias("_n")
        )
        rows = newest.select("_row.*", "_n")
        return history.with_ends(self.declared, rows) if self.declared.history else rows

    def order(self, prefix: str) -> Column:
        """What makes a version newer than another: `newest_by`, then the file's time, then the record's identity."""
        return F.struct(
            *(F.col(f"{prefix}{name}") for name in (*self.declared.newest_by, "_ingested_at", "_record_id"))
        )

    def changed_versions(self, newest: DataFrame, within: Column) -> DataFrame:
        """What a history's MERGE takes: versions of the keys of `newest` that are new or now end elsewhere."""
        keys = newest.select(*self.declared.key).distinct()
        stored = self.table.load().alias("t").where(within).join(keys, on=list(self.declared.key), how="left_semi")
        new = newest.drop("_n", history.VALID_TO)
        return history.changed(self.reduce(history.ending(stored).unionByName(new, allowMissingColumns=True)))

    def same_row(self) -> Column:
        """Condition that rows `s` and `t` have one identity."""
        return _same(self.declared.identity)

    def met_row(self) -> Column:
        """Condition that `t` is the stored row that `s` meets: of its key, and in a history held at its moment."""
        if not self.declared.history:
            return self.same_row()
        (moment,) = self.declared.newest_by
        at, begun, ends = F.col(f"s.{moment}"), F.col(f"t.{moment}"), F.col(f"t.{history.VALID_TO}")
        return _same(self.declared.key) & (begun <= at) & (at < ends)

    def within(self, counts: dict[str, Any]) -> Column:
        """Condition on the stored rows `t` that a commit can touch, by what it has counted.

        Delta skips files by literals on the target's own columns only, so the batch's ranges are given as such.
        """
        if self.declared.arrival:
            return arrival.repeatable(self.declared.arrival, counts["earliest_file"])
        kinds, key = self.table.schema, self.declared.key[0]
        low, high = (F.lit(counts[name]).cast(kinds[key].dataType) for name in ("low", "high"))
        within = F.col(f"t.{key}").between(low, high)
        if not self.declared.history:
            return within
        earliest = F.lit(counts["earliest"]).cast(kinds[history.VALID_TO].dataType)
        return within & (F.col(f"t.{history.VALID_TO}") > earliest)


def silver_table(run: Run, declared: SilverTable) -> Table:
    """A silver table: its declared columns, in a history until when each row holds, then where it comes from."""
    ends = (history.valid_to(declared),) if declared.history else ()
    return Table(run, "silver", declared.name, (*declared.columns, *ends, *ORIGIN), declared.partition_by)


def silver_hops(run: Run, pipeline: Pipeline, script: ModuleType, published: dict[str, int]) -> list[SilverHop]:
    """The hops of all silver tables of a pipeline. `published`: the version of each bronze table that may be read."""
    hops, tables = [], {name: silver_table(run, declared) for name, declared in pipeline.silver.items()}
    for declared in pipeline.silver.values():
        bronze = bronze_table(run, pipeline.bronze[declared.reads])
        references = References({name: tables[name] for name in declared.references}, declared.references)
        quarantine = quarantine_of(run, declared, pipeline.bronze[declared.reads])
        fields = pipeline.bronze[declared.reads].fields
        version = published.get(bronze.name, -1)
        table = tables[declared.name]
        hops.append(SilverHop(run, declared, table, bronze, quarantine, references, script, fields, version))
    return hops


def _same(names: tuple[str, ...]) -> Column:
    joined = F.lit(True)
    for name in names:
        joined = joined & (F.col(f"t.{name}") == F.col(f"s.{name}"))
    return joined
