"""Runs of Glue workflows: the start trigger's jobs, then what the CONDITIONAL triggers say after each job.

A workflow run's statistics are counted from its job runs, which carry its id, so that the two can't differ.
A run is COMPLETED, also after a failed job, when nothing runs and no more trigger can fire.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import glue

from local_cloud import glue_jobs
from local_cloud.glue_jobs import GlueError

LOG = logging.getLogger("oakvale.glue")

UNFINISHED = ("STARTING", "RUNNING", "STOPPING", "WAITING")
COUNTED = {
    "RunningActions": ("STARTING", "RUNNING", "STOPPING"),
    "WaitingActions": ("WAITING",),
    "SucceededActions": ("SUCCEEDED",),
    "FailedActions": ("FAILED",),
    "TimeoutActions": ("TIMEOUT",),
    "StoppedActions": ("STOPPED",),
    "ErroredActions": ("ERROR", "EXPIRED"),
}

# What an action may say besides the job and its arguments.
OVERRIDES = ("NotificationProperty", "SecurityConfiguration", "Timeout")

# One at a time: two jobs that end together must not both fire the trigger that waits for both.
_lock = threading.RLock()


def install() -> None:
    """Has us told of every job run that ended."""
    glue_jobs.ON_FINAL.append(job_ended)


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
    states = [job_run["JobRunState"] for job_run in _last_attempts(run)]
    counts = {name: sum(state in counted for state in states) for name, counted in COUNTED.items()}
    return {"TotalActions": len(states), **counts}


def start(workflow: str, trigger: dict[str, Any], properties: Mapping[str, str]) -> dict[str, Any]:
    """Starts a run with the jobs of this trigger; refused above the workflow's MaxConcurrentRuns."""
    with _lock:
        if _is_full(workflow):
            raise GlueError("ConcurrentRunsExceededException", _exceeded(workflow))
        run = _add(workflow, properties)
        _fire(trigger, run)
        _proceed(run)
    return run


def start_unattended(
    workflow: str, trigger: dict[str, Any], properties: Mapping[str, str], batch: dict[str, int]
) -> dict[str, Any]:
    """Starts a run that events asked for, which nobody can be told to ask for again.

    Above the workflow's MaxConcurrentRuns it is a run in the state ERROR that did nothing, and its properties
    say which events it was about: so AWS's WorkflowRun documents its ErrorMessage, and AWS guarantees no
    delivery of events. Nothing comes back to such events: the data waits for the run of a later event.
    """
    with _lock:
        if not _is_full(workflow):
            run = start(workflow, trigger, properties)
        else:
            run = _add(workflow, properties)
            run |= {"Status": "ERROR", "ErrorMessage": _exceeded(workflow), "CompletedOn": _now()}
            LOG.warning("%s Nothing runs for its events %s", run["ErrorMessage"], dict(properties))
        run["StartingEventBatchCondition"] = batch
    return run


def fire_start(trigger: dict[str, Any]) -> None:
    """Fires an ON_DEMAND or SCHEDULED trigger: its workflow starts, or outside a workflow its jobs do."""
    if workflow := trigger.get("WorkflowName"):
        start(workflow, trigger, {})
        return
    for action in trigger.get("Actions", []):
        _start_job(action)


def stop(run: dict[str, Any]) -> None:
    """Stops the jobs that run; the run is STOPPED when the last of them is."""
    with _lock:
        if run["Status"] != "RUNNING":
            message = f"Run {run['WorkflowRunId']} of workflow {run['Name']} is {run['Status']}, not RUNNING"
            raise GlueError("IllegalWorkflowStateException", message)
        run["Status"] = "STOPPING"
        running = [job_run for job_run in job_runs(run) if job_run["JobRunState"] in UNFINISHED]
        _proceed(run)
    for job_run in running:
        glue._batch_stop_job_run({"JobName": job_run["JobName"], "JobRunIds": [job_run["Id"]]})


