"""How workflow runs go on: the start trigger's jobs, then what the CONDITIONAL triggers say after each job.

A run is COMPLETED, also after a failed job, when nothing runs and no more trigger can fire.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

from ministack.services import glue

from local_cloud import glue_jobs
from local_cloud import glue_workflow_runs as records
from local_cloud.glue_jobs import GlueError

LOG = logging.getLogger("oakvale.glue")

UNFINISHED = ("STARTING", "RUNNING", "STOPPING", "WAITING")
# What an action may say besides the job and its arguments.
OVERRIDES = ("NotificationProperty", "SecurityConfiguration", "Timeout")

# One at a time: two jobs that end together must not both fire the trigger that waits for both.
_lock = threading.RLock()


def install() -> None:
    """Has us told of every job run that ended."""
    glue_jobs.ON_FINAL.append(job_ended)


def start(
    workflow: str, trigger: dict[str, Any], properties: Mapping[str, str], batch: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """Starts a run with the jobs of this trigger; refused above the workflow's MaxConcurrentRuns.

    `batch`: which condition the events met that started it.
    """
    with _lock:
        if records.is_full(workflow):
            message = f"Concurrent runs exceeded for workflow: {workflow}."
            raise GlueError("ConcurrentRunsExceededException", message)
        run = records.add(workflow, properties, {"StartingEventBatchCondition": batch} if batch else {})
        _fire(trigger, run)
        _proceed(run)
    return run


def start_by_events(
    workflow: str, trigger: dict[str, Any], properties: Mapping[str, str], batch: Mapping[str, int]
) -> None:
    """Starts a run that events asked for, which nobody can be told to ask for again.

    Above the workflow's MaxConcurrentRuns it is a run in the state ERROR that did nothing, and its properties
    say which events it was about: so AWS documents WorkflowRun's ErrorMessage, and AWS guarantees no delivery
    of events. Nothing comes back to such events: what has landed waits for the run of a later event.
    """
    with _lock:
        try:
            start(workflow, trigger, properties, batch)
        except GlueError as error:
            LOG.warning("%s Nothing runs for its events %s", error.message, properties)
            ended = {"Status": "ERROR", "ErrorMessage": error.message, "CompletedOn": records.now()}
            records.add(workflow, properties, {"StartingEventBatchCondition": batch, **ended})


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
        running = [job_run for job_run in records.job_runs(run) if job_run["JobRunState"] in UNFINISHED]
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


def _proceed(run: dict[str, Any]) -> None:
    """Fires what can fire now, and ends the run when nothing runs."""
    while run["Status"] == "RUNNING" and (ready := [t for t in records.triggers(run["Name"]) if _can_fire(t, run)]):
        for trigger in ready:
            _fire(trigger, run)
    unfinished = any(job_run["JobRunState"] in UNFINISHED for job_run in records.last_attempts(run))
    ended = {"RUNNING": "COMPLETED", "STOPPING": "STOPPED"}
    if not unfinished and run["Status"] in ended:
        run |= {"Status": ended[run["Status"]], "CompletedOn": records.now()}


def _can_fire(trigger: dict[str, Any], run: dict[str, Any]) -> bool:
    if trigger["Type"] != "CONDITIONAL" or trigger["State"] != "ACTIVATED" or trigger["Name"] in run["_Fired"]:
        return False
    states = {job_run["JobName"]: job_run["JobRunState"] for job_run in records.last_attempts(run)}
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
            records.add_not_started(run, trigger["Name"], action["JobName"], str(error))


def _start_job(action: dict[str, Any], workflow_run: dict[str, str] | None = None) -> None:
    overrides = {name: action[name] for name in OVERRIDES if name in action}
    glue_jobs.start_run(action["JobName"], action.get("Arguments", {}), workflow_run=workflow_run, overrides=overrides)
