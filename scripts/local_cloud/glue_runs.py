"""The life of a Glue run: its place in the queue, its states, its end and its retries."""

from __future__ import annotations

import contextvars
import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.services import glue

from local_cloud import glue_attempt, glue_events
from local_cloud.glue_job_definitions import capacity
from local_cloud.glue_process import Ending

LOG = logging.getLogger("oakvale.glue")
ACTIVE = ("STARTING", "RUNNING", "STOPPING")
FINAL = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")

ON_FINAL: list[Callable[[dict[str, Any]], None]] = []
"""Called with each run that has ended, in the run's own thread and with its account and region."""

_CHANGED = threading.Condition()
"""Held for every change of a run's state; notified when a run has ended or shall stop, or its job is deleted."""
_STOPS: dict[str, threading.Event] = {}
"""For each run that hasn't ended: set when it shall stop."""


class GlueError(Exception):
    """An answer of Glue that isn't success: the code of AWS and a message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


def start(
    job: dict[str, Any], arguments: dict[str, str], workflow_run: dict[str, str], overrides: dict[str, Any]
) -> dict[str, Any]:
    """Makes a run of a job and starts it in a thread, or lets it wait for its turn. Raises GlueError."""
    run = _new_run(job, arguments, workflow_run, overrides)
    with _CHANGED:
        if not _has_room(job):
            if not run["JobRunQueuingEnabled"]:
                raise GlueError("ConcurrentRunsExceededException", f"Concurrent runs exceeded for {job['Name']}")
            run["JobRunState"] = "WAITING"
        _launch(job, run)
    return run


def stop(run: dict[str, Any]) -> None:
    """Asks a run to stop. Raises GlueError when it has ended."""
    with _CHANGED:
        requested = _STOPS.get(run["Id"])
        if requested is None:
            raise GlueError("InvalidInputException", f"Job run {run['Id']} is in state {run['JobRunState']}")
        requested.set()
        for stored in glue._job_runs.get(run["JobName"], []):
            if stored["Id"] == run["Id"]:
                _enter(stored, "STOPPING")
        _CHANGED.notify_all()


def forget(job_name: str) -> None:
    """Forgets the runs of a deleted job: those that wait end, those that run go on to their end."""
    with _CHANGED:
        glue._job_runs.pop(job_name, None)
        _CHANGED.notify_all()


def _new_run(
    job: dict[str, Any], arguments: dict[str, str], workflow_run: dict[str, str], overrides: dict[str, Any]
) -> dict[str, Any]:
    settings = {**job, **overrides}
    if "WorkerType" in overrides or "NumberOfWorkers" in overrides:
        settings.pop("MaxCapacity", None)
    copied = ("ExecutionClass", "GlueVersion", "NotificationProperty", "NumberOfWorkers", "SecurityConfiguration")
    now = _now()
    run = {
        "Id": f"jr_{secrets.token_hex(32)}",
        "Attempt": 0,
        "JobName": job["Name"],
        "JobMode": job["JobMode"],
        "JobRunQueuingEnabled": bool(settings.get("JobRunQueuingEnabled", False)),
        "StartedOn": now,
        "LastModifiedOn": now,
        "JobRunState": "STARTING",
        "Arguments": arguments,
        "PredecessorRuns": [],
        "AllocatedCapacity": int(capacity(settings)),
        "ExecutionTime": 0,
        "Timeout": settings["Timeout"],
        "MaxCapacity": capacity(settings),
        "LogGroupName": glue_attempt.log_group_prefix(job, arguments),
        **{name: settings[name] for name in (*copied, "WorkerType") if name in settings},
    }
    if workflow_run:
        run |= {"TriggerName": workflow_run["TriggerName"], "WorkflowRunId": workflow_run["WorkflowRunId"]}
        run["WorkflowName"] = workflow_run["Name"]
    return run


def _launch(job: dict[str, Any], run: dict[str, Any]) -> None:
    glue._job_runs.setdefault(job["Name"], []).append(run)
    _STOPS[run["Id"]] = threading.Event()
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_live, job, run), name=f"glue-{run['Id'][:11]}", daemon=True).start()


def _live(job: dict[str, Any], run: dict[str, Any]) -> None:
    """All of a run, in its thread."""
    requested = _STOPS[run["Id"]]
    ending = _wait_for_turn(job, run, requested)
    if ending is None:
        try:
            ending = glue_attempt.attempt(job, run, requested, began=lambda: _begin(run))
        except Exception as error:  # ours, not the job's: the run must end all the same
            LOG.exception("run %s of %s", run["Id"], run["JobName"])
            ending = Ending("FAILED", f"Internal error of the laptop cloud: {type(error).__name__}: {error}")
    _end(job, run, ending)


def _wait_for_turn(job: dict[str, Any], run: dict[str, Any], requested: threading.Event) -> Ending | None:
    """Returns when the run may begin, or how it ends without having begun."""
    with _CHANGED:
        while run["JobRunState"] == "WAITING":
            if not _is_kept(run):
                return Ending("STOPPED", f"Job {run['JobName']} was deleted while the run waited for its turn")
            first = next(other for other in glue._job_runs[job["Name"]] if other["JobRunState"] == "WAITING")
            if first is run and _has_room(job):
                _enter(run, "STARTING")
            else:
                _CHANGED.wait()
        return Ending("STOPPED") if requested.is_set() else None


def _is_kept(run: dict[str, Any]) -> bool:
    """Whether the run's job is still there: not one of the same name that has been made since."""
    return any(other is run for other in glue._job_runs.get(run["JobName"], []))


