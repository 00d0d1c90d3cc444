"""One kind of bad file, and the pieces that such files are made of."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
from dataclasses import dataclass

from tests.lakehouse.films import film

THINGS = {"movies": "film", "depots": "depot", "legs": "leg"}
FILE_NAMES = {"movies": "films.jsonl", "depots": "depots.csv", "legs": "legs.csv"}
BOM = b"\xef\xbb\xbf"
Checks = tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """A kind of bad file: one example of it, and what becomes of that, written by hand.

    `what`: what is wrong with it, in one line. `reason`: how the ledger's reason begins. `rejects`: the names of
    failed checks, for each rejected record in its order. `loads`: keys of the rows that reach silver. `duplicates`:
    good records beyond one a key. `holds`: how many films, depots or legs a person finds in it, by default the
    records.
    """

    name: str
    what: str
    content: bytes
    source: str = "movies"
    file: str = ""
    outcome: str = "read"
    reason: str | None = None
    rejects: tuple[Checks, ...] = ()
    loads: tuple[str, ...] = ()
    duplicates: int = 0
    holds: int | None = None

    @property
    def path(self) -> str:
        """Where it lies in the corpus."""
        return f"{self.source}/{self.name}/{self.file or FILE_NAMES[self.source]}"

    @property
    def records(self) -> int:
        """Physical records, if it can be read: each is rejected, loaded, or another version of one that is."""
        return len(self.rejects) + len(self.loads) + self.duplicates

    @property
    def thing(self) -> str:
        """What a record of it stands for."""
        return THINGS[self.source]

    @property
    def things(self) -> int:
        """How many films, depots or legs a person finds in it."""
        return self.records if self.holds is None else self.holds


def refused(
    name: str, what: str, content: bytes, reason: str, holds: int = 1, file: str = "", source: str = "movies"
) -> Kind:
    """A file that isn't read at all."""
    return Kind(name, what, content, source, file, outcome="unreadable", reason=reason, holds=holds)


def good(number: int) -> str:
    """A film's line that passes all checks."""
    return json.dumps(film(number))


def with_value(number: int, field: str, value: str) -> str:
    """A film's line with a value as it is written in JSON."""
    return json.dumps(film(number, **{field: "@"})).replace('"@"', value)


def lines(*texts: str, end: str = "\n") -> bytes:
    """Lines as a file's bytes."""
    return "".join(text + end for text in texts).encode()


def ids(*numbers: int) -> tuple[str, ...]:
    """Keys of films."""
    return tuple(f"mv-{number:04d}" for number in numbers)


def zipped(content: bytes) -> bytes:
    """A gzip file without a time in it."""
    return gzip.compress(content, mtime=0)


def damaged(content: bytes, position: int) -> bytes:
    """The bytes with one bit changed."""
    changed = bytearray(content)
    changed[position] ^= 1
    return bytes(changed)


def archived() -> bytes:
    """A zip archive of one small file; a workbook is such an archive too."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(zipfile.ZipInfo("films.json"), good(901))
    return archive.getvalue()


def in_zstd(content: bytes) -> bytes:
    """A Zstandard file of up to 64 KiB, not compressed."""
    size = len(content)
    return (
        b"\x28\xb5\x2f\xfd\x60" + (size - 256).to_bytes(2, "little") + (size << 3 | 1).to_bytes(3, "little") + content
    )


PARQUET = base64.b64decode(
    "UEFSMRUAFRYVFiwVAhUAFQYVBgAAAgAAAAIBAQAAAHoVABUcFRwsFQIVABUGFQYAAAIAAAACAQQAAABIdWxsFQIZPDUAGA1kdWNr"
    "ZGJfc2NoZW1hFQQAFQwlAhgIZGVwb3RfaWQlAAAVDCUCGAR0b3duJQAAFgIZHBksJgAcFQwZFQAZGAhkZXBvdF9pZBUAFgIWOBY4"
    "Jgg8GAF6GAF6FgAoAXoYAXoREQAAACYAHBUMGRUAGRgEdG93bhUAFgIWPhY+JkA8GARIdWxsGARIdWxsFgAoBEh1bGwYBEh1bGwR"
    "EQAAABZ2FgImCBZ2ACgoRHVja0RCIHZlcnNpb24gdjEuNS41IChidWlsZCBkOGNkYWEzM2ZkKRksHAAAHAAAAOIAAABQQVIx"
)
"""A Parquet file of one depot."""
