"""Runs of a deployed Glue workflow, or of one of its jobs: wait for one, follow it to its end, say why it failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

POLL_SECONDS = 0.5
FAILED = ("FAILED", "TIMEOUT", "STOPPED", "ERROR", "EXPIRED")
ENDED = ("SUCCEEDED", *FAILED)


class WorkflowFailedError(Exception):
    """A run of the workflow failed, or none came; the message says which job, why and where its log is."""


class StillRunsError(WorkflowFailedError):
    """A run takes longer than anybody waits; the message says how long that was."""


def run_ids(glue: Any, workflow: str) -> list[str]:
    """All runs of the workflow, oldest first."""
    pages = glue.get_paginator("get_workflow_runs").paginate(Name=workflow)
    runs = [run for page in pages for run in page.get("Runs", [])]
    return [run["WorkflowRunId"] for run in sorted(runs, key=lambda run: run["StartedOn"])]


def await_start(glue: Any, workflow: str, known: list[str], seconds: float) -> str:
    """The id of the first run that isn't known yet: the one that landed files have started."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if new := [run for run in run_ids(glue, workflow) if run not in known]:
            return new[0]
        time.sleep(POLL_SECONDS)
    raise WorkflowFailedError(f"no run of workflow {workflow} began within {seconds:.0f} s of the files' landing")


def start(glue: Any, workflow: str, seconds: float, note: Callable[[str], None]) -> str:
    """Starts a run and returns its id; where no second one may run, it waits for the one that is under way."""
    while True:
        try:
            return str(glue.start_workflow_run(Name=workflow)["RunId"])
        except glue.exceptions.ConcurrentRunsExceededException:
            under_way = run_ids(glue, workflow)[-1]
            note(f"{workflow}: run {under_way} is under way, and the next one waits for it")
            try:
                follow(glue, workflow, under_way, seconds, note)
            except StillRunsError:
                raise
            except WorkflowFailedError as error:
                note(f"{error}; the next run takes up there")


def follow(glue: Any, workflow: str, run_id: str, seconds: float, note: Callable[[str], None]) -> list[dict[str, Any]]:
    """Waits for the end of a run, telling each change of state; returns the job runs. Raises unless all succeeded."""
    deadline, told = time.monotonic() + seconds, dict[str, str]()
    while True:
        run = glue.get_workflow_run(Name=workflow, RunId=run_id, IncludeGraph=True)["Run"]
        for job_run in job_runs(run):
            if told.get(job_run["Id"]) != job_run["JobRunState"]:
                told[job_run["Id"]] = job_run["JobRunState"]
                note(f"{job_run['JobName']} {state(job_run)}" + (f": {reason(job_run)}" if has_failed(job_run) else ""))
        if run["Status"] != "RUNNING":
            break
        if time.monotonic() > deadline:
            raise StillRunsError(f"workflow {workflow} still runs after {seconds:.0f} s; make status shows how far")
        time.sleep(POLL_SECONDS)
    check(workflow, run)
    return job_runs(run)


def follow_new(
    glue: Any, workflow: str, known: list[str], seconds: float, note: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Follows all runs that aren't known yet: files that land slowly may start a second one. Their jobs' runs."""
    followed, found = list(known), list[dict[str, Any]]()
    while new := [run for run in run_ids(glue, workflow) if run not in followed]:
        for run_id in new:
            found += follow(glue, workflow, run_id, seconds, note)
        followed += new
    return found


def run_job(
    glue: Any, job: str, arguments: dict[str, str], seconds: float, note: Callable[[str], None]
) -> dict[str, Any]:
    """Runs a job alone, with arguments beside its own, and waits for its end; returns its run. Raises if it failed."""
    run_id, deadline, told = (
        glue.start_job_run(JobName=job, Arguments=arguments)["JobRunId"],
        time.monotonic() + seconds,
        "",
    )
    while told not in ENDED:
        run: dict[str, Any] = glue.get_job_run(JobName=job, RunId=run_id)["JobRun"]
        if told != run["JobRunState"]:
            told = run["JobRunState"]
            note(f"{job} {state(run)}")
        elif time.monotonic() > deadline:
            raise WorkflowFailedError(f"job {job} still runs after {seconds:.0f} s; its run is {run_id}")
        else:
            time.sleep(POLL_SECONDS)
    if has_failed(run):
        raise WorkflowFailedError(failure(run))
    return run


def job_runs(run: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs of the jobs of a workflow run, each attempt of its own, in the order in which they began."""
    found = [one for node in run["Graph"]["Nodes"] for one in _runs_of(node)]
    return sorted(found, key=lambda one: one["StartedOn"])


def _runs_of(node: dict[str, Any]) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = node.get("JobDetails", {}).get("JobRuns", [])
    return runs


def state(job_run: dict[str, Any]) -> str:
    """The state of a job's run, and that it repeats one."""
    return str(job_run["JobRunState"]).lower() + (" (tried again)" if job_run.get("Attempt") else "")


def has_failed(job_run: dict[str, Any]) -> bool:
    """Whether a job's run has ended without success."""
    return job_run["JobRunState"] in FAILED


def reason(job_run: dict[str, Any]) -> str:
    """Why a job's run has failed."""
    if message := job_run.get("ErrorMessage"):
        return str(message)
    # What took too long need not have a message.
    return f"it took over {job_run['Timeout']:g} min" if job_run["JobRunState"] == "TIMEOUT" else "no reason given"


def failure(job_run: dict[str, Any]) -> str:
    """Which job failed, why, and where its log is."""
    group, stream = job_run.get("LogGroupName", "/aws-glue/jobs"), job_run["Id"]
    told = f"job {job_run['JobName']} {state(job_run)}: {reason(job_run)}"
    return f"{told}\n  log: group {group}/error, stream {stream}"


def check(workflow: str, run: dict[str, Any]) -> None:
    """Raises with the reason of the first job that failed for good, unless the whole run succeeded."""
    attempts = job_runs(run)
    repeated = {job_run.get("PreviousRunId") for job_run in attempts}
    for job_run in attempts:
        if has_failed(job_run) and job_run["Id"] not in repeated:
            raise WorkflowFailedError(failure(job_run))
    if run["Status"] != "COMPLETED":
        raise WorkflowFailedError(f"workflow {workflow} ended {run['Status']}: {run.get('ErrorMessage', '')}")
    idle = [node["Name"] for node in run["Graph"]["Nodes"] if node.get("Type") == "JOB" and not _runs_of(node)]
    if idle:
        raise WorkflowFailedError(f"workflow {workflow} completed, but never started {', '.join(idle)}")
