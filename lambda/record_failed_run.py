"""Writes the record of a Glue run that ended before it could write one itself: killed, timed out, never started.

EventBridge calls it with every run that didn't succeed, a state machine with every step that failed for good. A run
that has left a record keeps it, so a call that comes twice changes nothing. The record has the shape of the jobs' own
(glue_scripts/lakehouse/run_record.py).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

import failed_steps
from patience import PATIENCE

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

JOB = re.compile(r".+-(?P<pipeline>[a-z0-9_]+)-(?P<layer>bronze|silver|gold)")
"""How our jobs are called; a pipeline's name holds no hyphen."""


def handler(event: dict[str, Any], context: object) -> dict[str, str]:
    """Put the record of the event's run into the lake, unless the run has left one; of a step, explain it as well."""
    if "execution" not in event:
        detail = event["detail"]
        return _put_once(_of_run(detail["jobName"], detail["jobRunId"], detail["message"]))
    reason, job_run = failed_steps.reason_of(event), failed_steps.job_run_of(event)
    if job_run:
        record = _of_run(job_run["JobName"], job_run["Id"], reason)
    else:
        record = record_of_step(event, reason, datetime.now(UTC))
    return {**_put_once(record), "message": failed_steps.explain(event)}


def _of_run(job: str, run_id: str, message: str) -> dict[str, Any]:
    return record_of(_glue().get_job_run(JobName=job, RunId=run_id)["JobRun"], message)


def record_of(run: Mapping[str, Any], message: str) -> dict[str, Any]:
    """The record of a run as Glue tells of it; `message`: the event's, for a run without a reason of its own."""
    job = JOB.fullmatch(run["JobName"])
    if job is None:
        raise ValueError(f"{run['JobName']} isn't the name of a pipeline's job: <name>-<pipeline>-<layer>")
    # A run that expires while it waits for its turn need not have a time of completion.
    ended = run.get("CompletedOn") or run["LastModifiedOn"]
    return {
        **job.groupdict(),
        "mode": run.get("Arguments", {}).get("--mode", "run"),
        "job_run_id": run["Id"],
        "error": f"{run['JobRunState']}: {run.get('ErrorMessage') or message}"[:4000],
        **_died(run["Id"], run["StartedOn"].astimezone(UTC), ended.astimezone(UTC)),
    }


def record_of_step(event: Mapping[str, Any], reason: str, ended: datetime) -> dict[str, Any]:
    """The record of a state machine's step that failed without a Glue run to tell of."""
    execution, step = event["execution"], event["step"]
    return {
        "pipeline": event["pipeline"],
        "layer": event["layer"],
        "mode": "run",
        "job_run_id": None,
        "error": f"{execution}, step {step}: {reason}"[:4000],
        **_died(f"{execution} {step}", datetime.fromisoformat(event["started_at"]).astimezone(UTC), ended),
    }


def _died(name: str, started: datetime, finished: datetime) -> dict[str, Any]:
    """What all records of runs say that wrote none; `name` tells the run from all others."""
    return {
        # Its end, a mark, tells all records of a run from its name alone.
        "run_id": f"{started:%Y%m%dT%H%M%SZ}-{hashlib.sha256(name.encode()).hexdigest()[:8]}",
        "started_at": started.isoformat(),
        "outcome": "died",
        "finished_at": finished.isoformat(),
        "seconds": round((finished - started).total_seconds(), 3),
        "files": {},
        **dict.fromkeys(("late_files", "rows_in", "rows_out", "rows_rejected", "rows_waiting")),
        **{name: [] for name in ("accounts", "refreshed", "restored", "compared", "maintained")},
        "undeclared_fields": {},
        "erased": {},
    }


def key_of(record: Mapping[str, Any]) -> str:
    """Where the record lies in the lake."""
    return f"{_folder(record)}{record['finished_at'][:10].replace('-', '/')}/{record['run_id']}.json"


def _folder(record: Mapping[str, Any]) -> str:
    return f"runs/{record['pipeline']}/{record['layer']}/"


def _put_once(record: Mapping[str, Any]) -> dict[str, str]:
    s3, bucket, key = _s3(), os.environ["LAKE_BUCKET"], key_of(record)
    ending = f"-{record['run_id'].rpartition('-')[2]}.json"
    # A run writes its record after it began, so it lies in the folder of that day or of a later one.
    began = f"{_folder(record)}{record['started_at'][:10].replace('-', '/')}"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=_folder(record), StartAfter=began)
    if any(item["Key"].endswith(ending) for page in pages for item in page.get("Contents", [])):
        return {"key": key, "outcome": "there already"}
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(record, ensure_ascii=False).encode(), IfNoneMatch="*")
    except ClientError as error:  # another call for the same run was faster
        if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict"):
            raise
        return {"key": key, "outcome": "there already"}
    return {"key": key, "outcome": "written"}


@cache
def _glue() -> GlueClient:
    return boto3.client("glue", config=PATIENCE)


@cache
def _s3() -> S3Client:
    return boto3.client("s3", config=PATIENCE)
