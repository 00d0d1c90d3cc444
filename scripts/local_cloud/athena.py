"""Athena that reads Delta tables: queries on them go to DuckDB, all other statements MiniStack's own way."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from ministack.core import responses
from ministack.services import athena, glue

import athena_sql
from local_cloud import athena_access, athena_delta, athena_results, athena_workgroups
from local_cloud.athena_delta import DeltaTable, QueryFailed
from local_cloud.replacements import replace, require

LOG = logging.getLogger("athena")
OWN_CATALOG = "AwsDataCatalog"


def install() -> None:
    """Puts this part into MiniStack."""
    athena_access.install()
    athena_results.install()
    athena_workgroups.install()
    for name in ("_executions", "_workgroups", "_named_queries"):
        require(athena, name)
    require(glue, "_tables")
    require(athena, "_detect_statement_type", ["query"])
    _execute()
    _describe()


def _execute() -> None:
    taken = ["query_id", "query", "database", "ddl", "catalog"]
    original = require(athena, "_execute_query", taken)

    async def execute_query(query_id: str, query: str, database: str, ddl: Any, catalog: str | None = None) -> None:
        execution = athena._executions.get(query_id)
        if execution and ddl is None and _is_ours(query, database, catalog):
            await _answer(execution, query, database)
        else:
            await original(query_id, query, database, ddl, catalog)

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


def _is_ours(query: str, database: str, catalog: str | None) -> bool:
    """Whether this is a query, and not on tables of other formats alone."""
    if athena._detect_statement_type(query) != "DML" or (catalog or OWN_CATALOG).lower() != OWN_CATALOG.lower():
        return False
    named = [glue._tables.get("/".join(each)) for each in athena_sql.tables_named(query, database)]
    found = [_is_delta(entry) for entry in named if entry]
    return any(found) or not found


def _is_delta(entry: dict[str, Any]) -> bool:
    parameters = entry.get("Parameters") or {}
    return "delta" in (parameters.get("spark.sql.sources.provider"), parameters.get("table_type", "").lower())


async def _answer(execution: dict[str, Any], query: str, database: str) -> None:
    status, started = execution["Status"], time.monotonic()
    status["State"] = "RUNNING"
    try:
        # In a thread: DuckDB asks this very server for the tables' files.
        scanned = await asyncio.to_thread(_run, execution, query, database)
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


def _run(execution: dict[str, Any], query: str, database: str) -> int:
    named = athena_sql.tables_named(query, database)
    athena_access.check_tables(named)
    tables = [_table(*each) for each in named]
    try:
        query = athena_sql.with_parameters(query, execution.get("ExecutionParameters", []))
    except athena_sql.QueryError as error:
        raise QueryFailed(f"INVALID_PARAMETER_USAGE: {error}") from error
    result, scanned = athena_delta.run(query, tables, database, athena_access.credentials(), responses.get_region())
    athena_results.keep(execution, result)
    return scanned


def _table(database: str, name: str) -> DeltaTable:
    entry = glue._tables.get(f"{database}/{name}")
    if entry is None:
        raise QueryFailed(f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{database}.{name}' does not exist")
    if not _is_delta(entry):
        raise QueryFailed(
            f"NOT_SUPPORTED: {database}.{name} is no Delta table; the laptop's Athena doesn't join it with Delta tables"
        )
    return DeltaTable(database, name, entry["StorageDescriptor"]["Location"].rstrip("/"))
