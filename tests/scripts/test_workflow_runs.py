"""What is said of a workflow's run that has ended: which job failed, why, and whether a repetition has healed it."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

import workflow_runs
from workflow_runs import WorkflowFailedError

LOG = "  log: group /films/error, stream jr_1"


@pytest.fixture
def glue(aws: Any) -> Any:
    """Glue in an empty account."""
    return boto3.client("glue", region_name="eu-west-1")


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


def test_the_runs_of_a_workflow_are_known_and_a_new_one_is_found(glue: Any) -> None:
    glue.create_workflow(Name="films")
    runs = [glue.start_workflow_run(Name="films")["RunId"] for _ in range(2)]
    assert workflow_runs.run_ids(glue, "films") == runs
    assert workflow_runs.await_start(glue, "films", runs[:1], 1) == runs[1]
    with pytest.raises(WorkflowFailedError, match="no run of workflow films began within 0 s of the files' landing"):
        workflow_runs.await_start(glue, "films", runs, 0)


def test_all_runs_that_begin_are_followed(glue: Any) -> None:
    # moto knows no graph. The second run begins while the first one is followed.
    with Stubber(glue) as stubber:
        for begun, followed in ((2, "1"), (3, "2"), (3, None)):
            runs = [{"WorkflowRunId": str(number), "StartedOn": number} for number in range(begun)]
            stubber.add_response("get_workflow_runs", {"Runs": runs}, {"Name": "films"})
            if followed:
                asked = {"Name": "films", "RunId": followed, "IncludeGraph": True}
                stubber.add_response("get_workflow_run", {"Run": ended(job_run(int(followed), "SUCCEEDED"))}, asked)
        found = workflow_runs.follow_new(glue, "films", ["0"], 1, print)
        stubber.assert_no_pending_responses()
    assert [run["Id"] for run in found] == ["jr_1", "jr_2"]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("SUCCEEDED", ["films succeeded"]),
        (
            "FAILED",
            ["films failed: no reason given", f"job films failed: no reason given\n{LOG}; the next run takes up there"],
        ),
    ],
)
def test_a_start_waits_for_the_run_that_is_under_way_whatever_becomes_of_it(
    glue: Any, state: str, told: list[str]
) -> None:
    notes = list[str]()
    with Stubber(glue) as stubber:
        stubber.add_client_error("start_workflow_run", "ConcurrentRunsExceededException")
        runs = [{"WorkflowRunId": str(number), "StartedOn": number} for number in (2, 1)]
        stubber.add_response("get_workflow_runs", {"Runs": runs}, {"Name": "clicks"})
        asked = {"Name": "clicks", "RunId": "2", "IncludeGraph": True}
        stubber.add_response("get_workflow_run", {"Run": ended(job_run(1, state))}, asked)
        stubber.add_response("start_workflow_run", {"RunId": "3"}, {"Name": "clicks"})
        assert workflow_runs.start(glue, "clicks", 1, notes.append) == "3"
        stubber.assert_no_pending_responses()
    assert notes == ["clicks: run 2 is under way, and the next one waits for it", *told]


def test_a_run_that_did_nothing_is_a_failure() -> None:
    run = ended(status="ERROR", ErrorMessage="Concurrent runs exceeded")
    with pytest.raises(WorkflowFailedError, match=r"^workflow films ended ERROR: Concurrent runs exceeded$"):
        workflow_runs.check("films", run)
