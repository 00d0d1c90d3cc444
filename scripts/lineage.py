"""From a row of a gold or silver table to the silver rows, bronze rows and raw records that it was made from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from athena_sql import QueryError
from lakehouse.declaration import Column, GoldTable, Pipeline, SilverTable, TouchedBy
from query import Result

ROWS_SHOWN = 20
PAIR = re.compile(r"([a-z][a-z0-9_]*)=(.*)", re.DOTALL)
NEXT_PAIR = re.compile(r",(?=[a-z][a-z0-9_]*=)")
"""A comma between two pairs; any other is a part of a value."""


@dataclass(frozen=True)
class Lake:
    """Where to ask: SQL -> answer, and the database of each layer."""

    ask: Callable[[str], Result]
    databases: Mapping[str, str]


@dataclass(frozen=True)
class Target:
    """The table whose row is traced."""

    pipeline: Pipeline
    layer: str
    table: GoldTable | SilverTable

    def __str__(self) -> str:
        return f"{self.layer}.{self.table.name}"


@dataclass(frozen=True)
class Origins:
    """The rows of one silver table behind the row that is traced, each with its raw record; the first ones alone."""

    table: str
    condition: str
    count: int
    rows: Result


def find_table(name: str, pipelines: Iterable[Pipeline]) -> Target:
    """The table of a name such as `movies_by_genre`, or with its layer, `silver.movies`."""
    known = [
        Target(pipeline, layer, table)
        for pipeline in pipelines
        for layer, tables in (("gold", pipeline.gold), ("silver", pipeline.silver))
        for table in tables.values()
    ]
    found = [target for target in known if name in (str(target), target.table.name)]
    if len(found) != 1:
        there = ", ".join(map(str, known))
        raise QueryError(f"{'several tables are' if found else 'no table is'} called {name}; there are: {there}")
    return found[0]


def read_key(texts: Iterable[str], table: GoldTable | SilverTable) -> dict[str, str]:
    """The values of a table's key from `column=value` texts, each of one pair or of several with commas."""
    key: dict[str, str] = {}
    for pair in (pair for text in texts for pair in NEXT_PAIR.split(text)):
        match = PAIR.fullmatch(pair)
        if not match:
            raise QueryError(f"a key is column=value, such as {table.key[0]}=...; found {pair!r}")
        if match[1] not in table.key or match[1] in key:
            problem = "stands twice" if match[1] in key else "isn't a column of the key"
            raise QueryError(f"{match[1]} {problem}; the key of {table.name} is {', '.join(table.key)}")
        key[match[1]] = match[2]
    if missing := [name for name in table.key if name not in key]:
        raise QueryError(f"the key of {table.name} is {', '.join(table.key)}; missing: {', '.join(missing)}")
    return key


def find_row(lake: Lake, target: Target, key: Mapping[str, str]) -> Result:
    """The row itself."""
    table = f"{lake.databases[target.layer]}.{_quoted(target.table.name)}"
    row = lake.ask(f"SELECT * FROM {table} WHERE {_condition(target.table.columns, key)}")
    if not row.rows:
        raise QueryError(f"{target} has no row with {_words(key)}")
    return row


def find_origins(lake: Lake, target: Target, key: Mapping[str, str]) -> list[Origins]:
    """The silver rows of the row's group, of each table that it is computed from; a silver row is its own."""
    if isinstance(target.table, SilverTable):
        return [_origins(lake, target.pipeline, target.table, key)]
    touched = target.table.touched_by
    groups = {name: {by: key[by] for by in touched[name] or ()} for name in target.table.reads}
    return [
        _origins(lake, target.pipeline, target.pipeline.silver[name], group, touched[name])
        for name, group in groups.items()
    ]


def find_bronze_row(lake: Lake, table: SilverTable, origins: Origins) -> Result:
    """The bronze row of the first of a silver table's rows, a line for each field."""
    *_, batch, record_id, _, _ = origins.rows.rows[0]
    bronze = f"{lake.databases['bronze']}.{_quoted(table.reads)}"
    # A file that was replaced and is back has left the same records in two batches.
    row = lake.ask(f'SELECT * FROM {bronze} WHERE "_record_id" = {_text(record_id)} AND "_batch" = {int(batch)}')
    fields = [(name, value) for each in row.rows for name, value in zip(row.columns, each, strict=True)]
    return Result(["field", "value"], ["VARCHAR", "VARCHAR"], fields)


def _origins(
    lake: Lake, pipeline: Pipeline, table: SilverTable, group: Mapping[str, str], held: TouchedBy | None = None
) -> Origins:
    silver = f"{lake.databases['silver']}.{_quoted(table.name)} AS s"
    bronze = f"{lake.databases['bronze']}.{_quoted(table.reads)} AS b"
    choices = [
        [{source: value} for source in (held[name] if isinstance(held, Mapping) else (name,))]
        for name, value in group.items()
    ]
    either = [" OR ".join(_condition(table.columns, each, "s.") for each in choice) for choice in choices]
    condition = " AND ".join(f"({each})" if " OR " in each else each for each in either) or "true"
    key = ", ".join(f"s.{_quoted(name)}" for name in table.identity)
    order = f"{key} DESC" if table.history else key  # its last column is the moment: the newest version first
    # The position has twelve digits at the end of a record's identity.
    sql = f"""
        SELECT {key}, s."_batch" AS batch, s."_record_id" AS record_id, b."_file" AS raw_file,
            cast(substr(s."_record_id", 18) AS bigint) AS record
        FROM {silver} LEFT JOIN {bronze} ON b."_record_id" = s."_record_id" AND b."_batch" = s."_batch"
        WHERE {condition} ORDER BY {order} LIMIT {ROWS_SHOWN}
    """
    count = lake.ask(f"SELECT count(*) AS n FROM {silver} WHERE {condition}").rows[0][0]
    return Origins(table.name, _words(group) or "all", int(count), lake.ask(sql))


def _condition(columns: Iterable[Column], values: Mapping[str, str], prefix: str = "") -> str:
    kinds = {column.name: column.type for column in columns}
    equal = [f"{prefix}{_quoted(name)} = {_literal(name, kinds[name], text)}" for name, text in values.items()]
    return " AND ".join(equal) or "true"


def _literal(column: str, kind: str, text: str) -> str:
    """The value of a column as SQL writes it. Raises QueryError for a text that can't be one."""
    try:
        match kind.partition("(")[0]:
            case "int" | "bigint":
                return str(int(text))
            case "boolean":
                return {"true": "true", "false": "false"}[text.lower()]
            case "date":
                return f"DATE '{date.fromisoformat(text)}'"
            case "timestamp":
                return f"TIMESTAMP '{datetime.fromisoformat(text).replace(tzinfo=None)} UTC'"
            case "decimal":
                return f"DECIMAL '{Decimal(text):f}'"
            case "double":
                return f"cast('{float(text)!r}' AS double)"
            case _:
                return _text(text)
    except (ValueError, KeyError, InvalidOperation) as error:
        raise QueryError(f"{column} is of type {kind}, and {text!r} isn't") from error


def _words(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def _quoted(name: str) -> str:
    return f'"{name}"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
