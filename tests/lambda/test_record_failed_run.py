"""The function: writes the record of a run that died, once, and never beside the job's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from moto import mock_aws

import failed_steps
import record_failed_run
from json_tables import RUN_RECORD
from lakehouse.run_record import key, run_id
from record_failed_run import handler, key_of, record_of

BEGAN = datetime(2026, 11, 1, 23, 50, 0, 250_000, tzinfo=UTC)
RUN: dict[str, Any] = {
    "Id": "jr_1",
    "JobName": "oakvale-dev-movies-silver",
    "JobRunState": "TIMEOUT",
    "StartedOn": BEGAN.astimezone(timezone(timedelta(hours=1))),
    "CompletedOn": BEGAN + timedelta(minutes=60, seconds=1),
    "Arguments": {"--mode": "repair"},
}
EVENT = {"detail": {"jobName": RUN["JobName"], "jobRunId": "jr_1", "state": "TIMEOUT", "message": "Job run timed out"}}
KEY = f"runs/movies/silver/2026/11/02/{run_id(BEGAN, 'jr_1')}.json"


class Glue:
    """Knows one run."""

    def get_job_run(self, JobName: str, RunId: str) -> dict[str, Any]:
        """Glue's answer about that run."""
        assert (JobName, RunId) == (RUN["JobName"], RUN["Id"])
        return {"JobRun": RUN}


@pytest.fixture
def lake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The lake's bucket, named in the environment, and a Glue with the run."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("LAKE_BUCKET", "oakvale-lake")
    monkeypatch.setattr(record_failed_run, "_glue", Glue)
    record_failed_run._s3.cache_clear()
    with mock_aws():
        made = boto3.resource("s3").Bucket("oakvale-lake")
        made.create()
        yield made
    record_failed_run._s3.cache_clear()


def keys(lake: Any) -> list[str]:
    """What lies in the bucket."""
    return [each.key for each in lake.objects.all()]


def test_a_record_has_the_columns_and_the_names_of_a_jobs_own() -> None:
    record = record_of(RUN, "Job run timed out")
    assert record == {
        "run_id": run_id(BEGAN, "jr_1"),
        "pipeline": "movies",
        "layer": "silver",
        "mode": "repair",
        "job_run_id": "jr_1",
        "started_at": "2026-11-01T23:50:00.250000+00:00",
        "finished_at": "2026-11-02T00:50:01.250000+00:00",
        "seconds": 3601.0,
        "outcome": "died",
        "error": "TIMEOUT: Job run timed out",
        "files": {},
        "late_files": None,
        "rows_in": None,
        "rows_out": None,
        "rows_rejected": None,
        "rows_waiting": None,
        "accounts": [],
        "refreshed": [],
        "restored": [],
        "compared": [],
        "maintained": [],
        "undeclared_fields": {},
        "erased": {},
    }
    assert set(record) == {each["name"] for each in json.loads(RUN_RECORD.read_text(encoding="utf-8"))}
    assert key_of(record) == key(record, RUN["CompletedOn"]) == KEY


def test_glues_own_reason_goes_before_the_events() -> None:
    run = {**RUN, "JobRunState": "FAILED", "ErrorMessage": "killed " * 1000, "Arguments": {}}
    record = record_of(run, "Job run timed out")
    assert record["error"] == f"FAILED: {'killed ' * 1000}"[:4000]
    assert record["mode"] == "run"


def test_an_erasure_that_died_is_recorded_where_its_own_record_would_be() -> None:
    record = record_of({**RUN, "JobName": "oakvale-dev-retail-erasure", "Arguments": {"--request": "a"}}, "killed")
    assert (record["pipeline"], record["layer"], record["mode"]) == ("retail", "bronze", "erase")
    assert key_of(record) == KEY.replace("movies/silver", "retail/bronze")


def test_a_run_that_never_completed_ended_with_its_last_change() -> None:
    waited = {name: value for name, value in RUN.items() if name != "CompletedOn"}
    record = record_of({**waited, "JobRunState": "EXPIRED", "LastModifiedOn": BEGAN + timedelta(hours=1)}, "expired")
    assert (record["finished_at"], record["seconds"]) == ("2026-11-02T00:50:00.250000+00:00", 3600.0)
    assert record["error"] == "EXPIRED: expired"


def test_a_job_that_is_not_ours_is_an_error() -> None:
    with pytest.raises(ValueError, match="nightly isn't the name of a pipeline's job: <name>-<pipeline>-<layer>"):
        record_of({**RUN, "JobName": "nightly"}, "")


