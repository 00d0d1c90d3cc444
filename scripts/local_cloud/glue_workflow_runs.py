"""What is kept of workflow runs, and what can be told from it.

A workflow run's statistics are counted from its job runs, which carry its id, so that the two can't differ.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import glue

from local_cloud.glue_jobs import GlueError

COUNTED = {
    "RunningActions": ("STARTING", "RUNNING", "STOPPING"),
    "WaitingActions": ("WAITING",),
    "SucceededActions": ("SUCCEEDED",),
    "FailedActions": ("FAILED",),
    "TimeoutActions": ("TIMEOUT",),
    "StoppedActions": ("STOPPED",),
    "ErroredActions": ("ERROR", "EXPIRED"),
}


def triggers(workflow: str) -> list[dict[str, Any]]:
    """The triggers of a workflow, in the order in which they were made."""
    return [trigger for trigger in glue._triggers.values() if trigger.get("WorkflowName") == workflow]


def start_triggers(workflow: str) -> list[dict[str, Any]]:
    """The triggers that start a workflow: at most one."""
    return [trigger for trigger in triggers(workflow) if trigger["Type"] != "CONDITIONAL"]


def find(workflow: str, run_id: str) -> dict[str, Any]:
    """The stored run of this id."""
    for run in glue._workflow_runs.get(workflow, []):
        if run["WorkflowRunId"] == run_id:
            return run  # type: ignore[no-any-return]
    raise GlueError("EntityNotFoundException", f"Workflow {workflow} has no run {run_id}")


def job_runs(run: dict[str, Any]) -> list[dict[str, Any]]:
    """The job runs of a workflow run, with every attempt, in the order of their starts."""
    started = [job_run for runs in glue._job_runs.values() for job_run in runs]
    own = [job_run for job_run in started if job_run.get("WorkflowRunId") == run["WorkflowRunId"]]
    return sorted([*own, *run["_NotStarted"]], key=lambda job_run: float(job_run["StartedOn"]))


def statistics(run: dict[str, Any]) -> dict[str, int]:
    """How many of the jobs that were started so far are in which state; a retried job counts once."""
    states = [job_run["JobRunState"] for job_run in last_attempts(run)]
    counts = {name: sum(state in counted for state in states) for name, counted in COUNTED.items()}
    return {"TotalActions": len(states), **counts}


def add(workflow: str, properties: Mapping[str, str], more: Mapping[str, Any]) -> dict[str, Any]:
    """Keeps a new run of a workflow, with these properties besides its default ones, and what more is said of it."""
    defaults = glue._workflows[workflow].get("DefaultRunProperties", {})
    run = {
        "Name": workflow,
        "WorkflowRunId": f"wr_{new_uuid().replace('-', '')}",
        "WorkflowRunProperties": {**defaults, **properties},
        "StartedOn": now(),
        "Status": "RUNNING",
        "_Fired": [],
        "_NotStarted": [],
        **more,
    }
    glue._workflow_runs.setdefault(workflow, []).append(run)
    return run


def add_not_started(run: dict[str, Any], trigger: str, job: str, message: str) -> None:
    """Keeps the job run that the API shows for a job that a trigger couldn't start."""
    moment = now()
    shown = {"Id": f"jr_{new_uuid().replace('-', '')}", "Attempt": 0, "JobName": job, "TriggerName": trigger}
    times = {"StartedOn": moment, "CompletedOn": moment, "LastModifiedOn": moment}
    run["_NotStarted"].append({**shown, **times, "JobRunState": "ERROR", "ErrorMessage": message})


def last_attempts(run: dict[str, Any]) -> list[dict[str, Any]]:
    """The job runs of a workflow run without those that were tried again."""
    attempts = job_runs(run)
    retried = {job_run.get("PreviousRunId") for job_run in attempts}
    return [job_run for job_run in attempts if job_run["Id"] not in retried]


def is_full(workflow: str) -> bool:
    """Tells whether a workflow runs as often at once as it may."""
    limit = glue._workflows[workflow].get("MaxConcurrentRuns")
    active = sum(run["Status"] in ("RUNNING", "STOPPING") for run in glue._workflow_runs.get(workflow, []))
    return bool(limit) and active >= limit


def now() -> float:
    """The time, as Glue gives it."""
    return round(time.time(), 3)
