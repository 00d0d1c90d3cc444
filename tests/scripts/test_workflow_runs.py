"""What is said of a workflow's run that has ended: which job failed, why, and whether a repetition has healed it."""

from __future__ import annotations

from typing import Any

import pytest

import workflow_runs
from workflow_runs import WorkflowFailedError


def job_run(number: int, state: str, **more: Any) -> dict[str, Any]:
    """A job's run as GetWorkflowRun tells it; each begins later than the one before."""
    usual = {"Id": f"jr_{number}", "JobName": "films", "StartedOn": number, "Attempt": 0, "Timeout": 5}
    return {**usual, "JobRunState": state, "LogGroupName": "/films", **more}


def ended(*job_runs: dict[str, Any], status: str = "COMPLETED", **more: Any) -> dict[str, Any]:
    """A workflow's run with the runs of one job."""
    return {"Status": status, "Graph": {"Nodes": [{"JobDetails": {"JobRuns": [*job_runs]}}, {}]}, **more}


def test_a_failure_that_a_repetition_has_healed_is_none() -> None:
    again = job_run(2, "SUCCEEDED", Attempt=1, PreviousRunId="jr_1")
    workflow_runs.check("films", ended(again, job_run(1, "FAILED", ErrorMessage="no film")))


def test_the_last_failure_is_told() -> None:
    again = job_run(2, "FAILED", Attempt=1, PreviousRunId="jr_1", ErrorMessage="still no film")
    with pytest.raises(WorkflowFailedError) as error:
        workflow_runs.check("films", ended(job_run(1, "FAILED", ErrorMessage="no film"), again))
    told = "job films failed (tried again): still no film\n  log: group /films/error, stream jr_2"
    assert str(error.value) == told


@pytest.mark.parametrize(("state", "reason"), [("TIMEOUT", "it took over 5 min"), ("STOPPED", "no reason given")])
def test_a_failure_without_a_message_has_a_reason(state: str, reason: str) -> None:
    with pytest.raises(WorkflowFailedError, match=f"^job films {state.lower()}: {reason}\n"):
        workflow_runs.check("films", ended(job_run(1, state)))


def test_a_job_that_was_never_started_is_a_failure() -> None:
    run = ended(job_run(1, "SUCCEEDED"))
    run["Graph"]["Nodes"] += [{"Type": "TRIGGER", "Name": "next"}, {"Type": "JOB", "Name": "gold", "JobDetails": {}}]
    with pytest.raises(WorkflowFailedError, match=r"^workflow films completed, but never started gold$"):
        workflow_runs.check("films", run)


def test_all_runs_that_begin_are_followed() -> None:
    class Glue:
        """A workflow whose second run begins while the first is followed."""

        begun = 2

        def get_paginator(self, name: str) -> Any:
            return self

        def paginate(self, Name: str) -> list[dict[str, Any]]:
            return [{"Runs": [{"WorkflowRunId": str(number), "StartedOn": number} for number in range(self.begun)]}]

        def get_workflow_run(self, Name: str, RunId: str, IncludeGraph: bool) -> dict[str, Any]:
            self.begun = 3
            return {"Run": ended(job_run(int(RunId), "SUCCEEDED"))}

    followed = workflow_runs.follow_new(Glue(), "films", ["0"], 1, print)
    assert [run["Id"] for run in followed] == ["jr_1", "jr_2"]


def test_a_run_that_did_nothing_is_a_failure() -> None:
    run = ended(status="ERROR", ErrorMessage="Concurrent runs exceeded")
    with pytest.raises(WorkflowFailedError, match=r"^workflow films ended ERROR: Concurrent runs exceeded$"):
        workflow_runs.check("films", run)
