"""Runs of a deployed pipeline's state machine: ask for one, follow it to its end, say why it failed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import workflow_runs
from workflow_runs import WorkflowFailedError

POLL_SECONDS = 0.5


class RunFailedError(WorkflowFailedError):
    """A run that failed, with the runs of its jobs, and the run that it has started at its end nevertheless."""

    def __init__(self, told: str, job_runs: list[dict[str, Any]], following: str | None) -> None:
        super().__init__(told)
        self.job_runs, self.following = job_runs, following


def ask_for_run(client: Any, function: str) -> str:
    """Has the function that starts runs start one, or take note while one is under way; the name of that run."""
    answer = client.invoke(FunctionName=function, Payload=b"{}")
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise WorkflowFailedError(f"function {function}: {payload.get('errorMessage', payload)}")
    return str(payload["run"])


def names(states: Any, machine: str) -> list[str]:
    """All runs of the state machine by name, those of the function oldest first."""
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=machine)
    return sorted(run["name"] for page in pages for run in page["executions"])


def await_start(states: Any, machine: str, known: list[str], seconds: float) -> str:
    """The first run that isn't known yet: the one that landed files have started."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if new := [run for run in names(states, machine) if run not in known]:
            return new[0]
        time.sleep(POLL_SECONDS)
    raise WorkflowFailedError(f"no run of {_short(machine)} began within {seconds:.0f} s of the files' landing")


def follow_all(
    states: Any, machine: str, run: str | None, seconds: float, note: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Follows a run, and those that it and its followers start at their end; their jobs' runs.

    Raises if the last one fails. One before it may: what was asked for meanwhile has a run of its own, which takes up
    where that one ended.
    """
    found = []
    while run:
        try:
            job_runs, run = follow(states, machine, run, seconds, note)
        except RunFailedError as failed:
            if failed.following is None:
                raise
            note(str(failed))
            job_runs, run = failed.job_runs, failed.following
        found += job_runs
    return found


def follow(
    states: Any, machine: str, run: str, seconds: float, note: Callable[[str], None]
) -> tuple[list[dict[str, Any]], str | None]:
    """Waits for the end of a run, telling each step; its jobs' runs and the next run. Raises if it fails."""
    execution, deadline, told = arn_of(machine, run), time.monotonic() + seconds, 0
    while True:
        status = states.describe_execution(executionArn=execution)["status"]
        events = _events(states, execution)
        steps = list(_steps(events))
        for step in steps[told:]:
            note(f"{run} {step}")
        told = len(steps)
        if status != "RUNNING":
            break
        if time.monotonic() > deadline:
            raise WorkflowFailedError(f"{_short(machine)} {run} still runs after {seconds:.0f} s")
        time.sleep(POLL_SECONDS)
    if status != "SUCCEEDED":
        raise RunFailedError(_failure(machine, run, status, events), job_runs(events), _next_run(events))
    return job_runs(events), _next_run(events)


def arn_of(machine: str, run: str) -> str:
    """The ARN of a run."""
    return f"{machine.replace(':stateMachine:', ':execution:')}:{run}"


def job_runs(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The runs of Glue jobs in a history, each attempt of its own, in the order in which they began."""
    told = [event.get("taskSucceededEventDetails", {}).get("output") for event in events]
    told += [event.get("taskFailedEventDetails", {}).get("cause") for event in events]
    found = [run for run in map(_parsed, told) if "JobRunState" in run]
    return sorted(found, key=lambda run: run["StartedOn"])


def _events(states: Any, execution: str) -> list[dict[str, Any]]:
    pages = states.get_paginator("get_execution_history").paginate(executionArn=execution)
    return [event for page in pages for event in page["events"]]


def _steps(events: list[dict[str, Any]]) -> Iterator[str]:
    """What a history tells of jobs, in words."""
    for event in events:
        if event["type"] == "TaskStateEntered":
            yield f"begins its step {event['stateEnteredEventDetails']['name']}"
        elif event["type"] == "TaskTimedOut":
            yield "has taken too long there"
        elif event["type"] == "TaskFailed":
            run = _parsed(event["taskFailedEventDetails"].get("cause"))
            reason = workflow_runs.reason(run) if "JobRunState" in run else event["taskFailedEventDetails"]["error"]
            yield f"has failed there: {reason}"


def _next_run(events: list[dict[str, Any]]) -> str | None:
    outputs = (_parsed(event.get("taskSucceededEventDetails", {}).get("output")) for event in events)
    payloads = [output["Payload"] for output in outputs if isinstance(output.get("Payload"), dict)]
    return next((payload["next"] for payload in reversed(payloads) if "next" in payload), None)


def _failure(machine: str, run: str, status: str, events: list[dict[str, Any]]) -> str:
    """What failed for good, why, and where its log is: the last failure before the state machine tells of it."""
    entered = [event.get("stateEnteredEventDetails", {}).get("name") for event in events]
    before = events[: entered.index("RecordFailure")] if "RecordFailure" in entered else events
    details = (event.get(f"{kind}EventDetails") for event in before for kind in ("taskFailed", "taskTimedOut"))
    failed = [each for each in details if each]
    told = f"{_short(machine)} {run} ended as {status}"
    if not failed:
        return told
    cause = _parsed(failed[-1].get("cause"))
    why = (
        workflow_runs.failure(cause)
        if "JobRunState" in cause
        else f"{failed[-1]['error']}: {failed[-1].get('cause') or 'no reason given'}"
    )
    return f"{told}: {why}"


def _parsed(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _short(machine: str) -> str:
    return f"state machine {machine.rpartition(':')[2]}"
