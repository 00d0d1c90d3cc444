"""What is in a bad file, by Python's own parsers: its physical records, and their fields where they can be told."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib

from tests.bad_input.kind import Kind
from tests.oracles.movies import read_json_line, split_lines

Fields = dict[str, str | None]
WHITE_SPACE = b" \t"
QUOTED_EMPTY_CELL = re.compile(r'(^|,)""(?=,|\r|\n|$)', re.MULTILINE)
MARK = "\ue000"


def read_records(kind: Kind) -> list[Fields | None]:
    """One item per physical record: its fields, or None when it can't be told what they are."""
    try:
        content = gzip.decompress(kind.content) if kind.path.endswith(".gz") else kind.content
    except (OSError, EOFError, zlib.error):
        return []
    if content.startswith(b"\xff\xfe"):
        content = content.decode("utf-16").encode()
    return _read_json(content) if kind.source == "movies" else _read_csv(content)


def _read_json(content: bytes) -> list[Fields | None]:
    return [_read_line(line) for line in split_lines(content) if line.strip(WHITE_SPACE)]


def _read_line(line: bytes) -> Fields | None:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return None
    problem, members = read_json_line(text)
    if problem == "repeated_field":
        members = json.loads(text, object_pairs_hook=list, parse_int=str)
    elif problem:
        return None
    fields: Fields = {}
    for name, value in members:
        fields[name] = f"{fields[name]} and {value}" if name in fields else value
    return fields


def _read_csv(content: bytes) -> list[Fields | None]:
    csv.field_size_limit(1 << 30)
    # Bytes that aren't UTF-8 stay what they are, and quotes with nothing in them another thing than nothing.
    text = content.decode("utf-8-sig", errors="surrogateescape")
    text = QUOTED_EMPTY_CELL.sub(rf'\1"{MARK}"', text)
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    header = [name.strip() for name in rows[0]] if rows else []
    return [_name_cells(header, row) for row in rows[1:]]


def _name_cells(header: list[str], row: list[str]) -> Fields:
    names = [*header, *(f"cell {number + 1}" for number in range(len(header), len(row)))]
    fields: Fields = {}
    for name, cell in zip(names, row, strict=False):
        value = cell.replace(MARK, "") if cell else None
        fields[name] = f"{fields[name]} and {value}" if name in fields else value
    return fields
