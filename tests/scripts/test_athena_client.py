"""The client for people: what it makes of Athena's answers, and how long it waits."""

from __future__ import annotations

from typing import Any

import pytest

import athena_client
from athena_sql import QueryError
from query import Result


class Athena:
    """Answers like boto3's client: a query in given states, one after the other, then pages of rows."""

    def __init__(self, states: list[str], pages: list[list[list[str | None]]]) -> None:
        self.states, self.pages = states, pages
        self.stopped: list[str] = []

    def start_query_execution(self, **asked: Any) -> dict[str, Any]:
        self.asked = asked
        return {"QueryExecutionId": "q1"}

    def get_query_execution(self, QueryExecutionId: str) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"QueryExecution": {"Status": {"State": state}}}

    def stop_query_execution(self, QueryExecutionId: str) -> None:
        self.stopped.append(QueryExecutionId)

    def get_paginator(self, name: str) -> Athena:
        assert name == "get_query_results"
        return self

    def paginate(self, QueryExecutionId: str) -> list[dict[str, Any]]:
        columns = [
            {"Name": "genre", "Type": "varchar", "Precision": 2147483647, "Scale": 0},
            {"Name": "rating", "Type": "decimal", "Precision": 4, "Scale": 2},
        ]
        return [
            {
                "ResultSet": {
                    "Rows": [{"Data": [{} if v is None else {"VarCharValue": v} for v in row]} for row in page],
                    "ResultSetMetadata": {"ColumnInfo": columns},
                }
            }
            for page in self.pages
        ]


HEADER: list[str | None] = ["genre", "rating"]


def test_all_pages_without_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(athena_client, "FIRST_PAUSE", 0.001)
    athena = Athena(["QUEUED", "RUNNING", "SUCCEEDED"], [[HEADER, ["Drama", "6.50"]], [["Comedy", None]]])
    assert athena_client.query(athena, "oakvale", "oakvale_gold", "select 1") == Result(
        ["genre", "rating"], ["VARCHAR", "DECIMAL(4,2)"], [("Drama", "6.50"), ("Comedy", None)]
    )
    assert athena.asked == {
        "QueryString": "select 1",
        "WorkGroup": "oakvale",
        "QueryExecutionContext": {"Database": "oakvale_gold"},
    }


def test_statements_without_a_header_keep_their_first_row() -> None:
    assert athena_client.query(Athena(["SUCCEEDED"], [[["a", "b"]]]), "w", "d", "show columns in t").rows == [
        ("a", "b")
    ]


def test_an_endless_query_is_stopped() -> None:
    athena = Athena(["RUNNING"], [])
    with pytest.raises(QueryError, match="Athena gave no answer within 0 s; query q1 has been stopped"):
        athena_client.query(athena, "w", "d", "select 1", seconds=0)
    assert athena.stopped == ["q1"]


def test_a_cancelled_query_is_an_error() -> None:
    with pytest.raises(QueryError, match="Athena: cancelled: Athena gives no reason"):
        athena_client.query(Athena(["CANCELLED"], []), "w", "d", "select 1")
