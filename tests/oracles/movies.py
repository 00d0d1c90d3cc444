"""What the movies tables must hold, computed from the raw files alone.

Written from `docs/movies.md`, sharing no code with the pipeline. This module only cuts files into lines and
reads each line's JSON; all that the page says about records, types, checks, versions and gold is in
`movies.sql`. JSON is read here because DuckDB's own reader is no judge of it: it has no bare `NaN`, it may
write a number anew, and its text cannot hold bytes that are not UTF-8.
"""

import gzip
import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

RawFile = tuple[str, datetime, bytes]
Members = list[tuple[str, str | None]]

SQL_FILE = Path(__file__).with_name("movies.sql")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DEEPEST_NESTING = 1000

JSON_WHITE_SPACE = (" ", "\t", "\n", "\r")
JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
# Numbers and NaN go through `str`, so that no literal is ever converted (or refused for its length).
JSON_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)


def read_lake(lake: Path) -> list[RawFile]:
    """All files below `<lake>/raw/movies`: key, modification time in UTC to the microsecond, bytes."""
    files = []
    for path in (lake / "raw" / "movies").rglob("*"):
        if path.is_file():
            microseconds = path.stat().st_mtime_ns // 1000
            modified_at = datetime(1970, 1, 1) + timedelta(microseconds=microseconds)
            files.append((path.relative_to(lake).as_posix(), modified_at, path.read_bytes()))
    return sorted(files)


def compute(files: Iterable[RawFile]) -> duckdb.DuckDBPyConnection:
    """A new in-memory database with the tables of `movies.sql` for these files."""
    connection = duckdb.connect()
    load(connection, files)
    connection.execute(SQL_FILE.read_text(encoding="utf-8"))
    return connection


def load(connection: duckdb.DuckDBPyConnection, files: Iterable[RawFile]) -> None:
    """Create and fill what `movies.sql` starts from: `raw_files` (a row a file), `raw_lines` (a row a line).

    Modification times are UTC without a time zone. The same bytes under the same key are the same file: to
    give them twice is an error, because only the ledger knows which of the two times it saw first.
    """
    connection.execute(
        "CREATE TABLE raw_files (file INTEGER, key VARCHAR, modified_at TIMESTAMP, content BLOB);"
        "CREATE TABLE raw_lines (file INTEGER, position BIGINT, line BLOB, text VARCHAR,"
        " json_problem VARCHAR, names VARCHAR[], texts VARCHAR[])"
    )
    seen = set()
    for number, (key, modified_at, content) in enumerate(files):
        if modified_at.tzinfo is not None:
            raise ValueError(f"{key}: the modification time must be UTC without a time zone")
        if (key, content) in seen:
            raise ValueError(f"{key}: the same file twice")
        seen.add((key, content))
        connection.execute("INSERT INTO raw_files VALUES (?, ?, ?, ?)", [number, key, modified_at, content])
        _load_lines(connection, number, gzip.decompress(content) if key.endswith(".gz") else content)


def _load_lines(connection: duckdb.DuckDBPyConnection, file: int, content: bytes) -> None:
    """Add the lines of one file to `raw_lines`.

    They travel as one JSON document of strings: DuckDB binds Python values one at a time, which takes half a
    minute for 20,000 records.
    """
    lines = []
    for position, line in enumerate(split_lines(content)):
        text = _decode(line)
        problem, members = read_json_line(text)
        names, texts = [name for name, _ in members], [value for _, value in members]
        lines.append([str(position), line.hex(), text, problem, json.dumps(names), json.dumps(texts)])
    connection.execute(
        "INSERT INTO raw_lines SELECT $file, row[1]::BIGINT, unhex(row[2]), row[3], row[4],"
        """ from_json(row[5], '["VARCHAR"]'), from_json(row[6], '["VARCHAR"]')"""
        """ FROM (SELECT unnest(from_json($lines, '[["VARCHAR"]]')) AS row)""",
        {"file": file, "lines": json.dumps(lines)},
    )


def split_lines(content: bytes) -> list[bytes]:
    r"""A file without a leading byte order mark, cut at each `\n`, `\r\n` and lone `\r`."""
    # Of bytes, unlike of text, `splitlines` knows these three line ends only.
    return content.removeprefix(BYTE_ORDER_MARK).splitlines()


def _decode(line: bytes) -> str | None:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return None


def read_json_line(text: str | None) -> tuple[str | None, Members]:
    """The line's problem as JSON, or None and the names and texts of its object; a JSON null has no text."""
    if text is None:
        return None, []  # not UTF-8: movies.sql names that problem
    try:
        if _nesting(text) > DEEPEST_NESTING:
            raise ValueError("nested too deeply")
        with _room_for_deep_nesting():
            objects = _read_objects(text)
    except ValueError:
        return "malformed_record", []
    if len(objects) > 1:
        return "several_records", []
    names = [name for name, _ in objects[0]]
    if len(set(names)) < len(names):
        return "repeated_field", []
    return None, objects[0]


def _nesting(text: str) -> int:
    """How many objects and arrays are open at once at the deepest point, as far as brackets tell."""
    if text.count("{") + text.count("[") <= DEEPEST_NESTING:
        return 0  # cannot be too deep, whatever it is
    depth = deepest = 0
    for character in JSON_STRING.sub("", text):
        if character in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "}]":
            depth -= 1
    return deepest


@contextmanager
def _room_for_deep_nesting() -> Iterator[None]:
    """Raise Python's recursion limit, which its JSON decoder would reach before the deepest nesting."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 2 * DEEPEST_NESTING)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _read_objects(text: str) -> list[Members]:
    """The objects of a line with nothing, white space or a comma between; ValueError for any other line."""
    objects = []
    position = _skip_white_space(text, 0)
    while True:
        members, position = _read_object(text, position)
        objects.append(members)
        position = _skip_white_space(text, position)
        if position == len(text):
            return objects
        if text[position] == ",":
            position = _skip_white_space(text, position + 1)


def _read_object(text: str, start: int) -> tuple[Members, int]:
    """The members of the object that begins at `start`, and the position after it."""
    position = _skip_white_space(text, _expect(text, start, "{"))
    members: Members = []
    if text[position : position + 1] == "}":
        return members, position + 1
    while True:
        _expect(text, position, '"')
        name, position = JSON_DECODER.raw_decode(text, position)
        name.encode("utf-8")  # a lone surrogate is no text: UnicodeEncodeError is a ValueError
        position = _skip_white_space(text, _expect(text, _skip_white_space(text, position), ":"))
        value, position = _read_value(text, position)
        members.append((name, value))
        position = _skip_white_space(text, position)
        if text[position : position + 1] == "}":
            return members, position + 1
        position = _skip_white_space(text, _expect(text, position, ","))


def _read_value(text: str, start: int) -> tuple[str | None, int]:
    """The text of the value at `start` (a string's content, else the JSON as it stands), and its end."""
    value, end = JSON_DECODER.raw_decode(text, start)
    if value is None:
        return None, end
    if text[start] == '"':
        value.encode("utf-8")  # as for names
        return value, end
    return text[start:end], end


def _skip_white_space(text: str, position: int) -> int:
    while text[position : position + 1] in JSON_WHITE_SPACE:
        position += 1
    return position


def _expect(text: str, position: int, character: str) -> int:
    """The position after `character`, which must be at `position`."""
    if text[position : position + 1] != character:
        raise ValueError(f"no {character} at {position}")
    return position + 1