def job_ended(job_run: dict[str, Any]) -> None:
    """Goes on with the workflow run that a job run belongs to, if it belongs to one and that one still exists."""
    if "WorkflowRunId" not in job_run:
        return
    with _lock:
        for run in glue._workflow_runs.get(job_run["WorkflowName"], []):
            if run["WorkflowRunId"] == job_run["WorkflowRunId"]:
                _proceed(run)


def _add(workflow: str, properties: Mapping[str, str]) -> dict[str, Any]:
    defaults = glue._workflows[workflow].get("DefaultRunProperties", {})
    run = {
        "Name": workflow,
        "WorkflowRunId": f"wr_{new_uuid().replace('-', '')}",
        "WorkflowRunProperties": {**defaults, **properties},
        "StartedOn": _now(),
        "Status": "RUNNING",
        "_Fired": [],
        "_NotStarted": [],
    }
    glue._workflow_runs.setdefault(workflow, []).append(run)
    return run


def _proceed(run: dict[str, Any]) -> None:
    """Fires what can fire now, and ends the run when nothing runs."""
    while run["Status"] == "RUNNING" and (ready := [t for t in triggers(run["Name"]) if _can_fire(t, run)]):
        for trigger in ready:
            _fire(trigger, run)
    unfinished = any(job_run["JobRunState"] in UNFINISHED for job_run in _last_attempts(run))
    ended = {"RUNNING": "COMPLETED", "STOPPING": "STOPPED"}
    if not unfinished and run["Status"] in ended:
        run |= {"Status": ended[run["Status"]], "CompletedOn": _now()}


def _can_fire(trigger: dict[str, Any], run: dict[str, Any]) -> bool:
    if trigger["Type"] != "CONDITIONAL" or trigger["State"] != "ACTIVATED" or trigger["Name"] in run["_Fired"]:
        return False
    states = {job_run["JobName"]: job_run["JobRunState"] for job_run in _last_attempts(run)}
    met = [states.get(wanted["JobName"]) == wanted["State"] for wanted in trigger["Predicate"]["Conditions"]]
    return any(met) if trigger["Predicate"].get("Logical") == "ANY" else all(met)


def _fire(trigger: dict[str, Any], run: dict[str, Any]) -> None:
    run["_Fired"].append(trigger["Name"])
    names = {"Name": run["Name"], "WorkflowRunId": run["WorkflowRunId"], "TriggerName": trigger["Name"]}
    for action in trigger.get("Actions", []):
        try:
            _start_job(action, names)
        except GlueError as error:
            LOG.warning("trigger %s can't start job %s: %s", trigger["Name"], action["JobName"], error)
            run["_NotStarted"].append(_not_started(trigger["Name"], action["JobName"], str(error)))


def _start_job(action: dict[str, Any], workflow_run: dict[str, str] | None = None) -> None:
    overrides = {name: action[name] for name in OVERRIDES if name in action}
    glue_jobs.start_run(action["JobName"], action.get("Arguments", {}), workflow_run=workflow_run, overrides=overrides)


def _not_started(trigger: str, job: str, message: str) -> dict[str, Any]:
    """The job run that the API shows for a job that a trigger couldn't start."""
    now = _now()
    shown = {"Id": f"jr_{new_uuid().replace('-', '')}", "Attempt": 0, "JobName": job, "TriggerName": trigger}
    times = {"StartedOn": now, "CompletedOn": now, "LastModifiedOn": now}
    return {**shown, **times, "JobRunState": "ERROR", "ErrorMessage": message}


def _last_attempts(run: dict[str, Any]) -> list[dict[str, Any]]:
    attempts = job_runs(run)
    retried = {job_run.get("PreviousRunId") for job_run in attempts}
    return [job_run for job_run in attempts if job_run["Id"] not in retried]


def _is_full(workflow: str) -> bool:
    limit = glue._workflows[workflow].get("MaxConcurrentRuns")
    active = sum(run["Status"] in ("RUNNING", "STOPPING") for run in glue._workflow_runs.get(workflow, []))
    return bool(limit) and active >= limit


def _exceeded(workflow: str) -> str:
    return f"Concurrent runs exceeded for workflow: {workflow}."


def _now() -> float:
    return round(time.time(), 3)
