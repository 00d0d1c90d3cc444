"""Copies raw files whose records are published to the archive: `raw/<path>/...` to `archive/<path>/...` beside it.

raw/ stays as it is, for a replay rebuilds from it. Of the ledger's files those that were read are taken, of batches
that silver's gate covers. The store copies them by itself; each copy is read back and compared with the ledger's hash.
A watermark says up to which batch all is archived. It is written after each batch, so a run that ends early repeats
one batch at most, and leaves the copies that it finds in place.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import cast

from lakehouse.declaration import Pipeline
from lakehouse.discovery import File, Ledger
from lakehouse.gate import read_gate
from lakehouse.layers import Report
from lakehouse.storage import Changed, Storage, write_known
from lakehouse.tables import Run


class ArchiveError(RuntimeError):
    """A copy isn't what was loaded, or the watermark isn't what a run has written; the message says what to do."""


@dataclass
class Watermark:
    """The batch up to which all files of each source are archived, by the ledger with this id."""

    ledger: str
    batches: dict[str, int]


def archive(run: Run, pipeline: Pipeline, report: Report) -> None:
    """Archives what is loaded and published of the sources that declare `archive_days`, batch by batch."""
    sources = [source.name for source in pipeline.bronze.values() if source.archive_days]
    published = read_gate(run.lake, pipeline.name, "silver").batch
    if not sources or not published:
        return
    ledger, key = Ledger(run, pipeline), f"archives/{pipeline.name}.json"
    etag, done = _read_watermark(run.lake, key, ledger.table.table_id(), sources)
    if min(done.batches.values()) >= published:
        return
    files = [file for file in ledger.files_after(published, done.batches) if _is_due(file, done, published)]
    files = [replace(file, inspection=ledger.rewritten.as_stored(file.stored.key, file.inspection)) for file in files]
    for batch in sorted({file.batch for file in files} | {published}):
        report.files.update(copy_files(run.raw, [file for file in files if file.batch == batch]))
        done.batches = {name: max(batch, before) for name, before in done.batches.items()}
        run.lease.check()
        etag = _write_watermark(run.lake, key, done, etag)


def _is_due(file: File, done: Watermark, published: int) -> bool:
    after = done.batches.get(file.source, published)
    return file.inspection.outcome == "read" and after < file.batch <= published


def copy_files(raw: Storage, files: list[File]) -> Counter[str]:
    """Brings files to the archive; counts what became of them, and the bytes of those that are there now."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        outcomes = list(pool.map(lambda file: _copy_file(raw, file), files))
    found = Counter(outcomes)
    if archived := [file.stored.size for file, outcome in zip(files, outcomes, strict=True) if outcome == "archived"]:
        found["archived_bytes"] = sum(archived)
    return found


def _copy_file(raw: Storage, file: File) -> str:
    """What became of a file: archived, or replaced or vanished since it was loaded."""
    key = file.stored.key
    copy = f"archive/{key.removeprefix('raw/')}"
    if _holds(raw, copy, file):
        return "archived"
    now = raw.find(key)
    # The same bytes may have been uploaded again, under another ETag.
    if now and (now.etag == file.stored.etag or _holds(raw, key, file)):
        with contextlib.suppress(Changed):
            raw.copy(key, now.etag, copy)
            if not _holds(raw, copy, file):
                raise ArchiveError(
                    f"{copy} isn't what was loaded from {key} (SHA-256 {file.inspection.content_hash}); "
                    "the next run copies it again"
                )
            return "archived"
    return "replaced" if raw.find(key) else "vanished"


def _holds(raw: Storage, key: str, file: File) -> bool:
    """Whether the bytes that were loaded from a file stand under a key now."""
    found = raw.find(key)
    if found is None or found.size != file.stored.size:
        return False
    try:
        with raw.open(key, found.etag) as stream:
            content_hash = hashlib.file_digest(cast(io.BufferedReader, stream), "sha256").hexdigest()
    except Changed:
        return False
    return content_hash == file.inspection.content_hash


def _read_watermark(lake: Storage, key: str, ledger: str, sources: list[str]) -> tuple[str | None, Watermark]:
    """The watermark and the ETag of its object; 0 for a source that it doesn't know, and for all of another ledger."""
    found = lake.read(key)
    try:
        known = Watermark(**json.loads(found[0])) if found else Watermark(ledger, {})
        batches = known.batches if known.ledger == ledger else {}
        return found[1] if found else None, Watermark(ledger, {name: batches.get(name, 0) for name in sources})
    except (ValueError, TypeError, AttributeError) as error:
        raise ArchiveError(
            f"{key} isn't what a run has written ({error}): delete it, and the next run compares all files again"
        ) from error


def _write_watermark(lake: Storage, key: str, done: Watermark, replaces: str | None) -> str:
    try:
        return write_known(lake, key, json.dumps(asdict(done), indent=1).encode(), replaces=replaces)
    except Changed as error:
        raise ArchiveError(f"another run has written {key} meanwhile: run again") from error
