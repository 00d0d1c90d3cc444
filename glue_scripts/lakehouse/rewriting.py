"""Takes single records out of a raw file; all its other bytes stay.

A line of JSON is filled with spaces, and a record of CSV is cut out. A record's place, by which these are named, is the
one that its identity in bronze ends with.
"""

from __future__ import annotations

import bisect
import csv
import gzip
import io
from collections.abc import Collection, Sequence

from lakehouse.bronze import SPLIT
from lakehouse.declaration import Source
from lakehouse.inspection import BYTE_ORDER_MARK
from lakehouse.packing import GzipMembers


def without(content: bytes, key: str, source: Source, places: Collection[int], erased: Sequence[int]) -> bytes:
    """The bytes of a file without the records at some places. `erased`: places of those that are gone already."""
    zipped = key.endswith(".gz")
    text = io.BufferedReader(GzipMembers(io.BytesIO(content))).read() if zipped else content
    if source.format == "csv":
        text = _cut_out(text, places, erased)
    else:
        text = _blank_out(text, places, SPLIT if not zipped else len(text) + 1)
    return gzip.compress(text, mtime=0) if zipped else text


def _blank_out(text: bytes, places: Collection[int], split: int) -> bytes:
    """Lines become blank ones of the same length, so that all others keep their place."""
    lines, start, piece, number = [], 0, 0, 0
    for line in text.splitlines(keepends=True):
        # A line belongs to the piece before when it begins exactly where a piece does.
        if (begun := max(start - 1, 0) // split) != piece:
            piece, number = begun, 0
        start += len(line)
        end = line[len(line.rstrip(b"\r\n")) :]
        lines.append(b" " * (len(line) - len(end)) + end if piece * split + number in places else line)
        number += 1
    return b"".join(lines)


def _cut_out(text: bytes, places: Collection[int], erased: Sequence[int]) -> bytes:
    mark = BYTE_ORDER_MARK if text.startswith(BYTE_ORDER_MARK) else b""
    # Latin-1 has a character for each byte, and CSV's own characters are the same in UTF-8.
    lines = _Lines(text[len(mark) :].decode("latin-1"))
    before = [place - number for number, place in enumerate(sorted(erased))]
    kept, number = [mark], -2  # the header is the first row that isn't blank
    for row in csv.reader(lines, strict=True):
        number += bool(row)
        record = lines.take()
        if not row or number < 0 or number + bisect.bisect_right(before, number) not in places:
            kept.append(record)
    return b"".join(kept)


class _Lines:
    """The lines of a text, and those that were read since they were last taken."""

    def __init__(self, text: str) -> None:
        self._text, self._read = io.StringIO(text, newline=""), list[str]()

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        self._read.append(next(self._text))
        return self._read[-1]

    def take(self) -> bytes:
        """Their bytes as they stand in the file."""
        taken, self._read = "".join(self._read).encode("latin-1"), []
        return taken
