"""Athena that does all with the rights of whoever asks: DuckDB answers SELECT, a few DDL statements go to Glue."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ministack.services import athena, glue

import athena_sql
from local_cloud import athena_access, athena_duckdb, athena_files, athena_results, athena_workgroups
from local_cloud.athena_duckdb import QueryFailed, Table
from local_cloud.replacements import replace, require
from query import Result

LOG = logging.getLogger("athena")
OWN_CATALOG = "AwsDataCatalog"


def install() -> None:
    """Puts this part into MiniStack."""
    athena_access.install()
    athena_files.install()
    athena_results.install()
    athena_workgroups.install()
    for name in ("_executions", "_workgroups", "_named_queries"):
        require(athena, name)
    require(glue, "_tables")
    require(athena, "_DropTable")
    require(athena, "_run_ddl", ["ddl", "database"])
    require(athena, "_sql_tokens", ["sql"])
    _execute()
    _describe()


def _execute() -> None:
    taken = ["query_id", "query", "database", "ddl", "catalog"]

    async def execute_query(query_id: str, query: str, database: str, ddl: Any, catalog: str | None = None) -> None:
        if execution := athena._executions.get(query_id):
            await _answer(execution, partial(_run, execution, query, database, ddl, catalog or OWN_CATALOG))

    replace(athena, "_execute_query", execute_query, parameters=taken)


def _describe() -> None:
    original = require(athena, "_get_table_metadata", ["data"])

    def get_table_metadata(data: dict[str, Any]) -> Any:
        database, table = data.get("DatabaseName"), data.get("TableName")
        if f"{database}/{table}" not in glue._tables:
            reason = f"EntityNotFoundException: Table {table} not found in database {database}"
            return athena.error_response_json("MetadataException", reason, 400)
        return original(data)

    replace(athena, "_get_table_metadata", get_table_metadata, parameters=["data"])


def _is_delta(entry: dict[str, Any]) -> bool:
    parameters = entry.get("Parameters") or {}
    return "delta" in (parameters.get("spark.sql.sources.provider"), parameters.get("table_type", "").lower())


async def _answer(execution: dict[str, Any], run: Callable[[], int]) -> None:
    status, started = execution["Status"], time.monotonic()
    if status["State"] == "CANCELLED":  # before its turn came
        return
    status["State"] = "RUNNING"
    try:
        # In a thread: DuckDB asks this very server for the tables' files.
        scanned = await asyncio.to_thread(run)
        execution["Statistics"]["DataScannedInBytes"] = scanned
        state, reason = "SUCCEEDED", ""
    except (QueryFailed, athena_access.AccessDenied) as error:
        state, reason = "FAILED", str(error)
    except Exception as error:
        LOG.exception("Athena query %s failed", execution["QueryExecutionId"])
        state, reason = "FAILED", f"GENERIC_INTERNAL_ERROR: {error}"
    if status["State"] == "CANCELLED":
        return
    milliseconds = round((time.monotonic() - started) * 1000)
    execution["Statistics"] |= dict.fromkeys(
        ("EngineExecutionTimeInMillis", "TotalExecutionTimeInMillis"), milliseconds
    )
    status["CompletionDateTime"] = time.time()
    if reason:
        status["StateChangeReason"] = reason[:2000]
    status["State"] = state  # last: whoever waits for it then finds all the rest


def _run(execution: dict[str, Any], query: str, database: str, ddl: Any, catalog: str) -> int:
    """Does what a statement says and keeps its result; how many bytes were read."""
    if catalog.lower() != OWN_CATALOG.lower():
        raise QueryFailed(f"NOT_SUPPORTED: the laptop's Athena has no catalog but {OWN_CATALOG}, not {catalog}")
    if ddl is not None:
        action = "glue:DeleteTable" if isinstance(ddl, athena._DropTable) else "glue:CreateTable"
        athena_access.check_table(action, ddl.database or database, ddl.table)
        result, scanned = _change_catalog(ddl, database), 0
    elif _first_word(query) in ("select", "with"):
        result, scanned = _select(query, database, execution.get("ExecutionParameters", []))
    else:
        raise QueryFailed("NOT_SUPPORTED: the laptop's Athena answers SELECT alone, and creates and drops tables")
    athena_results.keep(execution, result)
    return scanned


def _first_word(query: str) -> str:
    return next((text for kind, text, *_ in athena._sql_tokens(query) if (kind, text) != ("punct", "(")), "")


def _change_catalog(ddl: Any, database: str) -> Result:
    try:
        athena._run_ddl(ddl, database)
    except ValueError as error:
        raise QueryFailed(str(error)) from error
    return Result([], [], [])


def _select(query: str, database: str, parameters: list[str]) -> tuple[Result, int]:
    named = athena_sql.tables_named(query, database)
    athena_access.check_tables(named)
    variables = athena_access.variables()
    tables = [_table(*each, variables) for each in named]
    try:
        query = athena_sql.with_parameters(query, parameters)
    except athena_sql.QueryError as error:
        raise QueryFailed(f"INVALID_PARAMETER_USAGE: {error}") from error
    return athena_duckdb.run(query, tables, database, variables)


def _table(database: str, name: str, variables: Mapping[str, str]) -> Table:
    entry = glue._tables.get(f"{database}/{name}")
    if entry is None:
        raise QueryFailed(f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{database}.{name}' does not exist")
    location = (entry.get("StorageDescriptor") or {}).get("Location", "").rstrip("/")
    if not location.startswith("s3://"):  # a folder of this machine would be read without anyone's rights
        raise QueryFailed(f"NOT_SUPPORTED: {database}.{name} has no location on s3://")
    if _is_delta(entry):
        return Table(database, name, location)
    relation = athena_files.relation(f"{database}.{name}", entry, location, variables)
    return Table(database, name, location, relation)
