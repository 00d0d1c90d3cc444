"""Answers a query on tables on S3: DuckDB reads them with the keys of whoever asks, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlparse

import duckdb

import query as lake_query
from athena_sql import QueryError
from query import Result

DENIED = re.compile(r"AccessDenied|403 Forbidden|HTTP 403|403 \(Forbidden\)")
WHO_MAY_NOT_DO_WHAT = re.compile(r"User: \S+ is not authorized [^<\n]*")
# What DuckDB calls a mistake -> what Athena calls it.
ERRORS = {
    duckdb.BinderException: "TYPE_MISMATCH",
    duckdb.ConversionException: "INVALID_CAST_ARGUMENT",
    duckdb.OutOfRangeException: "NUMERIC_VALUE_OUT_OF_RANGE",
    duckdb.InvalidInputException: "INVALID_FUNCTION_ARGUMENT",
}
SCANNED = """
    select coalesce(sum(response.headers['Content-Length']::bigint), 0)
    from duckdb_logs_parsed('HTTP') where request.type = 'GET'
"""


class QueryFailed(Exception):
    """The query can't be answered; the message is the reason as Athena gives it."""


@dataclass(frozen=True)
class Table:
    """A table as the Glue catalog knows it."""

    database: str
    name: str
    location: str
    relation: str = ""
    """What DuckDB reads instead of a Delta table."""


def run(sql: str, tables: list[Table], database: str, variables: Mapping[str, str]) -> tuple[Result, int]:
    """The answer to a query on these tables with the keys of AWS_* variables, and how many bytes were read."""
    with lake_query.open_duckdb("httpfs", "delta") as connection:
        _use_keys(connection, variables)
        for schema in sorted({table.database for table in tables}):
            connection.execute(f'create schema "{schema}"')
        for table in tables:
            _add(connection, table)
        lake_query.restrict(connection, [table.location for table in tables])
        connection.execute("call enable_logging('HTTP')")
        try:
            result = lake_query.query(connection, sql, database)
        except QueryError as error:
            raise QueryFailed(_reason(error, [table.location for table in tables])) from error
        scanned = connection.execute(SCANNED).fetchone()
        return result, int(scanned[0]) if scanned else 0


def _use_keys(connection: duckdb.DuckDBPyConnection, variables: Mapping[str, str]) -> None:
    parts = {
        "key_id": variables["AWS_ACCESS_KEY_ID"],
        "secret": variables["AWS_SECRET_ACCESS_KEY"],
        "session_token": variables.get("AWS_SESSION_TOKEN", ""),
        "region": variables["AWS_REGION"],
        "endpoint": urlparse(variables["AWS_ENDPOINT_URL"]).netloc,
        "url_style": "path",
    }
    values = ", ".join(f"{name} '{value.replace(chr(39), chr(39) * 2)}'" for name, value in parts.items() if value)
    connection.execute(f"create secret (type s3, provider config, use_ssl false, {values})")


def _add(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    try:
        if table.relation:
            view = table.name.replace('"', '""')
            connection.execute(f'create view "{table.database}"."{view}" as select * from {table.relation}')
        else:
            lake_query.add_table(connection, table.database, table.name, table.location)
    except duckdb.Error as error:
        if DENIED.search(str(error)):
            raise QueryFailed(denied(str(error), [table.location])) from error
        name = f"{table.database}.{table.name}"
        kind = "HIVE_BAD_DATA" if table.relation else "DELTA_LAKE_INVALID_TABLE"
        raise QueryFailed(f"{kind}: {name} at {table.location}: {_first_line(error)}") from error


def _reason(error: QueryError, locations: list[str]) -> str:
    cause = error.__cause__
    if isinstance(cause, duckdb.Error):
        if DENIED.search(str(cause)):
            return denied(str(cause), locations)
        kind = next((name for known, name in ERRORS.items() if isinstance(cause, known)), "GENERIC_INTERNAL_ERROR")
        return f"{kind}: {error}"
    if str(error).startswith("Column "):
        return f"COLUMN_NOT_FOUND: {error}"
    return f"SYNTAX_ERROR: {error}"


def denied(message: str, locations: list[str]) -> str:
    """The reason of a query that may not read what is at these places."""
    who = WHO_MAY_NOT_DO_WHAT.search(message)
    return (
        "PERMISSION_DENIED: Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied) "
        f"while reading {', '.join(locations)}{f': {who[0].strip()}' if who else ''}"
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
