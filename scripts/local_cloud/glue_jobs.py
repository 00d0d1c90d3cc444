"""Glue's job runs, with real processes behind them.

Workflows and state machines start runs by `start_run`, and hear of their end by a callback in `ON_FINAL`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ministack.services import glue

from local_cloud import glue_events, glue_job_definitions, glue_runs, spark_jvm
from local_cloud.glue_answers import Request, answer
from local_cloud.glue_runs import ON_FINAL, GlueError
from local_cloud.replacements import replace

__all__ = ["ON_FINAL", "GlueError", "install", "start_run"]

LOG = logging.getLogger("oakvale.glue")
OVERRIDES = (
    *("ExecutionClass", "JobRunQueuingEnabled", "MaxCapacity", "NotificationProperty", "NumberOfWorkers"),
    *("SecurityConfiguration", "Timeout", "WorkerType"),
)


def install() -> None:
    """Puts job definitions and runs into MiniStack, and starts Spark's Java process in the background."""
    glue_job_definitions.install()
    glue_events.install()
    replace(glue, "_delete_job", _delete_job, parameters=["data"])
    for handler in (_start_job_run, _get_job_run, _get_job_runs, _batch_stop_job_run):
        replace(glue, handler.__name__, answer(handler), parameters=["data"])
    spark_jvm.install()


def start_run(
    job_name: str,
    arguments: Mapping[str, str] | None = None,
    *,
    workflow_run: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Starts a run of a job and returns it, as GetJobRun shows it; it changes while it runs. Raises GlueError.

    `workflow_run`: Name and WorkflowRunId of the workflow's run, and TriggerName. Such a run keeps its workflow's
    run id as WorkflowRunId. `overrides`: what else StartJobRun or a trigger's action says, such as Timeout.
    """
    job = glue._jobs.get(job_name)
    if job is None:
        raise GlueError("EntityNotFoundException", f"Failed to start job run due to missing metadata: job {job_name}")
    return glue_runs.start(job, dict(arguments or {}), dict(workflow_run or {}), dict(overrides or {}))


def _delete_job(data: Request) -> Any:
    """A job's runs go with it."""
    response = glue_job_definitions.delete_job(data)
    glue_runs.forget(data.get("JobName", ""))
    return response


def _start_job_run(data: Request) -> dict[str, Any]:
    overrides = {name: data[name] for name in OVERRIDES if data.get(name) is not None}
    return {"JobRunId": start_run(data.get("JobName", ""), data.get("Arguments"), overrides=overrides)["Id"]}


def _get_job_run(data: Request) -> dict[str, Any]:
    return {"JobRun": _find(data.get("JobName", ""), data.get("RunId", ""))}


def _get_job_runs(data: Request) -> dict[str, Any]:
    """Newest first, in pages."""
    name = data.get("JobName", "")
    _require_job(name)
    runs = glue._job_runs.get(name, [])[::-1]
    first, size = int(data.get("NextToken") or 0), int(data.get("MaxResults") or 200)
    more = {"NextToken": str(first + size)} if first + size < len(runs) else {}
    return {"JobRuns": runs[first : first + size], **more}


def _batch_stop_job_run(data: Request) -> dict[str, Any]:
    name, stopped, errors = data.get("JobName", ""), [], []
    for run_id in data.get("JobRunIds", []):
        try:
            glue_runs.stop(_find(name, run_id))
            stopped.append({"JobName": name, "JobRunId": run_id})
        except GlueError as error:
            detail = {"ErrorCode": error.code, "ErrorMessage": error.message}
            errors.append({"JobName": name, "JobRunId": run_id, "ErrorDetail": detail})
    return {"SuccessfulSubmissions": stopped, "Errors": errors}


def _find(job_name: str, run_id: str) -> dict[str, Any]:
    _require_job(job_name)
    for run in glue._job_runs.get(job_name, []):
        if run["Id"] == run_id:
            return dict(run)
    raise GlueError("EntityNotFoundException", f"Job run {run_id} of {job_name} not found")


def _require_job(name: str) -> None:
    if name not in glue._jobs:
        raise GlueError("EntityNotFoundException", f"Job {name} not found")
