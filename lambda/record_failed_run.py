"""Writes the record of a Glue run that ended before it could write one itself: killed, timed out, never started.

EventBridge calls it with every run that didn't succeed. A run that has left a record keeps it, so a call that comes
twice changes nothing. The record has the shape of the jobs' own (glue_scripts/lakehouse/run_record.py).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from datetime import UTC
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

JOB = re.compile(r".+-(?P<pipeline>[a-z0-9_]+)-(?P<layer>bronze|silver|gold)")
"""How our jobs are called; a pipeline's name holds no hyphen."""


def handler(event: dict[str, Any], context: object) -> dict[str, str]:
    """Put the record of the event's run into the lake, unless the run has left one."""
    detail = event["detail"]
    run = _glue().get_job_run(JobName=detail["jobName"], RunId=detail["jobRunId"])["JobRun"]
    record = record_of(run, detail["message"])
    key = key_of(record)
    return {"key": key, "outcome": _put_once(_s3(), os.environ["LAKE_BUCKET"], key, record)}


def record_of(run: Mapping[str, Any], message: str) -> dict[str, Any]:
    """The record of a run as Glue tells of it; `message`: the event's, for a run without a reason of its own."""
    job = JOB.fullmatch(run["JobName"])
    if job is None:
        raise ValueError(f"{run['JobName']} isn't the name of a pipeline's job: <name>-<pipeline>-<layer>")
    # A run that expires while it waits for its turn need not have a time of completion.
    ended = run.get("CompletedOn") or run["LastModifiedOn"]
    started, finished = run["StartedOn"].astimezone(UTC), ended.astimezone(UTC)
    return {
        "run_id": f"{started:%Y%m%dT%H%M%SZ}-{_mark(run['Id'])}",
        "pipeline": job["pipeline"],
        "layer": job["layer"],
        "mode": run.get("Arguments", {}).get("--mode", "run"),
        "job_run_id": run["Id"],
        "started_at": started.isoformat(),
        "outcome": "died",
        "error": f"{run['JobRunState']}: {run.get('ErrorMessage') or message}"[:4000],
        "finished_at": finished.isoformat(),
        "seconds": round((finished - started).total_seconds(), 3),
        "files": {},
        **dict.fromkeys(("late_files", "rows_in", "rows_out", "rows_rejected", "rows_waiting")),
        **{name: [] for name in ("accounts", "refreshed", "restored", "compared", "maintained")},
        "undeclared_fields": {},
    }


def key_of(record: Mapping[str, Any]) -> str:
    """Where the record lies in the lake."""
    return f"{_folder(record)}{record['finished_at'][:10].replace('-', '/')}/{record['run_id']}.json"


def _folder(record: Mapping[str, Any]) -> str:
    return f"runs/{record['pipeline']}/{record['layer']}/"


def _mark(job_run_id: str) -> str:
    """What the names of all records of a Glue run end with."""
    return hashlib.sha256(job_run_id.encode()).hexdigest()[:8]


def _put_once(s3: S3Client, bucket: str, key: str, record: Mapping[str, Any]) -> str:
    ending = f"-{_mark(record['job_run_id'])}.json"
    # A run writes its record after it began, so it lies in the folder of that day or of a later one.
    began = f"{_folder(record)}{record['started_at'][:10].replace('-', '/')}"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=_folder(record), StartAfter=began)
    if any(item["Key"].endswith(ending) for page in pages for item in page.get("Contents", [])):
        return "there already"
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(record, ensure_ascii=False).encode(), IfNoneMatch="*")
    except ClientError as error:  # another call for the same run was faster
        if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict"):
            raise
        return "there already"
    return "written"


@cache
def _glue() -> GlueClient:
    return boto3.client("glue")


@cache
def _s3() -> S3Client:
    return boto3.client("s3")
