"""Finds new raw files and keeps the file ledger: one row per file and batch, "what happened to my file?".

A file is known by key and ETag. New files get the next batch number and are written down before they are read, so
that a crash repeats exactly that batch; a batch is loaded when the watermark of its source's bronze table covers it.
"""

from __future__ import annotations

import functools
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.declaration import Pipeline, Source
from lakehouse.inspection import Inspection, inspect_file
from lakehouse.rewritten import Rewritten, read_rewritten
from lakehouse.storage import Changed, StoredObject
from lakehouse.tables import Run, Table, columns

LEDGER = columns(
    ("batch", "bigint", "Number of the batch that the file came in with; grows by one for each."),
    ("source", "string", "Bronze table that the file belongs to."),
    ("key", "string", "The object's key below the lake's root."),
    (
        "etag",
        "string",
        "The object's ETag when it was listed; with the key it names one version of the file.",
    ),
    ("size", "bigint", "Bytes as stored."),
    (
        "modified_at",
        "timestamp",
        "The object's own time when it was first seen; what its rows carry as _ingested_at.",
    ),
    ("found_at", "timestamp", "When a run first saw it."),
    (
        "outcome",
        "string",
        "found (not looked at yet), read, empty, unreadable, repeated, replaced or vanished.",
    ),
    ("reason", "string", "Why it isn't read."),
    ("records", "bigint", "Records in the file, counted by another parser than Spark's."),
    ("content_hash", "string", "SHA-256 of the file's bytes."),
)
DATED = re.compile(r"(\d{4})/(\d{2})/(\d{2})/")


class LedgerError(RuntimeError):
    """The ledger doesn't fit the tables beside it."""


@dataclass(frozen=True)
class File:
    """One row of the ledger, with what was found in the file."""

    batch: int
    source: str
    stored: StoredObject
    found_at: datetime
    inspection: Inspection


