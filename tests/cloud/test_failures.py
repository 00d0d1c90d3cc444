"""What fails is seen: in run state, run record, message and exit code. Without its cause, the next run heals it."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.config import Config

import backfill
import environments
import run_pipeline
import status
import upload
from film_file import key as key_of
from local_cloud import control, fire
from tests.cloud.conftest import FIRST, LAYERS, SETTINGS, Deployed
from tests.cloud.failures import (
    Mailbox,
    attempts,
    check_message,
    check_recorded,
    counts,
    newest_runs,
    process_id,
    raised,
    record_again,
    records,
)
from tests.local_cloud.glue_resources import wait_for
from tests.pipelines.test_movies import differences

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def mailbox(deployed: Deployed) -> Iterator[Mailbox]:
    """What the topic says during one test."""
    opened = Mailbox(deployed)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def by_hand(deployed: Deployed) -> Iterator[Deployed]:
    """A lake with films, where landed files start nothing: the tests start each run."""
    if not deployed.days:
        deployed.land_days(1)
    events, rule = deployed.client("events"), f"{deployed.lake.named('workflows', 'movies')}-start"
    events.disable_rule(Name=rule)
    yield deployed
    events.enable_rule(Name=rule)


@pytest.fixture
def run(by_hand: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a script as its command line does; gives its exit code and what it printed, with single spaces."""
    monkeypatch.setattr(control, "running", lambda: by_hand.cloud)

    def script(module: ModuleType, *arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", [str(module.__file__), "--environment", "local", *arguments])
        capsys.readouterr()
        code = module.main()
        return code, " ".join(capsys.readouterr().out.split())

    return script


def land(deployed: Deployed) -> None:
    """The file of one more day, so that the next run has something to do."""
    event = {"date": (FIRST + timedelta(days=deployed.days)).isoformat(), **SETTINGS}
    function = deployed.lake.named("functions", "generate_movies")
    assert backfill.invoke(deployed.client("lambda"), function, event)["outcome"] == "written"
    deployed.days += 1


def check_failed(deployed: Deployed, mailbox: Mailbox, error: str) -> dict[str, Any]:
    """Bronze failed, as the API and a message say, and nothing followed it; its run."""
    assert attempts(deployed) == [("bronze", "FAILED")]
    assert counts(deployed) == {"TotalActions": 1, "FailedActions": 1}
    (failed,) = newest_runs(deployed)
    assert failed["ErrorMessage"] == error
    (message,) = mailbox.read(1)
    check_message(message, failed, raised(failed))
    return failed


def check_told(run: Run, job_run: dict[str, Any], reason: str) -> None:
    """`make status` fails and says why."""
    code, printed = run(status)
    assert code == 1
    assert f"error: job {job_run['JobName']} {job_run['JobRunState'].lower()}: {reason}" in printed
    assert f"log: group {job_run['LogGroupName']}/error, stream {job_run['Id']}" in printed


def check_healed(deployed: Deployed, run: Run, folder: Path) -> None:
    """The next run succeeds, nothing is missing or double, and the failure isn't shown any more."""
    code, printed = run(run_pipeline, "--pipeline", "movies")
    assert code == 0, printed
    assert attempts(deployed) == [(layer, "SUCCEEDED") for layer in LAYERS]
    check_lake(deployed, folder)
    assert run(status)[0] == 0


def check_lake(deployed: Deployed, folder: Path) -> None:
    """Every table equals the oracle over all files that have landed."""
    found = differences(deployed.download(folder))
    assert {name: difference[1:] for name, difference in found.items()} == dict.fromkeys(found, (0, 0))
    assert found["silver_movies"][0] > 0


def test_a_job_that_raises(by_hand: Deployed, run: Run, mailbox: Mailbox) -> None:
    s3, gate = by_hand.client("s3"), {"Bucket": by_hand.bucket("lake"), "Key": "gates/movies/bronze.json"}
    land(by_hand)
    before = records(by_hand, "bronze")
    damaged = s3.put_object(**gate, Body=b"not JSON")["VersionId"]
    code, printed = run(run_pipeline, "--pipeline", "movies")
    s3.delete_object(**gate, VersionId=damaged)
    error = (
        "gates/movies/bronze.json isn't what a run has written (Expecting value: line 1 column 1 (char 0)): "
        "put back the version that it had before, and run again"
    )
    last = check_failed(by_hand, mailbox, f"lakehouse.gate.DamagedGateError: {error}")
    assert code == 1
    assert f"error: job {last['JobName']} failed: {last['ErrorMessage']}" in printed
    *known, own = records(by_hand, "bronze")
    assert known == before
    assert (own["job_run_id"], own["outcome"], own["error"]) == (last["Id"], "failed", f"DamagedGateError: {error}")
    assert record_again(by_hand, last) == "there already"
    assert records(by_hand, "bronze") == [*before, own]
    check_told(run, last, last["ErrorMessage"])
    logs = by_hand.client("logs")
    log = logs.get_log_events(logGroupName=f"{last['LogGroupName']}/error", logStreamName=last["Id"])["events"]
    assert log[-1]["message"] == last["ErrorMessage"]


def test_a_job_that_dies_before_spark_starts(by_hand: Deployed, run: Run, mailbox: Mailbox) -> None:
    job = by_hand.client("glue").get_job(JobName=by_hand.lake.named("jobs", "movies-bronze"))["Job"]
    script = job["Command"]["ScriptLocation"]
    bucket, _, key = script.removeprefix("s3://").partition("/")
    land(by_hand)
    before = records(by_hand, "bronze")
    by_hand.client("s3").delete_object(Bucket=bucket, Key=key)
    code, printed = run(run_pipeline, "--pipeline", "movies")
    upload.upload(environments.find("local"), by_hand.notes.append)
    # Whether an object is there is told only to those who may list its bucket.
    error = f"{script} can't be read: An error occurred (403) when calling the HeadObject operation: Forbidden"
    last = check_failed(by_hand, mailbox, error)
    assert code == 1
    assert f"error: job {last['JobName']} failed: {error}" in printed
    check_recorded(by_hand, last, f"FAILED: {error}", before)  # there was no script that could have written one
    check_told(run, last, error)
    before = records(by_hand, "bronze")
    killed = check_killed(by_hand, run, mailbox)
    check_recorded(by_hand, killed, f"FAILED: {killed['ErrorMessage']}", before)
    assert record_again(by_hand, killed) == "there already"


def check_killed(deployed: Deployed, run: Run, mailbox: Mailbox) -> dict[str, Any]:
    """The process of the next run is killed as it begins, and that is told; the run."""
    killer = threading.Thread(target=lambda: os.killpg(wait_for("a job", lambda: process_id(deployed)), signal.SIGKILL))
    killer.start()
    code, printed = run(run_pipeline, "--pipeline", "movies")
    killer.join()
    killed = check_failed(deployed, mailbox, "the script ended with signal 9 and said nothing")
    assert code == 1
    assert f"error: job {killed['JobName']} failed: {killed['ErrorMessage']}" in printed
    return killed


def test_a_job_that_takes_too_long(by_hand: Deployed, run: Run, mailbox: Mailbox, tmp_path: Path) -> None:
    """The run after it heals what the failures before have left, too."""
    # A part of a minute: the API takes whole ones only, and boto3 sees to that.
    loose = Config(parameter_validation=False)
    glue = boto3.client("glue", region_name=by_hand.lake.outputs["region"], config=loose)
    trigger = glue.get_trigger(Name=f"{by_hand.lake.named('workflows', 'movies')}-silver")["Trigger"]
    usual = {name: trigger[name] for name in ("Description", "Actions", "Predicate")}
    land(by_hand)
    before = records(by_hand, "silver")
    hasty = {**usual, "Actions": [{**action, "Timeout": 0.02} for action in usual["Actions"]]}
    glue.update_trigger(Name=trigger["Name"], TriggerUpdate=hasty)
    code, printed = run(run_pipeline, "--pipeline", "movies")
    glue.update_trigger(Name=trigger["Name"], TriggerUpdate=usual)
    assert attempts(by_hand) == [("bronze", "SUCCEEDED"), ("silver", "TIMEOUT")]
    assert counts(by_hand) == {"TotalActions": 2, "SucceededActions": 1, "TimeoutActions": 1}
    silver = newest_runs(by_hand)[-1]
    (message,) = mailbox.read(1)
    check_message(message, silver, "Job run timed out")
    assert code == 1
    assert f"error: job {silver['JobName']} timeout: it took over 0.02 min" in printed
    check_told(run, silver, "it took over 0.02 min")
    check_recorded(by_hand, silver, "TIMEOUT: Job run timed out", before)  # it was killed, and couldn't
    check_healed(by_hand, run, tmp_path)


def test_a_function_that_fails_when_called(by_hand: Deployed, run: Run) -> None:
    # The day has landed with other settings than the environment's own.
    code, printed = run(backfill, "--start", FIRST.isoformat(), "--days", "1")
    function, file = by_hand.lake.named("functions", "generate_movies"), f"{by_hand.bucket('raw')}/{key_of(FIRST)}"
    event = {"date": FIRST.isoformat()}
    assert code == 1
    assert printed.startswith(f"error: {function} failed for {event}: ")
    assert printed.endswith(f": s3://{file} is there with other bytes; it was left")
    later = date(2026, 12, 30)
    code, printed = run(backfill, "--start", later.isoformat(), "--days", "1")
    assert code == 0
    assert printed.startswith(f"{key_of(later)} written, ")


def test_a_function_that_fails_by_its_schedule(by_hand: Deployed, mailbox: Mailbox) -> None:
    function, cloudwatch = by_hand.lake.named("functions", "generate_movies"), by_hand.client("cloudwatch")
    functions = ("generate_movies", "check_gold", "events-start_layers", "record_failed_run", "retail-start_runs")
    alarms = [f"{by_hand.lake.named('functions', name)}-errors" for name in functions]
    early, later = date(2026, 10, 31), date(2026, 12, 31)
    fire.fire(by_hand.cloud, function, f"{early}T02:00:00Z")
    failed = json.loads(mailbox.read(1)[0])
    assert failed["requestContext"]["functionArn"].endswith(f":function:{function}")
    assert failed["requestContext"]["condition"] == "RetriesExhausted"
    assert failed["requestPayload"] == {"time": f"{early}T02:00:00Z"}
    assert failed["responsePayload"]["errorMessage"] == (
        "day must be from first_day, 2026-11-01, to 2100-12-31, not 2026-10-31"
    )
    # The laptop cloud counts the failures of calls that wait alone, takes those of all functions together, and looks at
    # its alarms whenever a metric is put; AWS does by itself, every minute.
    for alarm in alarms:
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="a test begins")
    with pytest.raises(backfill.InvocationError, match="day must be from first_day"):
        backfill.invoke(by_hand.client("lambda"), function, {"date": early.isoformat()})

    def are_raised() -> bool:
        cloudwatch.put_metric_data(Namespace="Tests", MetricData=[{"MetricName": "looks", "Value": 1}])
        found = cloudwatch.describe_alarms(AlarmNames=alarms)["MetricAlarms"]
        return [each["StateValue"] for each in found] == ["ALARM"] * len(alarms)

    wait_for("the alarms", are_raised)
    told = {message["AlarmName"]: message for message in map(json.loads, mailbox.read(len(alarms)))}
    assert {name: message["NewStateValue"] for name, message in told.items()} == dict.fromkeys(alarms, "ALARM")
    assert told[alarms[0]]["AlarmDescription"].startswith(f"The function {function} failed.")
    assert f"/aws/lambda/{function}" in told[alarms[0]]["AlarmDescription"]
    fire.fire(by_hand.cloud, function, f"{later}T02:00:00Z")
    wait_for("the file of a later day", lambda: key_of(later) in by_hand.objects("raw", "raw/movies/"))