def _has_room(job: dict[str, Any]) -> bool:
    active = [run for run in glue._job_runs.get(job["Name"], []) if run["JobRunState"] in ACTIVE]
    return len(active) < int(job["ExecutionProperty"].get("MaxConcurrentRuns", 1))


def _begin(run: dict[str, Any]) -> None:
    with _CHANGED:
        if run["JobRunState"] == "STARTING":
            _enter(run, "RUNNING")


def _end(job: dict[str, Any], run: dict[str, Any], ending: Ending) -> None:
    """Makes the run final, starts its retry, and tells everyone."""
    with _CHANGED:
        run |= {"CompletedOn": _now(), "ExecutionTime": round(ending.seconds)}
        if ending.message:
            run["ErrorMessage"] = ending.message
        if _is_metered(job, run):
            run["DPUSeconds"] = round(ending.seconds * run["MaxCapacity"], 3)
        # A run that is stopped or takes too long isn't tried again, as on AWS, nor one whose job is gone. The next
        # attempt is there before this one has failed, so that nobody sees a job that has failed for good.
        may_retry = _is_kept(run) and not _STOPS[run["Id"]].is_set()
        if ending.state == "FAILED" and may_retry and run["Attempt"] < int(job["MaxRetries"]):
            _launch(job, _retry(run))
        _enter(run, ending.state)
        del _STOPS[run["Id"]]
        _CHANGED.notify_all()
    for callback in (glue_events.put_state_change, *ON_FINAL):
        try:
            callback(run)
        except Exception:
            LOG.exception("after run %s of %s", run["Id"], run["JobName"])


def _retry(run: dict[str, Any]) -> dict[str, Any]:
    """The next attempt: the same run, named after the first attempt."""
    ended = ("CompletedOn", "ErrorMessage", "DPUSeconds")
    attempt, now = run["Attempt"] + 1, _now()
    return {
        **{name: value for name, value in run.items() if name not in ended},
        "Id": f"{run['Id'].partition('_attempt_')[0]}_attempt_{attempt}",
        "Attempt": attempt,
        "PreviousRunId": run["Id"],
        "StartedOn": now,
        "LastModifiedOn": now,
        "JobRunState": "STARTING",
        "ExecutionTime": 0,
    }


def _is_metered(job: dict[str, Any], run: dict[str, Any]) -> bool:
    scaled = {**job.get("DefaultArguments", {}), **run["Arguments"]}.get("--enable-auto-scaling") == "true"
    return scaled or run.get("ExecutionClass") == "FLEX"


def _enter(run: dict[str, Any], state: str) -> None:
    run |= {"JobRunState": state, "LastModifiedOn": _now()}


def _now() -> float:
    return round(time.time(), 3)
