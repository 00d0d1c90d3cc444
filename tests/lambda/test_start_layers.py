"""The function that the clock calls: it starts what is due, once at a time, and hides no failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

import start_layers

HOURLY = {"part": "hourly", "time": "2026-11-27T10:10:00Z"}


@pytest.fixture
def glue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """Glue, with answers that a test gives, and the function's environment."""
    monkeypatch.setenv("HOURLY", "clicks-hourly")
    monkeypatch.setenv("DAILY", "clicks-daily")
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    client = boto3.client("glue", region_name="eu-west-1", **keys)
    monkeypatch.setattr(start_layers, "_glue", lambda: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize("part", ["hourly", "daily"])
def test_what_is_due_is_started(glue: Stubber, capsys: pytest.CaptureFixture[str], part: str) -> None:
    glue.add_response("start_workflow_run", {"RunId": "wr_1"}, {"Name": f"clicks-{part}"})
    answer = start_layers.handler({**HOURLY, "part": part}, None)
    assert answer == {
        **{"part": part, "time": "2026-11-27T10:10:00Z", "workflow": f"clicks-{part}"},
        **{"outcome": "started", "run": "wr_1"},
    }
    assert json.loads(capsys.readouterr().out) == answer


def test_a_run_that_is_under_way_is_no_failure_and_is_told(glue: Stubber, capsys: pytest.CaptureFixture[str]) -> None:
    glue.add_client_error("start_workflow_run", "ConcurrentRunsExceededException")
    answer = start_layers.handler(HOURLY, None)
    assert (answer["outcome"], answer["run"]) == ("under way", None)
    assert json.loads(capsys.readouterr().out) == answer


@pytest.mark.parametrize("code", ["EntityNotFoundException", "AccessDeniedException", "InternalServiceException"])
def test_anything_else_is_a_failure(glue: Stubber, code: str) -> None:
    glue.add_client_error("start_workflow_run", code)
    with pytest.raises(ClientError, match=code):
        start_layers.handler(HOURLY, None)


@pytest.mark.parametrize("event", [{}, {"part": "weekly"}, {"part": None}, {"part": ["hourly"]}])
@pytest.mark.usefixtures("glue")
def test_a_part_that_is_none_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a call names one of hourly, daily"):
        start_layers.handler(event, None)
