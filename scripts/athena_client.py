"""Asks Athena through its API, on AWS or on the laptop cloud: start a query, wait for it, fetch all rows."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import ClientError

from athena_sql import QueryError
from query import Result

WAIT_SECONDS = 600.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0


def query(client: Any, workgroup: str, database: str, sql: str, seconds: float = WAIT_SECONDS) -> Result:
    """The answer to one query, values as Athena's API gives them: text, or None for null.

    `client`: boto3's for Athena. Raises QueryError with Athena's reason, or when there is no answer in time.
    """
    try:
        started = client.start_query_execution(
            QueryString=sql, WorkGroup=workgroup, QueryExecutionContext={"Database": database}
        )
        _wait(client, started["QueryExecutionId"], seconds)
        pages = client.get_paginator("get_query_results").paginate(QueryExecutionId=started["QueryExecutionId"])
        return _result([page["ResultSet"] for page in pages])
    except ClientError as error:
        raise QueryError(f"Athena refuses: {error.response['Error']['Message']}") from error


def _wait(client: Any, execution: str, seconds: float) -> None:
    """Returns when the query has succeeded; a query that takes too long is stopped, so that it costs no more."""
    deadline, pause = time.monotonic() + seconds, FIRST_PAUSE
    while True:
        status = client.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            return
        if status["State"] in ("FAILED", "CANCELLED"):
            reason = status.get("StateChangeReason") or "Athena gives no reason"
            raise QueryError(f"Athena: {status['State'].lower()}: {reason}")
        if time.monotonic() >= deadline:
            client.stop_query_execution(QueryExecutionId=execution)
            raise QueryError(f"Athena gave no answer within {seconds:.0f} s; query {execution} has been stopped")
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _result(pages: list[dict[str, Any]]) -> Result:
    columns = pages[0]["ResultSetMetadata"]["ColumnInfo"]
    rows = [tuple(cell.get("VarCharValue") for cell in row["Data"]) for page in pages for row in page["Rows"]]
    names = [column["Name"] for column in columns]
    # A query's first row is the header; that of a statement like SHOW isn't.
    return Result(names, [_type(column) for column in columns], rows[1:] if rows[:1] == [tuple(names)] else rows)


def _type(column: dict[str, Any]) -> str:
    """Athena's type of a column by DuckDB's name, which Result has."""
    name = str(column["Type"]).upper()
    return f"DECIMAL({column['Precision']},{column['Scale']})" if name == "DECIMAL" else name
