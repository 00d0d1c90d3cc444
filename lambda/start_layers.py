"""Starts the layers of a pipeline that are due by the clock: each hour those up to silver, each day gold.

A run that finds the one before still under way isn't started, and that is no failure: the next one takes what has
landed until then. Whatever else stops a start is raised, so that the call fails, is tried again and told of.
"""

from __future__ import annotations

import json
import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

from patience import PATIENCE

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient

PARTS = ("hourly", "daily")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Start the workflow of a part, `{"part": "hourly"}` or `{"part": "daily"}`, unless it runs."""
    part = event.get("part")
    if part not in PARTS:
        raise ValueError(f"unknown part {part!r}: a call names one of {', '.join(PARTS)}")
    workflow = os.environ[part.upper()]
    answer = {"part": part, "time": event.get("time"), "workflow": workflow, **start(_glue(), workflow)}
    print(json.dumps(answer))
    return answer


def start(glue: GlueClient, workflow: str) -> dict[str, Any]:
    """What has become of a start, and the run's id if there is a new one."""
    try:
        return {"outcome": "started", "run": glue.start_workflow_run(Name=workflow)["RunId"]}
    except glue.exceptions.ConcurrentRunsExceededException:
        return {"outcome": "under way", "run": None}


@cache
def _glue() -> GlueClient:
    return boto3.client("glue", config=PATIENCE)
