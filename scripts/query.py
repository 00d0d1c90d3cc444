"""Query the tables of a deployed environment through Athena, or those of a lake folder in Athena's SQL."""

from __future__ import annotations

import argparse
import sys
import time
import unicodedata
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb

import json_tables
from athena_sql import UNNAMED, QueryError, Tables, translate

DEFAULT_SCHEMA = "oakvale_gold"
# Where a layer's tables are, and how Athena names them.
LAYERS = {
    "bronze": ("oakvale_bronze", "{}"),
    "ledger": ("oakvale_bronze", "{}_files"),
    "silver": ("oakvale_silver", "{}"),
    "quarantine": ("oakvale_silver", "{}_quarantine"),
    "quarantine_events": ("oakvale_silver", "{}_quarantine_events"),
    "gold": ("oakvale_gold", "{}"),
}
NUMBERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL"}
ROWS_ON_A_TERMINAL = 200


@dataclass(frozen=True)
class Result:
    """The answer to one query: column names, DuckDB's type of each, and the rows."""

    columns: list[str]
    types: list[str]
    rows: list[tuple[Any, ...]]


def connect(lake: Path) -> duckdb.DuckDBPyConnection:
    """A connection that sees each table of the lake as a view, the run records too, and nothing outside the lake."""
    tables = [
        (schema, name.format(log.parent.name), log.parent)
        for layer, (schema, name) in LAYERS.items()
        for log in sorted((lake / layer).glob("*/_delta_log"))
    ]
    if not tables:
        raise QueryError(
            f"no tables in {lake}: put files below raw/ there and run `make run PIPELINE=name LAKE=folder` first"
        )
    connection = open_duckdb("delta")
    for schema in sorted({schema for schema, _ in LAYERS.values()}):
        connection.execute(f"create schema {schema}")
    for schema, name, folder in tables:
        add_table(connection, schema, name, str(folder.resolve()))
    connection.execute(f"create view {LAYERS['bronze'][0]}.runs as select * from {json_tables.run_records(lake)}")
    restrict(connection, [str(lake.resolve())])
    return connection


def open_duckdb(*extensions: str) -> duckdb.DuckDBPyConnection:
    """An empty database in memory with these extensions, which never looks for others."""
    offline = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    # pip has compared the extensions with pinned hashes; DuckDB would check them anew, for half a second each time.
    trusted = {"allow_unsigned_extensions": True, "allow_persistent_secrets": False}
    connection = duckdb.connect(config={**offline, **trusted})
    for name in extensions:
        connection.load_extension(str(_extension(name)))
    connection.execute("set timezone = 'UTC'")
    return connection


def add_table(connection: duckdb.DuckDBPyConnection, schema: str, name: str, location: str) -> None:
    """Makes the Delta table at a place a view of an existing schema."""
    place, schema, view = location.replace("'", "''"), schema.replace('"', '""'), name.replace('"', '""')
    connection.execute(f'create view "{schema}"."{view}" as select * from delta_scan(\'{place}\')')


def restrict(connection: duckdb.DuckDBPyConnection, locations: list[str]) -> None:
    """Lets queries read nothing outside these places."""
    connection.execute("set allowed_directories = ?", [locations])
    connection.execute("set enable_external_access = false")


def query(connection: duckdb.DuckDBPyConnection, sql: str, schema: str = DEFAULT_SCHEMA) -> Result:
    """The answer to one SELECT in Athena's SQL; a QueryError if Athena or DuckDB would refuse it.

    `schema`: where tables are that the query names without one.
    """
    translated = translate(sql, _tables(connection), schema)
    try:
        cursor = connection.execute(translated)
        rows = cursor.fetchall()
    except duckdb.Error as error:
        # What follows in the message is the translated text, which the user didn't write.
        reason = str(error).split("\n\nLINE", maxsplit=1)[0]
        raise QueryError(f"DuckDB, which stands in for Athena here: {reason}") from error
    description = cursor.description or []
    columns = [f"_col{n}" if name.startswith(UNNAMED) else name for n, (name, *_) in enumerate(description)]
    return Result(columns, [str(data_type) for _, data_type, *_ in description], rows)


def ask(environment: str, sql: str) -> Result:
    """The answer of a deployed environment's Athena; a QueryError when there is none."""
    from botocore.exceptions import BotoCoreError

    import athena_client  # not at the top: a lake in a folder needs no AWS library
    import deployment
    from environments import DeployError

    try:
        deployed = deployment.connect(environment)
        workgroup, database = deployed.outputs["workgroup"], deployed.outputs["databases"]["gold"]
        return athena_client.query(deployed.client("athena"), workgroup, database, sql)
    except (DeployError, BotoCoreError) as error:
        raise QueryError(str(error)) from error


def _extension(name: str) -> Path:
    package = find_spec(f"duckdb_extension_{name}")
    if package is None or package.origin is None:
        raise QueryError(f"the DuckDB extension {name} is not installed: run make setup")
    # By path: DuckDB would otherwise download it, or copy it into the home directory.
    return Path(package.origin).parent / f"extensions/v{duckdb.__version__}/{name}.duckdb_extension"


def _tables(connection: duckdb.DuckDBPyConnection) -> Tables:
    tables: Tables = {}
    columns = "select table_schema, table_name, column_name, data_type from information_schema.columns"
    for schema, table, column, data_type in connection.execute(columns).fetchall():
        tables.setdefault(schema, {}).setdefault(table.lower(), {})[column] = data_type
    return tables


def printable(value: object) -> str:
    """A value as one line of text: whatever could steer a terminal is left out."""
    if value is None:
        return "NULL"
    line = " ".join(str(value).split())
    return "".join(sign for sign in line if unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co"))


def show(result: Result) -> None:
    """Print a result: a drawn table on a terminal, plain columns in a pipe or file."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    on_terminal = sys.stdout.isatty()
    # A pipe has no width: nothing may be cut there.
    console = Console() if on_terminal else Console(width=100_000, color_system=None)
    table = Table(box=box.SIMPLE_HEAD if on_terminal else None, pad_edge=False)
    for name, data_type in zip(result.columns, result.types, strict=True):
        is_number = data_type.split("(")[0] in NUMBERS
        table.add_column(Text(printable(name)), justify="right" if is_number else "left", no_wrap=not on_terminal)
    rows = result.rows[:ROWS_ON_A_TERMINAL] if on_terminal else result.rows
    for row in rows:
        table.add_row(*(Text(printable(value)) for value in row))
    console.print(table)
    if len(rows) < len(result.rows):
        console.print(f"... and {len(result.rows) - len(rows):,} more rows")


def main() -> int:
    """Command line: exit code 2 and one clear message when the query, the lake or the environment is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sql", help="one SELECT in Athena's SQL; gold tables need no schema")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--lake", type=Path, help="the folder of a lake on this machine")
    place.add_argument("--environment", help="a deployed environment: local, dev, staging or production")
    arguments = parser.parse_args()
    start = time.monotonic()
    try:
        if arguments.lake:
            result = query(connect(arguments.lake), arguments.sql)
        else:
            result = ask(arguments.environment, arguments.sql)
    except QueryError as error:
        print(f"error: {printable(error)}", file=sys.stderr)
        return 2
    show(result)
    count = len(result.rows)
    print(f"{count:,} row{'' if count == 1 else 's'} in {time.monotonic() - start:.2f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
