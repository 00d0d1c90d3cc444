"""bronze -> silver: typed, checked, one row per key, newest wins; rejects to quarantine with what they failed."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from pyspark.sql import Column, Observation
from pyspark.sql import functions as F

from lakehouse.delta_log import Commit
from lakehouse.quality import RECORD
from lakehouse.silver_hop import SilverHop, Work, work_of


def consume(hop: SilverHop, to: int, *, reopen: bool) -> dict[str, int]:
    """Takes the batches after the table's watermark up to `to`, and all open rejects, into quarantine and table.

    Returns what was counted on the way into the table; nothing when that has to be counted afterwards.
    """
    first, attempts = hop.table.newest_hop() is None, hop.attempts()
    work = Work(hop.watermark(), to, attempts, attempts + reopen)
    newest = hop.newest_versions(hop.judged(work))
    hop.table.check(newest.drop("_n"), "the function's result")
    counts, low, high = _sort_out(hop, work)
    metadata = {"hop": "silver", **asdict(work), "counts": counts, "bronze": hop.bronze.table_id()}
    if first:
        observed = Observation()
        rows = newest.observe(
            observed, F.count(F.lit(1)).alias("keys"), F.coalesce(F.sum("_n"), F.lit(0)).alias("records")
        )
        writer = rows.drop("_n").write.format("delta").mode("append")
        hop.table.commit(metadata, lambda: writer.save(hop.table.path))
        return {
            "keys": observed.get["keys"],
            "duplicates": observed.get["records"] - observed.get["keys"],
            "stale": 0,
        }
    values: dict[str, str | Column] = {column.name: f"s.{column.name}" for column in hop.table.columns}
    # Delta skips files by literals on the target's own columns only, so the batch's range of keys is given as such.
    within = F.col(f"t.{hop.declared.key[0]}").between(low, high)
    merge = hop.table.delta().alias("t").merge(newest.alias("s"), hop.same_key() & within)
    merge = merge.whenMatchedUpdate(hop.order("s.") > hop.order("t."), values).whenNotMatchedInsert(values=values)
    # The version before the commit has to be read by now, or it may be gone from the log.
    counted = _count(hop, work, counts, hop.table.version()) if hop.table.is_ageing() else {}
    hop.table.commit(metadata, merge.execute)
    return counted


def _sort_out(hop: SilverHop, work: Work) -> tuple[dict[str, Any], Column, Column]:
    """Writes rejects and events; returns counts, lowest and highest first key of the good records."""
    observed, good, new = Observation(), F.size("_rules") == 0, F.col(f"{RECORD}._batch") > work.after
    key, judged = hop.declared.key[0], hop.judged(work)
    seen = judged.observe(
        observed,
        F.count_if(new).alias("read"),
        F.count_if(~new).alias("reopened"),
        F.count_if(good).alias("entered"),
        F.count_if(~good & new).alias("rejected"),
        F.min(F.when(good, F.col(key))).cast("string").alias("low"),
        F.max(F.when(good, F.col(key))).cast("string").alias("high"),
    )
    batches = work.to > work.after
    if batches:
        hop.quarantine.replace_rejects(seen.where(new), work.after, work.to)
    if work.reopens:
        reopened = hop.judged(replace(work, to=work.after)) if batches else seen
        hop.quarantine.replace_events(reopened, work.attempts)
    found = observed.get
    kind = judged.schema[key].dataType
    low, high = (F.lit(found[name]).cast(kind) for name in ("low", "high"))
    return found, low, high


def count_again(hop: SilverHop, commit: Commit) -> dict[str, int]:
    """Counts a commit's records in the data: keys, duplicates, stale keys (the version before had a newer row)."""
    return _count(hop, work_of(commit), commit.hop["counts"], commit.version - 1)


def _count(hop: SilverHop, work: Work, counts: dict[str, Any], version: int) -> dict[str, int]:
    """Counts what a commit takes, or has taken, against the version of the table before it."""
    newest = hop.newest_versions(hop.judged(work)).alias("s")
    key, low, high = hop.declared.key[0], counts["low"], counts["high"]
    kind = hop.table.schema[key].dataType
    within = F.col(key).between(F.lit(low).cast(kind), F.lit(high).cast(kind))
    before = hop.table.load(version).where(within).alias("t")
    compared = newest.join(before, hop.same_key(), "left")
    stale = F.coalesce(hop.order("t.") >= hop.order("s."), F.lit(False)) & F.col("t._record_id").isNotNull()
    counted = compared.agg(
        F.count(F.lit(1)).alias("keys"),
        F.coalesce(F.sum("s._n"), F.lit(0)).alias("records"),
        F.count_if(stale).alias("stale"),
    ).first()
    assert counted is not None
    return {"keys": counted.keys, "duplicates": counted.records - counted.keys, "stale": counted.stale}
