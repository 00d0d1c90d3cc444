"""Tables of JSON files, one object a line, as DuckDB reads them: with declared columns, whatever the files hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlglot import exp

RUN_RECORD = Path(__file__).resolve().parent.parent / "glue_scripts" / "lakehouse" / "run_record.json"
"""The columns of the table `runs`; Terraform reads them there too."""


def relation(files: Sequence[str], columns: Mapping[str, str]) -> str:
    """What stands for the table after FROM in DuckDB's SQL. `columns`: type by name, as the Glue catalog has it."""
    types = {name: exp.DataType.build(each, dialect="hive").sql("duckdb") for name, each in columns.items()}
    if not files:
        nothing = ", ".join(f"cast(null as {each}) as {_quoted(name)}" for name, each in types.items())
        return f"(select {nothing} where false)"
    places = ", ".join(map(_text, files))
    declared = ", ".join(f"{_text(name)}: {_text(each)}" for name, each in types.items())
    return f"read_json([{places}], format = 'newline_delimited', columns = {{{declared}}}, hive_partitioning = false)"


def run_records(lake: Path) -> str:
    """The run records of a lake in a folder, as such a relation."""
    columns = {each["name"]: each["type"] for each in json.loads(RUN_RECORD.read_text(encoding="utf-8"))}
    pattern = "runs/*/*/*/*/*/*.json"
    found = next(lake.glob(pattern), None)
    return relation([f"{lake.resolve()}/{pattern}"] if found else [], columns)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
