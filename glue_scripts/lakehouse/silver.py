"""bronze -> silver: typed, checked, one row per key, newest wins; rejects to quarantine with what they failed."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from lakehouse.bronze import bronze_table
from lakehouse.declaration import Column as Declared
from lakehouse.declaration import Pipeline, SilverTable, Source
from lakehouse.delta_log import Commit, hop_commits
from lakehouse.quality import RECORD, failed_checks
from lakehouse.tables import ContractError, Run, Table, columns

ORIGIN = columns(
    ("_record_id", "string", "The bronze record that this version of the row comes from."),
    ("_ingested_at", "timestamp", "Time of that record's file."),
    ("_batch", "bigint", "Batch of that record's file."),
)
RULES = Declared("_rules", "array<string>", "Names of all checks that the record failed.")


@dataclass(frozen=True)
class SilverHop:
    """One silver table with all that its hop reads and writes."""

    run: Run
    declared: SilverTable
    table: Table
    bronze: Table
    quarantine: Table
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
                f"delete {self.table.key} and {self.quarantine.key}, and the next run builds them anew"
            )
        return int(newest.hop["to"]) if newest else 0

    def judged(self, after: int, to: int) -> DataFrame:
        """The records of a range of batches, typed, with `_rules` (what each failed) and `_record` (its bronze row)."""
        bronze = self.bronze_rows(after, to)
        bronze = bronze.withColumn(RECORD, F.struct(*bronze.columns))
        typed: DataFrame = getattr(self.script, self.declared.name)(bronze.select(*self.fields, RECORD))
        expected = [*(column.name for column in self.declared.columns), RECORD]
        if typed.columns != expected:
            raise ContractError(
                f"{self.table.key}: the function returns ({', '.join(typed.columns)}), expected ({', '.join(expected)})"
            )
        judged = typed.withColumn("_rules", failed_checks(self.declared, self.fields))
        # Without something to observe here, Spark would move a filter on _rules below the typing, and type everything
        # once more for each check that it takes part in.
        return judged.observe("judged", F.count(F.lit(1)).alias("records"))

    def newest_versions(self, judged: DataFrame) -> DataFrame:
        """One row per key among the good records, in the table's columns, with `_n`: how many records it stands for."""
        origin = [F.col(f"{RECORD}.{column.name}").alias(column.name) for column in ORIGIN]
        good = judged.where(F.size("_rules") == 0).select(*(column.name for column in self.declared.columns), *origin)
        row = F.struct(*good.columns)
        newest = good.groupBy(*self.declared.key).agg(
            F.max_by(row, self.order("")).alias("_row"), F.count(F.lit(1)).alias("_n")
        )
        return newest.select("_row.*", "_n")

    def order(self, prefix: str) -> Column:
        """What makes a version newer than another: `newest_by`, then the file's time, then the record's identity."""
        return F.struct(
            *(F.col(f"{prefix}{name}") for name in (*self.declared.newest_by, "_ingested_at", "_record_id"))
        )

    def same_key(self) -> Column:
        """Condition that rows `s` and `t` have one key."""
        same = [F.col(f"t.{name}") == F.col(f"s.{name}") for name in self.declared.key]
        return _all(same)


def silver_table(run: Run, declared: SilverTable) -> Table:
    """A silver table: its declared columns, then where each row comes from."""
    return Table(run, "silver", declared.name, (*declared.columns, *ORIGIN))


def quarantine_table(run: Run, declared: SilverTable, source: Source) -> Table:
    """The quarantine of a silver table: the rejected bronze rows, with what they failed."""
    return Table(run, "quarantine", declared.name, (*bronze_table(run, source).columns, RULES))


def silver_hops(run: Run, pipeline: Pipeline, script: ModuleType, published: dict[str, int]) -> list[SilverHop]:
    """The hops of all silver tables of a pipeline. `published`: the version of each bronze table that may be read."""
    hops = []
    for declared in pipeline.silver.values():
        bronze = bronze_table(run, pipeline.bronze[declared.reads])
        table = silver_table(run, declared)
        quarantine = quarantine_table(run, declared, pipeline.bronze[declared.reads])
        fields = pipeline.bronze[declared.reads].fields
        version = published.get(bronze.name, -1)
        hops.append(SilverHop(run, declared, table, bronze, quarantine, script, fields, version))
    return hops


