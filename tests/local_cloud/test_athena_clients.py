"""The clients that people use read Delta tables through the laptop's Athena."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import awswrangler
import boto3
import pyathena
import pytest

import athena_client
from athena_sql import QueryError
from local_cloud import control
from query import Result
from tests.local_cloud import athena_lake
from tests.local_cloud.athena_lake import DATABASE, WORKGROUP

SQL = "select genre, movies, rating, day, updated_at, is_new from movies order by movies"
UPDATED_AT = dt.datetime(2026, 11, 1, 8, 0, 0, 250_000, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def environment(cloud: control.Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients find the cloud by their environment, and in it tables."""
    athena_lake.build(cloud)
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)


def test_the_repositorys_own_client() -> None:
    client = boto3.client("athena")
    assert athena_client.query(client, WORKGROUP, DATABASE, f"{SQL} desc limit 1") == Result(
        ["genre", "movies", "rating", "day", "updated_at", "is_new"],
        ["VARCHAR", "BIGINT", "DECIMAL(4,2)", "DATE", "TIMESTAMP WITH TIME ZONE", "BOOLEAN"],
        [("Drama", "7", "6.50", "2026-11-01", "2026-11-01 08:00:00.250 UTC", "true")],
    )
    rows = athena_client.query(client, WORKGROUP, DATABASE, "select i from numbers order by i").rows
    assert rows == [(str(number),) for number in range(2500)]


def test_awswrangler() -> None:
    frame = awswrangler.athena.read_sql_query(SQL, DATABASE, ctas_approach=False, workgroup=WORKGROUP)
    assert frame.astype(object).where(frame.notna(), None).values.tolist() == [
        ['Com"edy', 3, None, None, None, False],
        ["Drama", 7, Decimal("6.50"), dt.date(2026, 11, 1), UPDATED_AT, True],
    ]


def test_pyathena() -> None:
    with pyathena.connect(work_group=WORKGROUP, schema_name=DATABASE, poll_interval=0.05) as connection:
        cursor = connection.cursor().execute(SQL)
        assert [column[1] for column in cursor.description or []][:3] == ["varchar", "bigint", "decimal"]
        assert cursor.fetchall() == [
            ('Com"edy', 3, None, None, None, False),
            ("Drama", 7, Decimal("6.50"), dt.date(2026, 11, 1), UPDATED_AT, True),
        ]


def test_a_failed_query_is_an_error_with_athenas_reason() -> None:
    with pytest.raises(QueryError) as error:
        athena_client.query(boto3.client("athena"), WORKGROUP, DATABASE, "select * from nothing")
    assert str(error.value) == (
        "Athena: failed: TABLE_NOT_FOUND: Table 'awsdatacatalog.athena_gold.nothing' does not exist"
    )
    with pytest.raises(QueryError, match=r"Athena refuses: WorkGroup is not found\."):
        athena_client.query(boto3.client("athena"), "missing", DATABASE, "select 1")
