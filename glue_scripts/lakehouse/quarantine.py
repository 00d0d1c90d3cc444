"""The quarantine of a silver table: its rejected records, and what became of those that were tried again.

A reject stays where it is, and each try of it is an event. All open rejects are tried together, as one attempt; or
those alone that wait for rows of other tables, when such rows have come. The silver table's own commit says how many
attempts it holds, so events and silver rows count together or not at all: those of an attempt that ended before that
commit are replaced by the next attempt, which has the same number.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.bronze import bronze_table
from lakehouse.declaration import SilverTable, Source
from lakehouse.quality import RECORD
from lakehouse.references import is_waiting
from lakehouse.tables import Run, Table, columns

NONE, ALL, ARRIVED = "", "all", "arrived"
"""Which open rejects are tried: none; all; those that wait, and no longer for all that they did."""
RULES = columns(("_rules", "array<string>", "Names of all checks that the record failed."))
EVENTS = columns(
    ("_record_id", "string", "The rejected record that was tried again."),
    ("_batch", "bigint", "Batch of that record's file."),
    ("attempt", "bigint", "Number of the attempt at open rejects of the table."),
    (
        "status",
        "string",
        "readmitted: it passed, and took part in silver like a new record; rejected: it failed again; "
        "waiting: it would pass, but a row that it references isn't there yet.",
    ),
    ("_rules", "array<string>", "Names of all checks that the record failed in this attempt."),
    ("code", "string", "Fingerprint of the script, declaration and engine that it was tried with."),
)


@dataclass(frozen=True)
class Quarantine:
    """The rejects of one silver table and the events of their tries."""

    rejects: Table
    events: Table

    def create(self) -> None:
        """Creates the tables that aren't there."""
        self.rejects.create()
        self.events.create()

    def attempts_begun(self) -> int:
        """The newest attempt that events were written for, whether it came to its silver commit or not."""
        newest = self.events.newest_hop()
        return int(newest.hop["attempt"]) if newest else 0

    def tries_begun(self) -> str:
        """Which open rejects that attempt was for."""
        newest = self.events.newest_hop()
        return str(newest.hop.get("tries", ALL)) if newest else NONE

    def rejects_of(self, after: int, to: int) -> DataFrame:
        """The rejects of a range of batches."""
        return self.rejects.load().where((F.col("_batch") > after) & (F.col("_batch") <= to))

    def events_of(self, attempt: int) -> DataFrame:
        """The events of one attempt."""
        return self.events.load().where(F.col("attempt") == attempt)

    def open_rejects(self, to: int, attempts: int) -> DataFrame:
        """The bronze rows of the rejects up to batch `to` that none of the first `attempts` attempts has readmitted."""
        tried = self.events.load().where(F.col("attempt") <= attempts)
        readmitted = tried.where(F.col("status") == "readmitted").select("_record_id")
        return self.rejects_of(0, to).drop("_rules").join(readmitted, on="_record_id", how="left_anti")

    def judged_rejects(self, to: int, attempts: int) -> DataFrame:
        """The open rejects, each with what it failed in its last try."""
        tried = self.events.load().where(F.col("attempt") <= attempts).groupBy("_record_id")
        last = tried.agg(F.max_by("_rules", "attempt").alias("_last"))
        rules = self.rejects_of(0, to).select("_record_id", "_rules").join(last, on="_record_id", how="left")
        judged = rules.select("_record_id", F.coalesce("_last", "_rules").alias("_rules"))
        # As they are stored, which needn't be as they are declared now.
        stored = self.rejects.load().columns
        return self.open_rejects(to, attempts).join(judged, on="_record_id").select(*stored)

    def waiting(self, to: int, attempts: int) -> DataFrame:
        """The open rejects that only wait, each with what it waits for by its last try."""
        return self.judged_rejects(to, attempts).where(is_waiting("_rules"))

    def replace_rejects(self, judged: DataFrame, after: int, to: int) -> None:
        """Makes the bad records among these the rejects of a range of batches."""
        bad = judged.where(F.size("_rules") > 0).select(f"{RECORD}.*", "_rules")
        newest = self.rejects.newest_hop()
        again = newest is not None and newest.hop["to"] > after
        where = f"_batch > {after} and _batch <= {to}"
        _write(self.rejects, bad, {"after": after, "to": to}, replaces=where if again else None)

    def replace_events(self, judged: DataFrame, attempt: int, tries: str) -> None:
        """Makes what became of these records the events of an attempt, the last one."""
        events = judged.select(
            f"{RECORD}._record_id",
            f"{RECORD}._batch",
            F.lit(attempt).cast("bigint").alias("attempt"),
            F.when(F.size("_rules") == 0, "readmitted")
            .when(is_waiting("_rules"), "waiting")
            .otherwise("rejected")
            .alias("status"),
            "_rules",
            F.lit(self.events.run.code).alias("code"),
        )
        where = f"attempt >= {attempt}" if self.attempts_begun() >= attempt else None
        _write(self.events, events, {"attempt": attempt, "tries": tries}, replaces=where)


def quarantine_of(run: Run, declared: SilverTable, source: Source) -> Quarantine:
    """The quarantine of a silver table: bronze rows with what they failed, and one row per try of such a row."""
    rejects = Table(run, "quarantine", declared.name, (*bronze_table(run, source).columns, *RULES))
    return Quarantine(rejects, Table(run, "quarantine_events", declared.name, EVENTS))


def _write(table: Table, rows: DataFrame, consumed: dict[str, object], *, replaces: str | None) -> None:
    """Writes rows in one commit. `replaces`: what an earlier try has left; to look for it costs as much as to write."""
    writer = table.check(rows, "what is to be written").write.format("delta").mode("append")
    if replaces:
        writer = writer.mode("overwrite").option("replaceWhere", replaces)
    table.commit({"hop": table.layer, **consumed}, lambda: writer.save(table.path))
