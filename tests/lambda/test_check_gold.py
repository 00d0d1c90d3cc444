"""The function: how old each gold table is and how much has come, from the records of its runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

import check_gold
from check_gold import handler

NOW = datetime(2026, 11, 8, 6, tzinfo=UTC)


class Lake:
    """Run records of gold in a bucket, and the metrics that were put."""

    def __init__(self) -> None:
        self.s3, self.cloudwatch = boto3.client("s3"), boto3.client("cloudwatch")
        self.s3.create_bucket(Bucket="oakvale-lake")

    def record(self, hours_ago: float, pipeline: str = "events", mode: str = "run", **rows: int) -> None:
        """Leaves the record of a run that has written these tables from so many rows."""
        finished = NOW - timedelta(hours=hours_ago)
        refreshed = [{"table": f"gold/{table}", "rows_in": count} for table, count in rows.items()]
        # A run that died has none, and its record may say so by null.
        body = {"finished_at": finished.isoformat(), "mode": mode, "refreshed": refreshed or None}
        key = f"runs/{pipeline}/gold/{finished:%Y/%m/%d}/{finished:%H%M%S}.json"
        self.s3.put_object(Bucket="oakvale-lake", Key=key, Body=json.dumps(body).encode())

    def metrics(self) -> dict[str, float]:
        """All metrics by name, with their one value."""
        found = {}
        for metric in self.cloudwatch.list_metrics(Namespace="oakvale-dev")["Metrics"]:
            (point,) = self.cloudwatch.get_metric_statistics(
                Namespace="oakvale-dev",
                MetricName=metric["MetricName"],
                StartTime=NOW - timedelta(minutes=1),
                EndTime=NOW + timedelta(minutes=1),
                Period=60,
                Statistics=["Maximum"],
            )["Datapoints"]
            found[metric["MetricName"]] = point["Maximum"]
        return found


@pytest.fixture
def lake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """A lake without runs, of which one table is expected each day, one each hour and one of another pipeline."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("LAKE_BUCKET", "oakvale-lake")
    monkeypatch.setenv("NAMESPACE", "oakvale-dev")
    expected = {"events": {"daily": 26, "hourly": 1.5}, "movies": {"films": 48}}
    monkeypatch.setenv("EXPECTATIONS", json.dumps(expected))
    with mock_aws():
        check_gold._s3.cache_clear()
        check_gold._cloudwatch.cache_clear()
        yield Lake()


def measure() -> dict[str, Any]:
    """One call of the function."""
    return handler({"time": NOW.isoformat()}, None)


def test_what_has_come_in_time_and_what_has_not(lake: Lake) -> None:
    lake.record(30, daily=7, hourly=7)
    lake.record(25, daily=100)
    lake.record(2, daily=20, hourly=5)
    lake.record(1, hourly=3)
    lake.record(0.5)
    lake.record(0.2, mode="replay", daily=900, hourly=900)
    lake.record(50, "movies", films=9)
    assert measure() == {
        "daily": {"hours": 2.0, "rows": 120.0},
        "hourly": {"hours": 1.0, "rows": 3.0},
        "films": {"hours": 50.0, "rows": 0.0},
    }
    assert lake.metrics() == {
        "daily.hours": 2.0,
        "daily.rows": 120.0,
        "hourly.hours": 1.0,
        "hourly.rows": 3.0,
        "films.hours": 50.0,
        "films.rows": 0.0,
    }


def test_a_table_that_was_never_made_is_as_old_as_anything(lake: Lake) -> None:
    lake.record(24 * 8, daily=1)
    assert {table: each["hours"] for table, each in measure().items()} == {"daily": 168, "hourly": 168, "films": 168}


def test_what_was_measured_late_counts_from_the_time_that_was_meant(lake: Lake) -> None:
    lake.record(-1, daily=5)
    lake.record(3, daily=2)
    assert measure()["daily"] == {"hours": 3.0, "rows": 2.0}


def test_no_time_is_an_error(lake: Lake) -> None:
    with pytest.raises(KeyError, match="time"):
        handler({}, None)