def consume(hop: SilverHop, to: int) -> tuple[Commit, dict[str, int]]:
    """Takes the batches after the table's watermark up to `to` into quarantine and table.

    Returns the table's commit and what was counted on the way into it (empty when that has to be counted afterwards).
    """
    after, first = hop.watermark(), hop.table.newest_hop() is None
    judged = hop.judged(after, to)
    newest = hop.newest_versions(judged)
    hop.table.check(newest.drop("_n"), "the function's result")
    counts, low, high = _quarantine(hop, judged, after, to)
    metadata = {"hop": "silver", "after": after, "to": to, "counts": counts, "bronze": hop.bronze.table_id()}
    if first:
        observed = Observation()
        rows = newest.observe(
            observed, F.count(F.lit(1)).alias("keys"), F.coalesce(F.sum("_n"), F.lit(0)).alias("records")
        )
        writer = rows.drop("_n").write.format("delta").mode("append")
        commit = hop.table.commit(metadata, lambda: writer.save(hop.table.path))
        return commit, {
            "keys": observed.get["keys"],
            "duplicates": observed.get["records"] - observed.get["keys"],
            "stale": 0,
        }
    values: dict[str, str | Column] = {column.name: f"s.{column.name}" for column in hop.table.columns}
    # Delta skips files by literals on the target's own columns only, so the batch's range of keys is given as such.
    within = F.col(f"t.{hop.declared.key[0]}").between(low, high)
    merge = hop.table.delta().alias("t").merge(newest.alias("s"), hop.same_key() & within)
    merge = merge.whenMatchedUpdate(hop.order("s.") > hop.order("t."), values).whenNotMatchedInsert(values=values)
    return hop.table.commit(metadata, merge.execute), {}


def _quarantine(hop: SilverHop, judged: DataFrame, after: int, to: int) -> tuple[dict[str, Any], Column, Column]:
    """Replaces the rejects of a range of batches; returns counts, lowest and highest first key of the good records."""
    observed, good = Observation(), F.size("_rules") == 0
    key = hop.declared.key[0]
    seen = judged.observe(
        observed,
        F.count(F.lit(1)).alias("read"),
        F.count_if(good).alias("entered"),
        F.count_if(~good).alias("rejected"),
        F.min(F.when(good, F.col(key))).cast("string").alias("low"),
        F.max(F.when(good, F.col(key))).cast("string").alias("high"),
    )
    rejects = hop.quarantine.check(seen.where(~good).select(f"{RECORD}.*", "_rules"), "the rejects")
    writer = (
        rejects.write.format("delta").mode("overwrite").option("replaceWhere", f"_batch > {after} and _batch <= {to}")
    )
    hop.quarantine.commit({"hop": "quarantine", "after": after, "to": to}, lambda: writer.save(hop.quarantine.path))
    found = observed.get
    kind = judged.schema[key].dataType
    low, high = (F.lit(found[name]).cast(kind) for name in ("low", "high"))
    return found, low, high


def count_again(hop: SilverHop, commit: Commit) -> dict[str, int]:
    """Counts a commit's records in the data: keys, duplicates, stale keys (the version before had a newer row)."""
    newest = hop.newest_versions(hop.judged(commit.hop["after"], commit.hop["to"])).alias("s")
    key, low, high = hop.declared.key[0], commit.hop["counts"]["low"], commit.hop["counts"]["high"]
    kind = hop.table.schema[key].dataType
    within = F.col(key).between(F.lit(low).cast(kind), F.lit(high).cast(kind))
    before = hop.table.load(commit.version - 1).where(within).alias("t")
    compared = newest.join(before, hop.same_key(), "left")
    stale = F.coalesce(hop.order("t.") >= hop.order("s."), F.lit(False)) & F.col("t._record_id").isNotNull()
    counted = compared.agg(
        F.count(F.lit(1)).alias("keys"),
        F.coalesce(F.sum("s._n"), F.lit(0)).alias("records"),
        F.count_if(stale).alias("stale"),
    ).first()
    assert counted is not None
    return {"keys": counted.keys, "duplicates": counted.records - counted.keys, "stale": counted.stale}


def _all(conditions: list[Column]) -> Column:
    joined = conditions[0]
    for condition in conditions[1:]:
        joined = joined & condition
    return joined
