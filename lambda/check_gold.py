"""Measures how old each gold table is, and how much has come, against what its declaration expects.

It puts two metrics per table, on which there are alarms: a schedule that silently stops, a source that dries up and a
run that never comes are noticed, although nothing has failed. No metric at all is an alarm, too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

from patience import PATIENCE

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LONGEST = timedelta(days=7)
"""How far back it looks; a table that is older, or was never made, is said to be that old."""


def handler(event: dict[str, Any], context: object) -> dict[str, dict[str, float]]:
    """Measure all tables as of `time`; what was put, by table."""
    now = datetime.fromisoformat(event["time"])
    expected: dict[str, dict[str, Any]] = json.loads(os.environ["EXPECTATIONS"])
    found = {
        table: measure(refreshed, table, hours, now)
        for pipeline, tables in expected.items()
        for refreshed in [list(refreshes(pipeline, now))]
        for table, hours in tables.items()
    }
    for table, measured in found.items():
        put(table, measured, now)
    return found


def measure(
    refreshed: list[tuple[datetime, dict[str, Any]]], table: str, hours: float, now: datetime
) -> dict[str, float]:
    """Hours since the table was last written, and rows that silver has got for it in the last `hours`."""
    ours = [(at, each["rows_in"]) for at, each in refreshed if each["table"] == f"gold/{table}"]
    newest = max((at for at, _ in ours), default=now - LONGEST)
    rows = sum(count for at, count in ours if at > now - timedelta(hours=hours))
    return {"hours": round((now - newest) / timedelta(hours=1), 4), "rows": float(rows)}


def refreshes(pipeline: str, now: datetime) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """What the gold runs of the last days have written, by their records: when, and which table from how many rows."""
    s3, bucket = _s3(), os.environ["LAKE_BUCKET"]
    day, folder = (now - LONGEST).date(), f"runs/{pipeline}/gold/"
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=folder, StartAfter=f"{folder}{day:%Y/%m/%d}"
    )
    for key in (item["Key"] for page in pages for item in page.get("Contents", [])):
        record = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        finished = datetime.fromisoformat(record["finished_at"])
        # A replay writes beside the served tables.
        if now - LONGEST < finished <= now and record["mode"] != "replay":
            yield from ((finished, each) for each in record.get("refreshed") or ())


def put(table: str, measured: dict[str, float], now: datetime) -> None:
    """Puts a table's metrics, under names that hold the table's."""
    _cloudwatch().put_metric_data(
        Namespace=os.environ["NAMESPACE"],
        MetricData=[
            {"MetricName": f"{table}.{what}", "Timestamp": now.astimezone(UTC), "Value": value}
            for what, value in measured.items()
        ],
    )


@cache
def _s3() -> S3Client:
    return boto3.client("s3", config=PATIENCE)


@cache
def _cloudwatch() -> Any:
    return boto3.client("cloudwatch", config=PATIENCE)
