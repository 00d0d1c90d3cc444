"""Makes a file of films a day, with dirt on purpose: a Lambda function into S3, from a shell into a folder.

The same day and settings always give the same bytes under the same key, so a repeated run changes nothing.
Later files correct films of earlier days, and send old versions again, without reading an earlier file.

    python lambda/generate_movies.py --lake lake --start 2026-11-01 --days 3
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from film_command import main
from film_file import Summary, generate, generate_counted, key, write
from film_settings import Settings, read_day, read_settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["Settings", "Summary", "generate", "generate_counted", "handler", "key", "main", "write"]

SETTINGS = tuple(setting.name for setting in fields(Settings))
# What EventBridge puts around a scheduled event.
ENVELOPE = {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Put the file of the event's day into the raw bucket, once.

    The event holds `date`, or `time` as EventBridge sends it, and may hold settings. A setting that it
    doesn't hold comes from the environment (SEED, MOVIES, FIRST_DAY, CORRECTIONS, DIRT), else it is the
    usual one.
    """
    unknown = sorted(set(event) - {"date", *SETTINGS} - ENVELOPE)
    if unknown:
        raise ValueError(f"the event holds {', '.join(map(repr, unknown))}, which means nothing here")
    bucket = _bucket(os.environ)
    day = _day(event)
    named = {name: os.environ[name.upper()] for name in SETTINGS if name.upper() in os.environ}
    settings = read_settings(named | {name: event[name] for name in SETTINGS if name in event})
    body, summary = generate_counted(day, settings)
    return {
        "key": key(day),
        "bytes": summary.bytes,
        "records": summary.records,
        "outcome": _put_once(_s3(), bucket, key(day), body),
        "planted": dict(summary.planted),
    }


def _bucket(environment: Mapping[str, str]) -> str:
    name = environment.get("RAW_BUCKET", "")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
        raise ValueError(f"the environment variable RAW_BUCKET must name a bucket, not {name!r}")
    return name


def _day(event: Mapping[str, Any]) -> date:
    if "date" in event:
        return read_day("date", event["date"])
    if "time" not in event:
        raise ValueError("the event must hold a date such as 2026-11-01, or the time of a schedule")
    try:
        moment = datetime.fromisoformat(event["time"])
    except (TypeError, ValueError) as error:
        raise ValueError(f"time must be such as 2026-11-01T02:00:00Z, not {event['time']!r}") from error
    if moment.tzinfo is None:
        raise ValueError(f"time must hold its offset, as 2026-11-01T02:00:00Z does, not {event['time']!r}")
    return moment.astimezone(UTC).date()


@cache
def _s3() -> S3Client:
    import boto3  # here, because the shell command does without it

    from patience import PATIENCE

    return boto3.client("s3", config=PATIENCE)


def _put_once(s3: S3Client, bucket: str, name: str, body: bytes) -> str:
    from botocore.exceptions import ClientError

    try:
        s3.put_object(Bucket=bucket, Key=name, Body=body, ContentType="application/x-ndjson", IfNoneMatch="*")
    except ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
        if s3.get_object(Bucket=bucket, Key=name)["Body"].read() != body:
            raise FileExistsError(f"s3://{bucket}/{name} is there with other bytes; it was left") from error
        return "unchanged"
    return "written"


if __name__ == "__main__":
    sys.exit(main())
