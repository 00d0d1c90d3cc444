"""Where something still tells of a person: in text, packed or not, or in the values of a table's columns."""

from __future__ import annotations

import gzip
import io
import struct
from pathlib import Path

import pyarrow.parquet


def tells_of(person: str, name: str, content: bytes) -> bool:
    """Whether a file holds a person's id, in its bytes or in what is packed in them."""
    spelled = (person.encode(), struct.pack("<q", int(person)))
    contents = [content]
    if name.endswith(".gz"):
        contents.append(gzip.decompress(content))
    if name.endswith(".parquet") and content.startswith(b"PAR1"):
        contents.append(repr(pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()).encode())
    return any(each in content for each in spelled for content in contents)


def traces(root: Path, person: str) -> list[str]:
    """All files below a folder that tell of a person."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return [str(path.relative_to(root)) for path in files if tells_of(person, path.name, path.read_bytes())]