class Ledger:
    """The file ledger of one pipeline."""

    def __init__(self, run: Run, pipeline: Pipeline) -> None:
        self.run, self.pipeline = run, pipeline
        self.table = Table(run, "ledger", pipeline.name, LEDGER)
        self.late_files = 0
        """Files found by this run whose day is before the newest day that the ledger knew."""
        self.found: list[File] = []
        """Files found by this run."""
        self._known: list[File] = []

    @functools.cached_property
    def rewritten(self) -> Rewritten:
        """The pipeline's raw files that erasures have rewritten."""
        return read_rewritten(self.run.lake, self.pipeline)

    def discover(self, covered: int, *, everything: bool) -> int:
        """Writes new files down as the next batch and returns the newest batch number (0 before the first file).

        `covered`: the highest batch that a bronze table holds. `everything`: list all keys, not only those within the
        declared lateness.
        """
        newest = self.table.newest_hop()
        batch = int(newest.hop["batch"]) if newest else 0
        if batch < covered:
            raise LedgerError(
                f"{self.table.key} knows {batch} batches, but bronze holds batch {covered}: restore the ledger first"
            )
        days = dict(newest.hop["days"]) if newest else {}
        found = self.found = [
            File(batch + 1, source.name, stored, datetime.now(UTC), Inspection("found"))
            for source, stored in self._unknown({} if everything else days)
        ]
        if not found:
            return batch
        known = dict(days)
        for file in found:
            if day := _day(self.pipeline.bronze[file.source], file.stored):
                days[file.source] = max(day, days.get(file.source, day))
                self.late_files += day < known.get(file.source, day)
        self.table.create()
        writer = self._frame(found).write.format("delta").mode("append")
        self.table.commit({"hop": "ledger", "batch": batch + 1, "days": days}, lambda: writer.save(self.table.path))
        return batch + 1

    def _unknown(self, days: dict[str, str]) -> list[tuple[Source, StoredObject]]:
        """All files that the ledger doesn't know. `days`: the newest day known of each source; none: list it whole."""
        after = {source: _listed_after(source, days.get(source.name)) for source in self.pipeline.bronze.values()}
        windows = [(F.col("source") == source.name) & (F.col("key") > key) for source, key in after.items()]
        # A version of a file that was gone before it was read may come back, under the same ETag.
        unread = F.col("outcome").isin("replaced", "vanished")
        self._known = self._rows(functools.reduce(Column.__or__, windows) & ~unread)
        known = {(file.stored.key, file.stored.etag) for file in self._known}
        listed = [
            (source, {stored.key: stored for stored in self.run.raw.list(f"raw/{source.path}/", key)})
            for source, key in after.items()
        ]
        return [
            (source, stored)
            for source, files in listed
            for stored in files.values()
            if (stored.key, stored.etag) not in known
        ]

    def _rows(self, condition: Column) -> list[File]:
        if not self.table.exists():
            return []
        # Times as numbers: collect() would turn timestamps into the machine's own time zone.
        rows = self.table.load().where(condition)
        rows = rows.withColumns({name: F.unix_micros(name) for name in ("modified_at", "found_at")})
        return [
            File(
                row.batch,
                row.source,
                StoredObject(row.key, row.etag, row.size, _time(row.modified_at)),
                _time(row.found_at),
                Inspection(row.outcome, row.reason, row.records or 0, content_hash=row.content_hash or ""),
            )
            for row in rows.collect()
        ]

    def files_after(self, batch: int, covered: dict[str, int]) -> list[File]:
        """All files of the batches after `batch`, and those that their source's bronze table doesn't cover."""
        wanted = F.col("batch") > batch
        for source, to in covered.items():
            wanted = wanted | ((F.col("source") == source) & (F.col("batch") > to))
        return self._rows(wanted)

    def inspect(self, files: list[File]) -> list[File]:
        """Looks into all files of one batch and writes down what became of each; the same when it is repeated."""
        batch = files[0].batch
        inspected = self.look_into(files)
        loaded = self._newest_content(inspected)
        inspected = [
            _mark_repeated(file) if loaded.get(file.stored.key) == file.inspection.content_hash else file
            for file in inspected
        ]
        newest = self.table.newest_hop()
        hop = {name: newest.hop[name] for name in ("hop", "batch", "days")} if newest else {}
        sources = ", ".join(f"'{source}'" for source in sorted({file.source for file in files}))
        these = f"batch = {batch} and source in ({sources})"
        writer = self._frame(inspected).write.format("delta").mode("overwrite").option("replaceWhere", these)
        self.table.commit(hop, lambda: writer.save(self.table.path))
        return inspected

    def look_into(self, files: list[File]) -> list[File]:
        """The files with what is found in them now, whatever the ledger says of them."""
        known = self.rewritten
        # Threads: this waits for S3 mostly, and hashing and unzipping release the interpreter.
        with ThreadPoolExecutor(max_workers=8) as pool:
            found = zip(files, pool.map(self._inspect, files), strict=True)
            return [replace(file, inspection=known.recognise(file.stored.key, each)) for file, each in found]

    def correct(self, files: list[File]) -> None:
        """Writes down anew what is stored of files that are known, and how many records each holds."""
        newest = self.table.newest_hop()
        hop = {name: newest.hop[name] for name in ("hop", "batch", "days")} if newest else {}
        same = "t.batch = s.batch and t.source = s.source and t.key = s.key"
        merge = self.table.delta().alias("t").merge(self._frame(files).alias("s"), same)
        told = ("etag", "size", "records")
        self.table.commit(hop, merge.whenMatchedUpdate(set={name: f"s.{name}" for name in told}).execute)

    def files_of(self, keys: list[str]) -> list[File]:
        """All that the ledger knows of some keys."""
        return self._rows(F.col("key").isin(keys))

    def _newest_content(self, files: list[File]) -> dict[str, str]:
        """The content that was loaded last under the keys of one batch's files, in the batches before it."""
        batch, keys = files[0].batch, [file.stored.key for file in files]
        if self.found and batch == self.found[0].batch:
            known = self._known
        else:
            known = self._rows((F.col("batch") < batch) & (F.col("outcome") == "read") & F.col("key").isin(keys))
        newest = sorted(known, key=lambda file: file.batch)
        return {file.stored.key: file.inspection.content_hash for file in newest if file.inspection.outcome == "read"}

    def _inspect(self, file: File) -> Inspection:
        key, etag = file.stored.key, file.stored.etag
        try:
            with self.run.raw.open(key, etag) as stream:
                found = inspect_file(stream, key, self.pipeline.bronze[file.source])
        except Changed:
            found = None
        now = self.run.raw.find(key)
        if now is None:
            return Inspection("vanished", "gone before it was read")
        if found is None or now.etag != etag:
            return Inspection("replaced", "replaced before it was read; the new version comes with a later batch")
        return replace(found, seen_at=now.modified_at)

    def _frame(self, files: list[File]) -> DataFrame:
        rows = [
            (
                file.batch,
                file.source,
                file.stored.key,
                file.stored.etag,
                file.stored.size,
                file.stored.modified_at,
                file.found_at,
                file.inspection.outcome,
                file.inspection.reason,
                file.inspection.records if file.inspection.outcome != "found" else None,
                file.inspection.content_hash or None,
            )
            for file in files
        ]
        return self.run.spark.createDataFrame(rows, self.table.schema).coalesce(1)


def _time(micros: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)


def _mark_repeated(file: File) -> File:
    reason = "the same bytes under the same key are loaded already"
    return replace(file, inspection=replace(file.inspection, outcome="repeated", reason=reason))


def _day(source: Source, stored: StoredObject) -> str | None:
    match = DATED.match(stored.key.removeprefix(f"raw/{source.path}/")) if source.lateness_days else None
    try:
        day = date(*map(int, match.groups())) if match else None
    except ValueError:  # a day that doesn't exist tells nothing
        return None
    # A file can't be newer than its own time: one wrong date in a name must not hide all files that follow.
    return min(day, stored.modified_at.date()).isoformat() if day else None


def _listed_after(source: Source, newest_day: str | None) -> str:
    if not newest_day or not source.lateness_days:
        return ""
    first = date.fromordinal(max(1, date.fromisoformat(newest_day).toordinal() - source.lateness_days))
    return f"raw/{source.path}/{first.isoformat().replace('-', '/')}"
