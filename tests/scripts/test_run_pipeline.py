"""A pipeline that runs by the clock is run by hand as the clock would: the hour's layers, then the day's."""

from __future__ import annotations

import io
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from rich.console import Console

import deployment
import run_pipeline
from workflow_runs import WorkflowFailedError

PARTS = ["oakvale-dev-clicks-hourly", "oakvale-dev-clicks-daily"]
OUTPUTS = {"workflows": {}, "state_machines": {}, "scheduled_workflows": {"clicks": PARTS}, "lake_bucket": "lake"}


@pytest.fixture
def glue(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Glue with answers that a test gives; no job of the pipeline has left a record."""
    client = boto3.client("glue", region_name="eu-west-1")
    monkeypatch.setattr(deployment.Deployment, "client", lambda self, service: {"glue": client}[service])
    monkeypatch.setattr(deployment.Deployment, "run_records", lambda self, pipeline, layer: iter(()))
    return client


def answer(stubber: Stubber, workflow: str, *states: str) -> None:
    """The next calls start a run of this workflow, whose jobs have ended in these states."""
    runs = [
        {"Id": f"jr_{number}", "JobName": workflow, "StartedOn": number, "JobRunState": state, "ErrorMessage": "no"}
        for number, state in enumerate(states)
    ]
    graph = {"Nodes": [{"Type": "JOB", "Name": workflow, "JobDetails": {"JobRuns": runs}}]}
    stubber.add_response("start_workflow_run", {"RunId": f"run of {workflow}"}, {"Name": workflow})
    asked = {"Name": workflow, "RunId": f"run of {workflow}", "IncludeGraph": True}
    stubber.add_response("get_workflow_run", {"Run": {"Status": "COMPLETED", "Graph": graph}}, asked)


def test_the_hours_layers_run_before_the_days(glue: Any) -> None:
    printed = io.StringIO()
    with Stubber(glue) as stubber:
        answer(stubber, PARTS[0], "SUCCEEDED", "SUCCEEDED")
        answer(stubber, PARTS[1], "SUCCEEDED")
        run_pipeline.run(Console(file=printed, width=160), deployment.Deployment("dev", OUTPUTS), "clicks")
        stubber.assert_no_pending_responses()
    assert [line for line in printed.getvalue().splitlines() if ": run " in line] == [
        f"{part}: run run of {part}" for part in PARTS
    ]


def test_after_a_failure_the_days_layers_do_not_run(glue: Any) -> None:
    with Stubber(glue) as stubber:
        answer(stubber, PARTS[0], "FAILED")
        with pytest.raises(WorkflowFailedError, match=r"^job oakvale-dev-clicks-hourly failed: no"):
            run_pipeline.run(Console(file=io.StringIO()), deployment.Deployment("dev", OUTPUTS), "clicks")
        stubber.assert_no_pending_responses()
