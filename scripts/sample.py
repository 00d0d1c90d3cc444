"""Reads a sample of a dataset's files, CSV or JSON lines, as strictly as the lake does, but without Spark."""

from __future__ import annotations

import csv
import functools
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from lakehouse.declaration import Source
from lakehouse.inspection import SUFFIXES, inspect_file
from lakehouse.raw_text import MAX_RECORD
from lakehouse.values import WHITE_SPACE

EXCERPT = 20
"""Records that a case takes over: few enough to be read by a person."""
NESTED = "objects or lists"
INEXACT = "numbers that are read as floating point"


class SampleError(ValueError):
    """A sample that no dataset can be made of; the message names file and line, and what to do."""


class Number(str):
    """A JSON number as it is spelled, which tells more of its type than its value: 7.40 is money."""

    __slots__ = ()

    def plain(self) -> str:
        """Its text in bronze, which keeps the value and not the spelling."""
        value = self.rstrip("0").rstrip(".") if "." in self else str(self)
        return "0" if value == "-0" else value


@dataclass(frozen=True)
class Sample:
    """What a sample file holds.

    `columns`: by the source's name the value of each record, without white space around it, None when there is none.
    `unclear`: what the columns hold whose values bronze spells in its own way. `excerpt`: the file's first records.
    """

    file: str
    format: str
    columns: dict[str, list[str | None]]
    unclear: dict[str, str]
    excerpt: bytes


def read_sample(path: Path, pipeline: str) -> Sample:
    """The sample in a file. Raises SampleError when a lake would refuse the file, or one of its records."""
    content = _inspected(path, pipeline)
    text = _decoded(path, content)
    kind = _format(path)
    rows, excerpt = (_json_rows if kind == "json" else _csv_rows)(path, text)
    columns: dict[str, list[str | None]] = {name: [] for row in rows for name in row}
    unclear: dict[str, str] = {}
    for row in rows:
        for name, values in columns.items():
            value = row.get(name)
            if problem := _unclear(value):
                unclear[name] = problem
            values.append(None if problem else _text(value))
    return Sample(path.name.removesuffix(".gz"), kind, columns, unclear, excerpt.encode())


def _format(path: Path) -> str:
    name = path.name.removesuffix(".gz")
    return next((kind for kind, suffixes in SUFFIXES.items() if name.endswith(suffixes)), "csv")


def _inspected(path: Path, pipeline: str) -> bytes:
    """The file's content, unpacked, once the lake's own inspection has found it readable."""
    source = Source(pipeline, "", pipeline, _format(path), ())
    try:
        with path.open("rb") as stream:
            found = inspect_file(stream, f"raw/{pipeline}/{path.name}", source)
        if found.outcome != "read":
            raise SampleError(f"{path}: a lake takes nothing from this file: {found.reason}")
        content = path.read_bytes()
    except OSError as error:
        raise SampleError(f"{path}: can't be read: {error.strerror}; name a file with SAMPLE=") from error
    return gzip.decompress(content) if path.name.endswith(".gz") else content


def _decoded(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(content[: error.start].splitlines())
        _refuse(path, line, "isn't UTF-8; save the file in that encoding")


def _refuse(path: Path, line: int, problem: str) -> NoReturn:
    raise SampleError(f"{path}: line {line}: {problem}")


Rows = tuple[list[dict[str, Any]], str]
"""The records, and the text of the first few."""


def _csv_rows(path: Path, text: str) -> Rows:
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, strict=True)
    header: list[str] = []
    rows: list[dict[str, Any]] = []
    end = 0
    for cells in filter(None, reader):
        line = reader.line_num
        if not header:
            header = [name.strip() for name in cells]
            if "" in header:
                _refuse(path, line, f"column {header.index('') + 1} has no name; name it, or take it out of the files")
            continue
        if len(cells) != len(header):
            _refuse(path, line, f"{len(cells)} cells, where the header has {len(header)}; mend the record or delete it")
        if [cell.strip() for cell in cells] == header:
            _refuse(path, line, "the header once more; a sample is one file with one header")
        if sum(len(cell.encode()) for cell in cells) > MAX_RECORD:
            _refuse(path, line, f"a record of over {MAX_RECORD >> 20} MiB, which a lake rejects; delete it")
        # Spark's reader makes LF of CR LF in a cell.
        rows.append({name: cell.replace("\r\n", "\n") for name, cell in zip(header, cells, strict=True)})
        end = line if len(rows) <= EXCERPT else end
    return rows, "".join(lines[:end])


def _json_rows(path: Path, text: str) -> Rows:
    rows: list[dict[str, Any]] = []
    excerpt: list[str] = []
    # Not str.splitlines(), which also ends lines where Spark doesn't.
    for number, line in enumerate(io.StringIO(text, newline=""), 1):
        if not (record := line.strip(WHITE_SPACE)):
            continue
        if len(record.encode()) > MAX_RECORD:
            _refuse(path, number, f"a record of over {MAX_RECORD >> 20} MiB, which a lake rejects; delete it")
        rows.append(_json_object(record, functools.partial(_refuse, path, number)))
        excerpt += [line] if len(rows) <= EXCERPT else []
    return rows, "".join(excerpt)


def _json_object(record: str, refuse: Callable[[str], NoReturn]) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            refuse(f"the field {repeated[0]} stands twice; a lake rejects such a record")
        return dict(pairs)

    def no_number(word: str) -> NoReturn:
        refuse(f"{word} is no JSON; write null, or leave the field out")

    try:
        found = json.loads(
            record, parse_int=Number, parse_float=Number, parse_constant=no_number, object_pairs_hook=unique
        )
        json.dumps(found, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        refuse(f"expected one JSON object and nothing else: {error.msg} at character {error.pos + 1}")
    except UnicodeEncodeError:
        refuse("half a character, such as \\ud800 alone; a lake rejects such a record")
    if not isinstance(found, dict):
        refuse("expected a JSON object with fields")
    if "" in found:
        refuse("a field has no name; name it, or take it out of the files")
    return found


def _unclear(value: Any) -> str:
    """What a value is, if bronze has its own spelling for it; else nothing."""
    if isinstance(value, dict | list):
        return NESTED
    if isinstance(value, Number) and (set(value) & set("eE") or len(value) > 38):
        return INEXACT
    return ""


def _text(value: Any) -> str | None:
    """A value as a lake reads it: blank text is none."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None or isinstance(value, Number) else value.strip(WHITE_SPACE) or None
