"""A backfill calls the deployed function once a day and stops at the first failure."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

import backfill
import deployment
from environments import DeployError

NAME = "oakvale-dev-generate-movies"
DEV = deployment.Deployment("dev", {"functions": {"generate_movies": NAME}})


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """The Lambda service: boto3's own client, which checks the words of each call, with answers that a test gives."""
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    client = boto3.client("lambda", region_name="eu-west-1", **keys)
    monkeypatch.setattr(deployment.Deployment, "client", lambda self, service: {"lambda": client}[service])
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def answer(functions: Stubber, day: str, content: dict[str, Any], **more: str) -> None:
    """The next call must be for this day, and is answered so."""
    asked = {"FunctionName": NAME, "Payload": json.dumps({"date": day}).encode()}
    functions.add_response("invoke", {"Payload": io.BytesIO(json.dumps(content).encode()), **more}, asked)


def test_calls_the_function_once_a_day(functions: Stubber) -> None:
    for day in ("2026-10-31", "2026-11-01"):
        answer(functions, day, {"key": f"raw/{day}", "outcome": "written", "records": 1_000})
    notes = list[str]()
    backfill.backfill(DEV, "generate_movies", date(2026, 10, 31), 2, notes.append)
    assert notes == ["raw/2026-10-31 written, 1,000 records", "raw/2026-11-01 written, 1,000 records"]


def test_stops_at_the_first_failure(functions: Stubber) -> None:
    answer(functions, "2026-11-01", {"key": "raw/2026-11-01", "outcome": "written", "records": 1_000})
    error = {"errorType": "ValueError", "errorMessage": "no films"}
    answer(functions, "2026-11-02", error, FunctionError="Unhandled")
    notes = list[str]()
    with pytest.raises(backfill.InvocationError, match=r"failed for .*2026-11-02.*: ValueError: no films"):
        backfill.backfill(DEV, "generate_movies", date(2026, 11, 1), 5, notes.append)
    assert len(notes) == 1


@pytest.mark.usefixtures("functions")
def test_an_unknown_function_is_named_beside_those_that_there_are() -> None:
    with pytest.raises(DeployError, match="dev has no function generate_films; there are: generate_movies"):
        backfill.backfill(DEV, "generate_films", date(2026, 11, 1), 1, print)


@pytest.mark.parametrize("days", ["0", "-3"])
def test_a_number_of_days_that_is_none_stops(
    days: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["backfill.py", "--environment", "dev", "--start", "2026-11-01", f"--days={days}"]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as end:
        backfill.main()
    assert end.value.code == 2
    assert f"--days must be at least 1, not {days}" in capsys.readouterr().err
