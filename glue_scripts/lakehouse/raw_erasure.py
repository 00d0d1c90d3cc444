"""What an erasure does to raw files and to what the ledger tells of them.

A rewritten file's new bytes are known before they are written, so that it can be told of each file whether that was
done. What it was is kept first: else it would be a new file to the next run.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import functions as F

from lakehouse import persons, rewriting
from lakehouse.declaration import Pipeline
from lakehouse.discovery import File, Ledger
from lakehouse.inspection import inspect_file
from lakehouse.rewritten import write_rewritten
from lakehouse.storage import StoredObject
from lakehouse.tables import Run, Table

ROOTS = ("raw", "archive")
"""Folders that hold raw files, or copies of them below the same names."""


class ErasureError(RuntimeError):
    """A person can't be erased now, or another run can't begin because of an erasure; the message says what to do."""


@dataclass(frozen=True)
class Rewrite:
    """A raw file that holds some of the records: its bytes now and then, and the places of what goes.

    `was`: the hash that its records are known by. `erased`: places of all that is gone then.
    """

    source: str
    key: str
    etag: str
    now: str
    then: str
    was: str
    places: list[int]
    erased: list[int]


def planned(run: Run, pipeline: Pipeline, file: File, places: set[int]) -> Rewrite:
    """What a file becomes. Raises ErasureError when that doesn't hold as many records as it should."""
    source, key, found = pipeline.bronze[file.source], file.stored.key, file.inspection
    with run.raw.open(key, file.stored.etag) as stream:
        content = stream.read()
    rest = rewriting.without(content, key, source, places, found.erased)
    left = inspect_file(io.BytesIO(rest), key, source)
    if left.records != found.records - len(places):
        raise ErasureError(f"{key}: {left.records} records would be left, not {found.records - len(places)}")
    erased = sorted({*found.erased, *places}) if source.format == "csv" else []
    now = hashlib.sha256(content).hexdigest()
    return Rewrite(
        source.name, key, file.stored.etag, now, left.content_hash, found.content_hash, sorted(places), erased
    )


def rewrite(run: Run, pipeline: Pipeline, files: list[Rewrite]) -> dict[str, tuple[Rewrite, StoredObject]]:
    """Rewrites the planned files, once it is written down what they were; returns what is stored of each.

    A file that somebody has replaced since stays.
    """
    known = Ledger(run, pipeline).rewritten
    for file in files:
        known.add(file.key, file.then, file.was, file.erased)
    write_rewritten(run.lake, pipeline, known)
    rewritten = {}
    for file in files:
        run.lease.check()
        content, etag = run.raw.read(file.key) or (b"", "")
        if (found := hashlib.sha256(content).hexdigest()) == file.now:
            before = sorted(set(file.erased) - set(file.places))
            rest = rewriting.without(content, file.key, pipeline.bronze[file.source], file.places, before)
            run.raw.write(file.key, rest, replaces=etag)
        if found in (file.now, file.then) and (stored := run.raw.find(file.key)):
            rewritten[file.key] = (file, stored)
    return rewritten


def forget_versions(run: Run, pipeline: Pipeline) -> None:
    """Takes away for good what is kept of raw files that were replaced or deleted, whoever did so.

    It isn't looked into: of all sources whose records can be a person's.
    """
    for name in sorted({declared.reads for declared in persons.concerned(pipeline).values()}):
        for root in ROOTS:
            run.raw.forget(f"{root}/{pipeline.bronze[name].path}")


def correct_ledger(
    run: Run, pipeline: Pipeline, batches: list[list[Any]], rewritten: dict[str, tuple[Rewrite, StoredObject]]
) -> None:
    """Tells the ledger how many records are left of each file, and what is stored of it now."""
    ledger = Ledger(run, pipeline)
    touched = {(key, batch) for key, batch in batches}
    known = ledger.files_of(sorted({key for key, _ in touched} | rewritten.keys()))
    held: dict[tuple[str, int], int] = {}
    for name in sorted({file.source for file in known}):
        rows = Table(run, "bronze", name, ()).load().where(F.col("_file").isin([key for key, _ in touched]))
        counted = rows.groupBy("_file", "_batch").count().collect()
        held |= {(row["_file"], row["_batch"]): row["count"] for row in counted}
    corrected = []
    for file in known:
        place, new = (file.stored.key, file.batch), file
        if place in touched:
            new = replace(new, inspection=replace(new.inspection, records=held.get(place, 0)))
        planned, now = rewritten.get(file.stored.key, (None, file.stored))
        if planned and file.inspection.content_hash == planned.was:
            etag = now.etag if file.stored.etag == planned.etag else file.stored.etag
            new = replace(new, stored=replace(new.stored, size=now.size, etag=etag))
        if new != file:
            corrected.append(new)
    if corrected:
        ledger.correct(corrected)
