"""Pipelines and their cases on disk: `tests/pipelines/<pipeline>/<case>/` holds raw files and the rows they become.

    raw/...                   files as they lie below a lake's root
    raw_2/...                 files that come after a first run, for a second one
    silver/<table>.csv        all rows of a table, in the declared columns; so for gold/
    quarantine/<table>.csv    all rejects, in the columns that the case cares about

Values are written as DuckDB prints them; an empty cell is null, and "" is a text without letters. Every table has its
file, also when it holds no row. A pipeline that only tests have keeps its two files beside its cases.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pytest

from lakehouse import job, reader
from query import LAYERS, connect

SAMPLES = Path(__file__).parent
PIPELINES = SAMPLES.parents[1] / "glue_scripts" / "pipelines"
Rows = tuple[list[str], Counter[tuple[Any, ...]]]


@dataclass(frozen=True)
class Case:
    """One case of a pipeline."""

    pipeline: str
    folder: Path

    def landings(self) -> list[list[tuple[str, bytes]]]:
        """The files that come before each run: their keys below raw/, and their content."""
        folders = sorted(self.folder.glob("raw*"))
        found = [[path for path in sorted(folder.rglob("*")) if path.is_file()] for folder in folders]
        return [
            [(path.relative_to(folder).as_posix(), path.read_bytes()) for path in paths]
            for folder, paths in zip(folders, found, strict=True)
        ]

    def __str__(self) -> str:
        return f"{self.pipeline}/{self.folder.name}"


def find_cases() -> list[Case]:
    """All cases of all pipelines."""
    return [Case(raw.parts[-3], raw.parent) for raw in sorted(SAMPLES.glob("*/*/raw"))]


def load_script(path: Path) -> ModuleType:
    """The script at a path, as a module of its own."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@contextmanager
def pipeline(name: str) -> Iterator[ModuleType]:
    """The script of a pipeline, shipped or of tests only; within the block a job finds its declaration."""
    folder = PIPELINES if (PIPELINES / f"{name}.yaml").exists() else SAMPLES / name
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(job, "find_declaration", lambda name: reader.read(folder / f"{name}.yaml"))
        yield load_script(folder / f"{name}.py")


def differences(case: Case, lake: Path) -> dict[str, Any]:
    """What is wrong with each table: other columns, or the rows that are missing and those that are too many."""
    layers = ("silver", "quarantine", "gold")
    written = {path for layer in layers for path in (case.folder / layer).glob("*.csv")}
    logs = {log for layer in layers for log in (lake / layer).glob("*/_delta_log")}
    expected = {f"{path.parent.name}/{path.stem}": _expected(path) for path in written}
    found = {"/".join(log.parts[-3:-1]) for log in logs}
    wrong: dict[str, Any] = dict.fromkeys(expected.keys() ^ found, "no such file or table")
    for table in expected.keys() & found:
        names, rows = expected[table]
        declared, actual = _actual(lake, table, names)
        if not table.startswith("quarantine/") and names != declared:
            wrong[table] = f"the file's columns {names} are not the declared ones {declared}"
        elif rows != actual:
            wrong[table] = {"missing": list(rows - actual), "too many": list(actual - rows)}
    return wrong


def _expected(path: Path) -> Rows:
    answer = duckdb.execute(
        "FROM read_csv(?, delim = ',', quote = '\"', escape = '\"', header = true, all_varchar = true, "
        "allow_quoted_nulls = false)",
        [str(path)],
    )
    return [name for name, *_ in answer.description], Counter(answer.fetchall())


def _actual(lake: Path, table: str, names: list[str]) -> Rows:
    """The declared columns of a table, and all rows in the named ones."""
    connection, (layer, name) = connect(lake), table.split("/")
    schema, view = LAYERS[layer][0], LAYERS[layer][1].format(name)
    declared = [column for column, *_ in connection.execute(f'DESCRIBE {schema}."{view}"').fetchall()]
    values = ", ".join(f'CAST("{name}" AS VARCHAR)' for name in names)
    rows = connection.execute(f'SELECT {values} FROM {schema}."{view}"').fetchall()
    return [column for column in declared if not column.startswith("_")], Counter(rows)
