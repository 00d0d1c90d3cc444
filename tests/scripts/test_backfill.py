"""A backfill calls the deployed function once a day and stops at the first failure."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import pytest

import backfill
import deployment
from environments import DeployError


class Functions:
    """A Lambda service with one function, which fails from some day on."""

    def __init__(self, fails_from: str = "9") -> None:
        self.days, self.fails_from = [], fails_from

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        """What boto3 answers."""
        assert FunctionName == "oakvale-dev-generate-movies"
        day = json.loads(Payload)["date"]
        self.days.append(day)
        if day >= self.fails_from:
            error = {"errorType": "ValueError", "errorMessage": "no films"}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(error).encode())}
        answer = {"key": f"raw/{day}", "outcome": "written", "records": 1_000}
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


def deployed(monkeypatch: pytest.MonkeyPatch, functions: Functions) -> deployment.Deployment:
    """An environment that has this service."""
    monkeypatch.setattr(deployment.Deployment, "client", lambda self, service: {"lambda": functions}[service])
    return deployment.Deployment("dev", {"functions": {"generate_movies": "oakvale-dev-generate-movies"}})


def test_calls_the_function_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    functions, notes = Functions(), list[str]()
    backfill.backfill(deployed(monkeypatch, functions), "generate_movies", date(2026, 10, 31), 2, notes.append)
    assert functions.days == ["2026-10-31", "2026-11-01"]
    assert notes == ["raw/2026-10-31 written, 1,000 records", "raw/2026-11-01 written, 1,000 records"]


def test_stops_at_the_first_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    functions, notes = Functions(fails_from="2026-11-02"), list[str]()
    with pytest.raises(backfill.InvocationError, match=r"failed for .*2026-11-02.*: ValueError: no films"):
        backfill.backfill(deployed(monkeypatch, functions), "generate_movies", date(2026, 11, 1), 5, notes.append)
    assert functions.days == ["2026-11-01", "2026-11-02"]
    assert len(notes) == 1


def test_an_unknown_function_is_named_beside_those_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeployError, match="dev has no function generate_films; there are: generate_movies"):
        backfill.backfill(deployed(monkeypatch, Functions()), "generate_films", date(2026, 11, 1), 1, print)


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
