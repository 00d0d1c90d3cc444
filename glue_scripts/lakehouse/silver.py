"""bronze -> silver: typed, checked, one row per key, newest wins; rejects to quarantine with what they failed.

A history has one row per key and moment instead, and the same MERGE also ends the versions that others now follow.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from lakehouse import history
from lakehouse.delta_log import Commit
from lakehouse.history import VALID_TO
from lakehouse.quality import RECORD
from lakehouse.references import is_waiting
from lakehouse.silver_hop import SilverHop
from lakehouse.work import Work, work_of


def consume(hop: SilverHop, to: int, *, tries: str) -> dict[str, int]:
    """Takes the batches after the table's watermark up to `to`, and some open rejects, into quarantine and table.

    Returns what was counted on the way into the table; nothing when that has to be counted afterwards.
    """
    first, attempts = hop.table.newest_hop() is None, hop.attempts()
    work = Work(hop.watermark(), to, attempts, attempts + bool(tries), tries, hop.references.versions())
    newest = hop.newest_versions(hop.judged(work))
    hop.table.check(newest.drop("_n"), "the function's result")
    counts = _sort_out(hop, work)
    held = {"counts": counts, "waiting": hop.waiting(work, counts), "bronze": hop.bronze.table_id()}
    metadata = {"hop": "silver", **asdict(work), **held}
    if first:
        observed = Observation()
        rows = newest.observe(
            observed, F.count(F.lit(1)).alias("keys"), F.coalesce(F.sum("_n"), F.lit(0)).alias("records")
        )
        writer = hop.table.writer(rows.drop("_n")).mode("append")
        hop.table.commit(metadata, lambda: writer.save(hop.table.path))
        return {
            "keys": observed.get["keys"],
            "duplicates": observed.get["records"] - observed.get["keys"],
            "stale": 0,
        }
    values: dict[str, str | Column] = {column.name: f"s.{column.name}" for column in hop.table.columns}
    within, newer = hop.within(counts), hop.order("s.") > hop.order("t.")
    # The version before the commit has to be read by now, or it may be gone from the log.
    counted = _count(hop, newest, counts, hop.table.version()) if hop.table.is_ageing() else {}
    if hop.declared.history:
        newest = hop.changed_versions(newest, within)
        newer = newer | (F.col(f"s.{VALID_TO}") != F.col(f"t.{VALID_TO}"))
    merge = hop.table.delta().alias("t").merge(newest.alias("s"), hop.same_row() & within)
    merge = merge.whenMatchedUpdate(newer, values).whenNotMatchedInsert(values=values)
    hop.table.commit(metadata, merge.execute)
    return counted


def _sort_out(hop: SilverHop, work: Work) -> dict[str, Any]:
    """Writes rejects and events; returns counts, and of the good records lowest and highest first key.

    For a history also their earliest moment, and where an arrival is declared the earliest time of their files.
    """
    observed, good, new = Observation(), F.size("_rules") == 0, F.col(f"{RECORD}._batch") > work.after
    waiting = is_waiting("_rules")
    # Judged anew: a script's function that depends on chance gives something else then, and the accounts show it.
    key, judged = hop.declared.key[0], hop.judged(work)
    earliest = dict(zip(("earliest",), hop.declared.newest_by, strict=True)) if hop.declared.history else {}
    earliest |= {"earliest_file": f"{RECORD}._ingested_at"} if hop.declared.arrival else {}
    seen = judged.observe(
        observed,
        F.count_if(new).alias("read"),
        F.count_if(~new).alias("reopened"),
        F.count_if(good).alias("entered"),
        F.count_if(~good & ~waiting & new).alias("rejected"),
        F.count_if(waiting & new).alias("waiting"),
        F.count_if(waiting & ~new).alias("waiting_again"),
        F.min(F.when(good, F.col(key))).cast("string").alias("low"),
        F.max(F.when(good, F.col(key))).cast("string").alias("high"),
        *(F.min(F.when(good, F.col(moment))).cast("string").alias(name) for name, moment in earliest.items()),
    )
    batches = work.to > work.after
    if batches:
        hop.quarantine.replace_rejects(seen.where(new), work.after, work.to)
    if work.reopens:
        reopened = hop.judged(work.attempt_alone) if batches else seen
        hop.quarantine.replace_events(reopened, work.attempts, work.tries)
    return observed.get


def count_again(hop: SilverHop, commit: Commit) -> dict[str, int]:
    """Counts a commit's records in the data: keys, duplicates, stale keys (the version before had a newer row).

    In a history versions instead of keys, and the versions before that have got another end.
    """
    newest = hop.newest_versions(hop.judged(work_of(commit)))
    return _count(hop, newest, commit.hop["counts"], commit.version - 1)


def _count(hop: SilverHop, newest: DataFrame, counts: dict[str, Any], version: int) -> dict[str, int]:
    """Counts what a commit takes, or has taken, against the version of the table before it."""
    before = hop.table.load(version).alias("t").where(hop.within(counts))
    met = newest.alias("s").join(before, hop.met_row(), "left")
    stale = F.coalesce(hop.order("t.") >= hop.order("s."), F.lit(False)) & F.col("t._record_id").isNotNull()
    if hop.declared.history:
        counting = history.count(hop.declared, met, stale)
    else:
        counting = met.agg(
            F.count(F.lit(1)).alias("keys"),
            F.coalesce(F.sum("s._n"), F.lit(0)).alias("records"),
            F.count_if(stale).alias("stale"),
        )
    counted = counting.first()
    assert counted is not None
    found: dict[str, int] = counted.asDict()
    return {**found, "duplicates": found["records"] - found["keys"]}
