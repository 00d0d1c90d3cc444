"""Looks through one raw file before Spark reads it: is it what its name says, its content's hash, its count of records.

Spark gives no error for many broken files (a gzip file named .csv reads as 0 rows, UTF-16 as good ones), so every
byte is read here first, by other parsers than Spark's. The count of records is one side of the accounting's first
equation.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO, TextIO, cast

from lakehouse.declaration import Source
from lakehouse.packing import GzipBomb, GzipMembers, packing
from lakehouse.values import WHITE_SPACE

CHUNK = 4 << 20
MAX_LINE = 64 << 20  # Spark holds a line in memory; far above 1 MiB, the limit that rejects one record and not its file
SUFFIXES = {"json": (".json", ".jsonl", ".ndjson"), "csv": (".csv",)}
BLANK = re.compile(b"(%s)+" % b"|".join(character.encode() for character in WHITE_SPACE))
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Unreadable(Exception):
    """The file can't be read as what it should be; the message is the ledger's reason."""


@dataclass(frozen=True)
class Inspection:
    """What one file holds.

    `header`: a CSV file's column names. `undecodable`: some of its bytes aren't UTF-8. `seen_at`: the object's time
    then, which differs from the ledger's if the same bytes have been uploaded again. `erased`: places of records that
    an erasure has taken out of it; its hash is then that of the file with them.
    """

    outcome: str
    reason: str | None = None
    records: int = 0
    header: tuple[str, ...] = ()
    undecodable: bool = False
    content_hash: str = ""
    seen_at: datetime | None = None
    erased: tuple[int, ...] = ()


def inspect_file(stream: BinaryIO, key: str, source: Source) -> Inspection:
    """Reads a seekable file to its end. Its outcome: `read`, `empty` (no record) or `unreadable`, with the reason."""
    content_hash = hashlib.file_digest(cast(io.BufferedReader, stream), "sha256").hexdigest()
    try:
        found = _inspect(stream, key, source)
    except Unreadable as error:
        found = Inspection("unreadable", str(error))
    return replace(found, content_hash=content_hash)


def _inspect(stream: BinaryIO, key: str, source: Source) -> Inspection:
    _refuse_name(key, source)
    stream.seek(0)
    start = stream.read(2)
    if not start:
        return Inspection("empty", "no byte")
    zipped = start == b"\x1f\x8b"
    if zipped != key.endswith(".gz"):
        raise Unreadable(
            "gzip_without_gz: gzip, but not named .gz" if zipped else "not_gzip: named .gz, but isn't gzip"
        )

    def content() -> BinaryIO:
        stream.seek(0)
        return io.BufferedReader(GzipMembers(stream), 1 << 20) if zipped else stream

    try:
        start = content().read(64)
        if packed := packing(start):
            raise Unreadable(f"not_text: {packed}, not {source.format}")
        if start.startswith((b"\xff\xfe", b"\xfe\xff")) or start.count(0) > len(start) // 4:
            raise Unreadable("not_utf8: looks like UTF-16")
        return _inspect_json(content) if source.format == "json" else _inspect_csv(content, source)
    except (EOFError, zlib.error) as error:
        raise Unreadable(f"broken_gzip: {error}") from error
    except GzipBomb as error:
        raise Unreadable(f"gzip_bomb: {error}") from error


def _refuse_name(key: str, source: Source) -> None:
    folder, _, name = key.rpartition("/")
    if name.startswith(("_", ".")):
        raise Unreadable("hidden_name: Spark skips files whose name begins with _ or .; rename it")
    if not name.removesuffix(".gz").endswith(SUFFIXES[source.format]):
        raise Unreadable(
            f"unexpected_name: expected a name that ends in {' or '.join(SUFFIXES[source.format])}, with or without .gz"
        )
    if ":" in name:
        raise Unreadable("colon_in_name: Hadoop can't read every file whose name has a colon; rename it")
    if {"", ".", ".."} & set(folder.split("/")):
        raise Unreadable("unclear_path: Hadoop reads // and . and .. in a key as another key; rename it")


def _inspect_json(content: Callable[[], BinaryIO]) -> Inspection:
    stream = content()
    if stream.read(len(BYTE_ORDER_MARK)) != BYTE_ORDER_MARK:
        stream = content()
    records, rest = 0, b""
    while chunk := stream.read(CHUNK):
        # Lines end in LF, CR LF or CR, as in Spark's text reader. Those of white space only aren't records.
        lines = (rest + chunk).splitlines()
        rest = b"" if chunk.endswith((b"\n", b"\r")) or not lines else lines.pop()
        if len(rest) > MAX_LINE:
            raise Unreadable(f"line_too_long: a line of over {MAX_LINE >> 20} MiB")
        if not records and b"".join((*lines, rest)).lstrip().startswith(b"["):
            raise Unreadable("json_array: expected one JSON object a line, found an array")
        records += sum(map(_is_record, lines))
    records += _is_record(rest)
    return Inspection("read", records=records) if records else Inspection("empty", "no record")


def _is_record(line: bytes) -> bool:
    found = line.strip()
    return bool(found) and (found[0] < 128 or not BLANK.fullmatch(found))


def _inspect_csv(content: Callable[[], BinaryIO], source: Source) -> Inspection:
    stream = content()
    undecodable = not _is_utf8(stream)
    if undecodable and content().read(len(BYTE_ORDER_MARK)) == BYTE_ORDER_MARK:
        raise Unreadable("not_utf8: begins with the byte order mark of UTF-8, but isn't UTF-8")
    text = io.TextIOWrapper(content(), encoding="utf-8-sig", errors="replace", newline="")
    csv.field_size_limit(MAX_LINE)
    lines = Lines(text)
    rows = csv.reader(lines, strict=True)
    header: tuple[str, ...] = ()
    records = 0
    try:
        for row in rows:
            if lines.end not in (lines.first_end, ""):
                raise Unreadable(f"mixed_line_ends: line {rows.line_num} ends in another way than the first")
            if header:
                records += bool(row)
            else:
                header = tuple(name.strip() for name in row)
    except csv.Error as error:
        raise Unreadable(f"broken_csv: line {rows.line_num}: {error}") from error
    finally:
        text.detach()  # else it would close the stream
    _refuse_header(header, source)
    if not records:
        return Inspection("empty", "header only" if header else "no record")
    return Inspection("read", records=records, header=header, undecodable=undecodable)


def _refuse_header(header: tuple[str, ...], source: Source) -> None:
    if repeated := sorted({name for name in header if header.count(name) > 1}):
        raise Unreadable(f"repeated_columns: {', '.join(name or '(no name)' for name in repeated)}")
    if header and (missing := [name for name in source.fields if name not in header]):
        raise Unreadable(f"missing_columns: {', '.join(missing)}")


def _is_utf8(stream: BinaryIO) -> bool:
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    try:
        while text.read(CHUNK):
            pass
    except UnicodeDecodeError:
        return False
    finally:
        text.detach()
    return True


class Lines:
    """The lines of a CSV text, and how they end. Spark takes the end of the first for that of all."""

    def __init__(self, text: TextIO) -> None:
        self._text, self.first_end, self.end = text, "", ""

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_LINE)
        if not line:
            raise StopIteration
        if len(line) == MAX_LINE:
            raise Unreadable(f"line_too_long: a line of over {MAX_LINE >> 20} MiB")
        self.end = line[len(line.rstrip("\r\n")) :]
        self.first_end = self.first_end or self.end
        return line
