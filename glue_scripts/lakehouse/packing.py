"""Packed files: how they begin, and gzip's content, read to its last byte or to where it can't be meant."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BEGINNINGS = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ\0": "xz",
    b"BZh91AY&SY": "bzip2",
    b"PAR1\x15": "Parquet",
}
PATIENCE = 1 << 30
"""Bytes that a file may hold whatever its ratio: that much is read in seconds."""
MAX_RATIO = 200
"""Text shrinks to a tenth or a thirtieth; the most that gzip can do is 1,032."""


class GzipBomb(Exception):
    """The file holds far more than its size lets expect."""


def packing(start: bytes) -> str | None:
    """What a file that begins so is packed in; None for text."""
    return next((name for beginning, name in BEGINNINGS.items() if start.startswith(beginning)), None)


class GzipMembers(io.RawIOBase):
    """The content of a gzip file, strictly: `gzip` passes over zeros behind the last member, which Hadoop refuses."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._rest = stream, b""
        self._member = zlib.decompressobj(wbits=31)
        self._packed = self._unpacked = 0

    def readable(self) -> bool:
        """It can be read, and nothing else."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fills the buffer, maybe only in part; 0 at the end."""
        view = memoryview(buffer)
        while True:
            if not self._rest:
                self._rest = self._stream.read(1 << 16)
                self._packed += len(self._rest)
            if self._member.eof:
                if not self._rest:
                    return 0
                self._member = zlib.decompressobj(wbits=31)
            elif not self._rest:
                raise EOFError("it ends too early")
            content = self._member.decompress(self._rest, len(view))
            self._rest = self._member.unused_data or self._member.unconsumed_tail
            if content:
                self._count(len(content))
                view[: len(content)] = content
                return len(content)

    def _count(self, size: int) -> None:
        self._unpacked += size
        if self._unpacked > max(PATIENCE, MAX_RATIO * self._packed):
            raise GzipBomb(f"over {PATIENCE >> 20} MiB, and over {MAX_RATIO} times its size in gzip")
