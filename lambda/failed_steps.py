"""A step of a state machine that failed for good: which job run it followed, why it failed, in words for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def job_run_of(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """The Glue run that the step waited for, as Step Functions tells it in the cause; None when there was none."""
    cause = _cause(event)
    return cause if {"Id", "JobName", "JobRunState"} <= cause.keys() else None


def reason_of(event: Mapping[str, Any]) -> str:
    """Why the step failed: what the job or the function said, else Step Functions' error and cause."""
    cause = _cause(event)
    if run := job_run_of(event):
        return f"{run['JobRunState']}: {run.get('ErrorMessage') or 'Glue gives no reason'}"
    if "errorMessage" in cause:
        return f"{event['error']}: {cause['errorMessage']}"
    return f"{event['error']}: {event['cause']}"


def explain(event: Mapping[str, Any]) -> str:
    """The message to people: what failed, why, where the log is, and what to do."""
    run = job_run_of(event)
    lines = [
        f"The run {event['execution']} of {event['pipeline']} failed in its step {event['step']}.",
        f"Reason: {reason_of(event)}",
    ]
    if run:
        group = run.get("LogGroupName", "/aws-glue/jobs")
        lines.append(f"Its log is in CloudWatch, in the log group {group}/error, in the stream {run['Id']}.")
    return "\n".join(
        [
            *lines,
            "Nothing is published that doesn't balance, and no file is left out: the next run takes up where this "
            "one ended.",
            f"It starts when files land; to start it now: make run PIPELINE={event['pipeline']} ENV=<environment>.",
        ]
    )


def _cause(event: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = json.loads(event["cause"])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
