"""The client for people: what it makes of Athena's answers, and how long it waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import requests
from botocore.stub import Stubber

import athena_client
from athena_sql import QueryError
from query import Result

COLUMNS = [
    {"Name": "genre", "Type": "varchar", "Precision": 2147483647, "Scale": 0},
    {"Name": "rating", "Type": "decimal", "Precision": 4, "Scale": 2},
]
HEADER = {"Data": [{"VarCharValue": "genre"}, {"VarCharValue": "rating"}]}
DRAMA = {"Data": [{"VarCharValue": "Drama"}, {"VarCharValue": "6.50"}]}
COMEDY: dict[str, Any] = {"Data": [{"VarCharValue": "Comedy"}, {}]}
ASKED = {"QueryString": "select 1", "WorkGroup": "oakvale", "QueryExecutionContext": {"Database": "oakvale_gold"}}
ONE = {"QueryExecutionId": "q1"}


@pytest.fixture
def athena(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """boto3's client for an account with a workgroup."""
    monkeypatch.setattr(athena_client, "FIRST_PAUSE", 0.001)
    client = boto3.client("athena", region_name="eu-west-1")
    client.create_work_group(Name="oakvale")
    return client


@pytest.fixture
def stubber(athena: Any) -> Iterator[Stubber]:
    """The same client with answers that a test gives, for what moto doesn't do: queries that last, and pages."""
    with Stubber(athena) as stubber:
        stubber.add_response("start_query_execution", ONE, ASKED)
        yield stubber
        stubber.assert_no_pending_responses()


def reaches(stubber: Stubber, *states: str) -> None:
    """The query is in these states, one after the other."""
    for state in states:
        stubber.add_response("get_query_execution", {"QueryExecution": {"Status": {"State": state}}}, ONE)


def test_a_query_and_its_rows(athena: Any) -> None:
    results = [{"rows": [HEADER, DRAMA], "column_info": COLUMNS}]
    address = "http://motoapi.amazonaws.com/moto-api/static/athena/query-results"
    assert requests.post(address, json={"region": "eu-west-1", "results": results}, timeout=5).status_code == 201
    found = athena_client.query(athena, "oakvale", "oakvale_gold", "select 1")
    assert found == Result(["genre", "rating"], ["VARCHAR", "DECIMAL(4,2)"], [("Drama", "6.50")])
    (known,) = athena.list_query_executions(WorkGroup="oakvale")["QueryExecutionIds"]
    kept = athena.get_query_execution(QueryExecutionId=known)["QueryExecution"]
    assert (kept["Query"], kept["QueryExecutionContext"]) == ("select 1", {"Database": "oakvale_gold"})


def test_all_pages_without_the_header(athena: Any, stubber: Stubber) -> None:
    reaches(stubber, "QUEUED", "RUNNING", "SUCCEEDED")
    described = {"ResultSetMetadata": {"ColumnInfo": COLUMNS}}
    pages = [{"Rows": [HEADER, DRAMA], **described}, {"Rows": [COMEDY], **described}]
    stubber.add_response("get_query_results", {"ResultSet": pages[0], "NextToken": "more"}, ONE)
    stubber.add_response("get_query_results", {"ResultSet": pages[1]}, {**ONE, "NextToken": "more"})
    found = athena_client.query(athena, "oakvale", "oakvale_gold", "select 1")
    assert found.rows == [("Drama", "6.50"), ("Comedy", None)]


def test_statements_without_a_header_keep_their_first_row(athena: Any, stubber: Stubber) -> None:
    reaches(stubber, "SUCCEEDED")
    answer = {"Rows": [DRAMA], "ResultSetMetadata": {"ColumnInfo": COLUMNS}}
    stubber.add_response("get_query_results", {"ResultSet": answer}, ONE)
    assert athena_client.query(athena, "oakvale", "oakvale_gold", "select 1").rows == [("Drama", "6.50")]


def test_an_endless_query_is_stopped(athena: Any, stubber: Stubber) -> None:
    reaches(stubber, "RUNNING")
    stubber.add_response("stop_query_execution", {}, ONE)
    with pytest.raises(QueryError, match="Athena gave no answer within 0 s; query q1 has been stopped"):
        athena_client.query(athena, "oakvale", "oakvale_gold", "select 1", seconds=0)


def test_a_cancelled_query_is_an_error(athena: Any, stubber: Stubber) -> None:
    reaches(stubber, "CANCELLED")
    with pytest.raises(QueryError, match="Athena: cancelled: Athena gives no reason"):
        athena_client.query(athena, "oakvale", "oakvale_gold", "select 1")