def test_a_run_that_left_nothing_gets_its_record_once(lake: Any) -> None:
    others = [KEY.replace("silver", "gold"), f"runs/movies/silver/2026/11/02/{run_id(BEGAN, 'jr_2')}.json"]
    for other in others:
        lake.put_object(Key=other, Body=b"{}")
    assert handler(EVENT, None) == {"key": KEY, "outcome": "written"}
    assert json.loads(lake.Object(KEY).get()["Body"].read()) == record_of(RUN, "Job run timed out")
    assert handler(EVENT, None) == {"key": KEY, "outcome": "there already"}
    assert keys(lake) == sorted([*others, KEY])


@pytest.mark.parametrize("day", ["2026/11/01", "2026/11/02", "2026/11/03"])
def test_a_run_that_left_a_record_keeps_it(lake: Any, day: str) -> None:
    """The job began a moment after Glue began the run, and ended a while before or after Glue says so."""
    own = f"runs/movies/silver/{day}/{run_id(BEGAN + timedelta(seconds=20), 'jr_1')}.json"
    lake.put_object(Key=own, Body=b"{}")
    assert handler(EVENT, None) == {"key": KEY, "outcome": "there already"}
    assert keys(lake) == [own]


def test_two_calls_at_once_write_one_record(lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.put_object(Key=KEY, Body=b"the first call's")
    pages = record_failed_run._s3().get_paginator("list_objects_v2")
    monkeypatch.setattr(type(pages), "paginate", lambda *_, **__: [{}])  # it listed before the other has written
    assert handler(EVENT, None) == {"key": KEY, "outcome": "there already"}
    assert lake.Object(KEY).get()["Body"].read() == b"the first call's"


STEP = {
    "execution": "run-000007",
    "pipeline": "movies",
    "step": "silver",
    "layer": "silver",
    "started_at": "2026-11-01T23:50:00.25Z",
}
NEXT_STEP = [
    "Nothing is published that doesn't balance, and no file is left out: the next run takes up where this one ended.",
    "It starts when files land; to start it now: make run PIPELINE=movies ENV=<environment>.",
]


def test_a_step_that_followed_a_run_has_that_runs_record_and_is_explained(lake: Any) -> None:
    run = {"Id": "jr_1", "JobName": RUN["JobName"], "JobRunState": "FAILED", "LogGroupName": "/oakvale/glue/x"}
    cause = json.dumps({**run, "ErrorMessage": "Unbalanced: 3 rows are missing"})
    answer = handler({**STEP, "error": "States.TaskFailed", "cause": cause}, None)
    assert (answer["key"], answer["outcome"]) == (KEY, "written")
    assert answer["message"].splitlines() == [
        "The run run-000007 of movies failed in its step silver.",
        "Reason: FAILED: Unbalanced: 3 rows are missing",
        "Its log is in CloudWatch, in the log group /oakvale/glue/x/error, in the stream jr_1.",
        *NEXT_STEP,
    ]
    # The rule tells of the same run.
    assert handler(EVENT, None) == {"key": KEY, "outcome": "there already"}


@pytest.mark.parametrize(
    ("error", "cause", "reason"),
    [
        (
            "States.TaskFailed",
            json.dumps({"Id": "jr_1", "JobName": RUN["JobName"], "JobRunState": "STOPPED"}),
            "STOPPED: Glue gives no reason",
        ),
        ("ArrivalsError", json.dumps({"errorType": "ArrivalsError", "errorMessage": "no"}), "ArrivalsError: no"),
        ("Glue.EntityNotFoundException", "no such job", "Glue.EntityNotFoundException: no such job"),
        ("States.Timeout", "[]", "States.Timeout: []"),
    ],
)
def test_the_reason_is_that_of_whoever_knows_most(error: str, cause: str, reason: str) -> None:
    assert failed_steps.reason_of({**STEP, "error": error, "cause": cause}) == reason


def test_a_step_without_a_run_has_a_record_of_its_own_once(lake: Any) -> None:
    event = {**STEP, "error": "States.Timeout", "cause": "too slow"}
    first = handler(event, None)
    name = run_id(BEGAN, "run-000007 silver")
    assert first["outcome"] == "written"
    assert first["key"].startswith("runs/movies/silver/")
    assert first["key"].endswith(f"/{name}.json")
    assert "log group" not in first["message"]
    record = json.loads(lake.Object(first["key"]).get()["Body"].read())
    assert set(record) == set(record_of(RUN, ""))
    expected = {
        "run_id": name,
        "pipeline": "movies",
        "layer": "silver",
        "job_run_id": None,
        "started_at": "2026-11-01T23:50:00.250000+00:00",
        "outcome": "died",
        "error": "run-000007, step silver: States.Timeout: too slow",
    }
    assert {column: record[column] for column in expected} == expected
    assert handler(event, None)["outcome"] == "there already"
    assert keys(lake) == [first["key"]]
