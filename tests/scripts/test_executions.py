"""What is told of a run of a state machine: its steps, its jobs' runs, the next run, and why it failed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any

import pytest

import executions
from workflow_runs import WorkflowFailedError

MACHINE = "arn:aws:states:eu-west-1:111122223333:stateMachine:oakvale-dev-retail"


def job_run(number: int, state: str = "SUCCEEDED", **more: Any) -> dict[str, Any]:
    """A job's run as Step Functions tells it."""
    usual = {"Id": f"jr_{number}", "JobName": "bronze", "StartedOn": number, "Attempt": 0, "Timeout": 5}
    return {**usual, "JobRunState": state, "LogGroupName": "/retail", **more}


def entered(step: str) -> dict[str, Any]:
    """An event of a history: a step begins."""
    return {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": step}}


def succeeded(output: Any) -> dict[str, Any]:
    """An event of a history: a task has an answer."""
    return {"type": "TaskSucceeded", "taskSucceededEventDetails": {"output": json.dumps(output)}}


def failed(error: str, cause: str) -> dict[str, Any]:
    """An event of a history: a task has failed."""
    return {"type": "TaskFailed", "taskFailedEventDetails": {"error": error, "cause": cause}}


class States:
    """Step Functions with runs that have ended, or go on for as long as their history grows."""

    def __init__(self, status: str, *histories: list[dict[str, Any]]) -> None:
        self.status, self.histories = status, list(histories)

    def describe_execution(self, executionArn: str) -> dict[str, str]:
        """How the run is."""
        assert executionArn.startswith(f"{MACHINE.replace('stateMachine', 'execution')}:run-")
        return {"status": self.status if len(self.histories) == 1 else "RUNNING"}

    def get_paginator(self, name: str) -> States:
        """For any list."""
        return self

    def paginate(self, **asked: str) -> Iterable[dict[str, Any]]:
        """One page of a history, or of runs."""
        if "stateMachineArn" in asked:
            return [{"executions": [{"name": "run-000002"}, {"name": "run-000001"}]}]
        return [{"events": self.histories.pop(0) if len(self.histories) > 1 else self.histories[0]}]


def test_steps_are_told_once_and_jobs_runs_come_in_their_order() -> None:
    begun = [entered("Begin"), succeeded({"Payload": {"run": "run-000001"}}), entered("Bronze")]
    cause = json.dumps(job_run(1, "FAILED", ErrorMessage="no disk"))
    rest = [failed("States.TaskFailed", cause), succeeded(job_run(2)), succeeded({"Payload": {"next": "run-000002"}})]
    told: list[str] = []
    states = States("SUCCEEDED", begun, begun + rest)
    runs, following = executions.follow(states, MACHINE, "run-000001", 5, told.append)
    assert told == [
        "run-000001 begins its step Begin",
        "run-000001 begins its step Bronze",
        "run-000001 has failed there: no disk",
    ]
    assert [(run["Id"], run["JobRunState"]) for run in runs] == [("jr_1", "FAILED"), ("jr_2", "SUCCEEDED")]
    assert following == "run-000002"


def test_runs_that_follow_are_followed() -> None:
    states = States("SUCCEEDED", [succeeded(job_run(1)), succeeded({"Payload": {"next": None}})])
    assert executions.follow_all(states, MACHINE, "run-000001", 5, print) == [job_run(1)]


class Runs(States):
    """Step Functions with runs that have ended, each as its name says."""

    def __init__(self, runs: dict[str, tuple[str, list[dict[str, Any]]]]) -> None:
        self.runs = runs

    def describe_execution(self, executionArn: str) -> dict[str, str]:
        """How the run is."""
        return {"status": self.runs[executionArn.rpartition(":")[2]][0]}

    def paginate(self, **asked: str) -> Iterable[dict[str, Any]]:
        """One page of a history."""
        return [{"events": self.runs[asked["executionArn"].rpartition(":")[2]][1]}]


def test_the_run_that_was_asked_for_is_followed_when_the_one_before_it_fails() -> None:
    broken = [failed("Lambda.Unknown", "[]"), entered("RecordFailure")]
    first = [succeeded(job_run(1)), *broken, succeeded({"Payload": {"next": "run-000002"}})]
    second = [succeeded(job_run(2)), succeeded({"Payload": {"next": None}})]
    told: list[str] = []
    states = Runs({"run-000001": ("FAILED", first), "run-000002": ("SUCCEEDED", second)})
    runs = executions.follow_all(states, MACHINE, "run-000001", 5, told.append)
    assert runs == [job_run(1), job_run(2)]
    assert told[-1] == "state machine oakvale-dev-retail run-000001 ended as FAILED: Lambda.Unknown: []"
    states.runs["run-000002"] = ("FAILED", broken)
    with pytest.raises(WorkflowFailedError, match="run-000002 ended as FAILED"):
        executions.follow_all(states, MACHINE, "run-000001", 5, told.append)


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([], "state machine oakvale-dev-retail run-000001 ended as ABORTED"),
        (
            [failed("States.TaskFailed", json.dumps(job_run(1, "FAILED", ErrorMessage="no disk"))), entered("Next")],
            "state machine oakvale-dev-retail run-000001 ended as ABORTED: job bronze failed: no disk\n"
            "  log: group /retail/error, stream jr_1",
        ),
        (
            [failed("Glue.Throttled", "slow"), entered("RecordFailure"), failed("Lambda.Unknown", "[]")],
            "state machine oakvale-dev-retail run-000001 ended as ABORTED: Glue.Throttled: slow",
        ),
        (
            [{"type": "TaskTimedOut", "taskTimedOutEventDetails": {"error": "States.Timeout"}}],
            "state machine oakvale-dev-retail run-000001 ended as ABORTED: States.Timeout: no reason given",
        ),
        (
            [failed("Lambda.Unknown", "[]")],
            "state machine oakvale-dev-retail run-000001 ended as ABORTED: Lambda.Unknown: []",
        ),
    ],
)
def test_a_failure_says_why(events: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(WorkflowFailedError) as error:
        executions.follow(States("ABORTED", events), MACHINE, "run-000001", 5, lambda line: None)
    assert str(error.value) == told


def test_nobody_waits_for_ever() -> None:
    with pytest.raises(WorkflowFailedError, match="run-000001 still runs after 0 s"):
        executions.follow(States("RUNNING", []), MACHINE, "run-000001", 0, print)
    with pytest.raises(WorkflowFailedError, match="no run of state machine oakvale-dev-retail began within 0 s"):
        executions.await_start(States("RUNNING", []), MACHINE, ["run-000001", "run-000002"], 0)


def test_a_run_that_is_not_known_yet_has_been_started() -> None:
    assert executions.await_start(States("RUNNING", []), MACHINE, ["run-000001"], 5) == "run-000002"


class Functions:
    """Lambda with one answer."""

    def __init__(self, payload: dict[str, Any], **more: str) -> None:
        self.answer = {"Payload": io.BytesIO(json.dumps(payload).encode()), **more}

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        """Calls the function, which gets an empty event."""
        assert (FunctionName, Payload) == ("start", b"{}")
        return self.answer


def test_a_run_is_asked_for() -> None:
    assert executions.ask_for_run(Functions({"run": "run-000003"}), "start") == "run-000003"
    refused = Functions({"errorMessage": "damaged"}, FunctionError="Unhandled")
    with pytest.raises(WorkflowFailedError, match=r"^function start: damaged$"):
        executions.ask_for_run(refused, "start")
