"""Glue's runs as on AWS: what a script gets, and the states of a run from its start to its end."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import boto3
import psutil
import pytest
from botocore.config import Config

from local_cloud import control
from tests.local_cloud.glue_resources import FAILS, LASTS, SCRIPTS, make_job, make_role, wait_for

Clients = Callable[[str], Any]

SHOWS = "import json, os, sys\nprint(json.dumps([sys.argv[1:], sorted(os.environ)]))"
# Has a process of its own, says both numbers, and both run until they are stopped.
HAS_A_CHILD = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
print(os.getpid(), child.pid)
time.sleep(300)
"""
FINAL = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")


def run_of(client: Clients, job: str, run_id: str, *states: str) -> dict[str, Any]:
    """A run once it is in one of these states; final ones by default."""

    def reached() -> dict[str, Any] | None:
        run: dict[str, Any] = client("glue").get_job_run(JobName=job, RunId=run_id)["JobRun"]
        assert run["JobRunState"] not in FINAL or not states or run["JobRunState"] in states, run
        return run if run["JobRunState"] in (states or FINAL) else None

    return wait_for(f"{' or '.join(states) or 'the end'} of run {run_id} of {job}", reached)


def start(client: Clients, job: str, **settings: Any) -> str:
    """Starts a run; returns its id."""
    return str(client("glue").start_job_run(JobName=job, **settings)["JobRunId"])


def ended(client: Clients, job: str, **settings: Any) -> dict[str, Any]:
    """A new run of a job once it has ended."""
    return run_of(client, job, start(client, job, **settings))


def log(client: Clients, run: dict[str, Any], name: str, prefix: str = "/aws-glue/jobs") -> list[str]:
    """What a run has written to one of its two logs so far."""
    logs = client("logs")
    try:
        found = logs.get_log_events(logGroupName=f"{prefix}/{name}", logStreamName=run["Id"], startFromHead=True)
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [event["message"] for event in found["events"]]


def test_a_script_gets_its_arguments_and_a_clean_environment(client: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = {"--layer": "bronze", "--lake": "s3://default", "--mode": "run"}
    fixed = {"--lake": "s3://lake"}
    make_job(client, "jobs-arguments", SHOWS, DefaultArguments=defaults, NonOverridableArguments=fixed)
    run = ended(client, "jobs-arguments", Arguments={"--mode": "repair", "--lake": "s3://mine"})
    assert (run["JobRunState"], run.get("ErrorMessage")) == ("SUCCEEDED", None)
    assert run["Arguments"] == {"--mode": "repair", "--lake": "s3://mine"}
    (line,) = log(client, run, "output")
    arguments, variables = json.loads(line)
    assert arguments == [
        *("--JOB_NAME", "jobs-arguments", "--JOB_RUN_ID", run["Id"]),
        *("--layer", "bronze", "--lake", "s3://lake", "--mode", "repair"),
    ]
    assert not [name for name in variables if name.startswith(("OAKVALE", "GATEWAY", "MINISTACK", "AUTH"))]
    assert {"AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION"} < set(variables)


def test_a_script_is_its_role_and_finds_its_libraries(client: Clients) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("films.py", "TITLE = 'The Third Man'")
    script = "import boto3, films\nprint(films.TITLE, boto3.client('sts').get_caller_identity()['Arn'])"
    make_job(client, "jobs-role", script, DefaultArguments={"--extra-py-files": f"s3://{SCRIPTS}/films.zip"})
    client("s3").put_object(Bucket=SCRIPTS, Key="films.zip", Body=content.getvalue())
    run = ended(client, "jobs-role")
    assert run["JobRunState"] == "SUCCEEDED", run
    assert log(client, run, "output") == [
        f"The Third Man arn:aws:sts::000000000000:assumed-role/test-jobs/{run['Id']}",
    ]


def test_a_failed_run_says_why_and_keeps_its_log(client: Clients) -> None:
    make_job(client, "jobs-fails", FAILS, DefaultArguments={"--custom-logGroup-prefix": "/jobs/fails"})
    run = ended(client, "jobs-fails")
    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", "ValueError: no such film")
    assert run["LogGroupName"] == "/jobs/fails"
    assert log(client, run, "error", "/jobs/fails")[-1] == "ValueError: no such film"
    assert run["StartedOn"] <= run["CompletedOn"]


def test_a_missing_script_is_a_failed_run(client: Clients) -> None:
    make_job(client, "jobs-missing")
    client("s3").delete_object(Bucket=SCRIPTS, Key="jobs-missing.py")
    run = ended(client, "jobs-missing")
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"].startswith(f"s3://{SCRIPTS}/jobs-missing.py can't be read: ")
    assert "404" in run["ErrorMessage"]


def test_a_script_that_the_role_may_not_read_is_a_failed_run(client: Clients) -> None:
    role = make_role(client, "jobs-poor", "glue.amazonaws.com")
    make_job(client, "jobs-forbidden")
    command = client("glue").get_job(JobName="jobs-forbidden")["Job"]["Command"]
    client("glue").update_job(JobName="jobs-forbidden", JobUpdate={"Role": role, "Command": command})
    run = ended(client, "jobs-forbidden")
    assert run["JobRunState"] == "FAILED"
    assert "403" in run["ErrorMessage"]


def test_a_role_that_does_not_exist_is_a_failed_run(client: Clients) -> None:
    make_job(client, "jobs-roleless")
    command = client("glue").get_job(JobName="jobs-roleless")["Job"]["Command"]
    client("glue").update_job(JobName="jobs-roleless", JobUpdate={"Role": "nobody", "Command": command})
    run = ended(client, "jobs-roleless")
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"].startswith("role nobody doesn't exist")


def test_a_stopped_run_leaves_no_process_and_its_log_is_written_as_it_goes(client: Clients) -> None:
    make_job(client, "jobs-stop", HAS_A_CHILD)
    run = run_of(client, "jobs-stop", start(client, "jobs-stop"), "RUNNING")
    (line,) = wait_for("the log of a running job", lambda: log(client, run, "output"))
    processes = [psutil.Process(int(number)) for number in line.split()]
    answer = client("glue").batch_stop_job_run(JobName="jobs-stop", JobRunIds=[run["Id"]])
    assert answer["SuccessfulSubmissions"] == [{"JobName": "jobs-stop", "JobRunId": run["Id"]}]
    run_of(client, "jobs-stop", run["Id"], "STOPPED")
    assert [process for process in processes if process.is_running() and process.status() != "zombie"] == []
    again = client("glue").batch_stop_job_run(JobName="jobs-stop", JobRunIds=[run["Id"], "jr_unknown"])["Errors"]
    assert [error["ErrorDetail"]["ErrorCode"] for error in again] == [
        "InvalidInputException",
        "EntityNotFoundException",
    ]


def test_a_run_that_takes_too_long_is_ended_and_not_tried_again(client: Clients, cloud: control.Cloud) -> None:
    make_job(client, "jobs-timeout", LASTS, MaxRetries=2)
    # A part of a minute: the API takes whole ones only, and boto3 sees to that.
    loose = boto3.client(
        "glue",
        endpoint_url=cloud.endpoint,
        region_name=control.REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(parameter_validation=False),
    )
    run = run_of(client, "jobs-timeout", loose.start_job_run(JobName="jobs-timeout", Timeout=0.01)["JobRunId"])
    assert run["JobRunState"] == "TIMEOUT"
    assert [each["Id"] for each in client("glue").get_job_runs(JobName="jobs-timeout")["JobRuns"]] == [run["Id"]]


def test_a_second_run_is_refused_where_one_may_run(client: Clients) -> None:
    glue = client("glue")
    make_job(client, "jobs-one", LASTS)
    first = start(client, "jobs-one")
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException, match="Concurrent runs exceeded for jobs-one"):
        start(client, "jobs-one")
    glue.batch_stop_job_run(JobName="jobs-one", JobRunIds=[first])
    run_of(client, "jobs-one", first, "STOPPED")
    glue.batch_stop_job_run(JobName="jobs-one", JobRunIds=[start(client, "jobs-one")])


def test_runs_wait_for_their_turn_where_they_may_queue(client: Clients) -> None:
    glue = client("glue")
    make_job(client, "jobs-queue", LASTS, JobRunQueuingEnabled=True)
    first = run_of(client, "jobs-queue", start(client, "jobs-queue"), "RUNNING")["Id"]
    second, third = start(client, "jobs-queue"), start(client, "jobs-queue")
    run_of(client, "jobs-queue", second, "WAITING")
    glue.batch_stop_job_run(JobName="jobs-queue", JobRunIds=[third])
    run_of(client, "jobs-queue", third, "STOPPED")
    run_of(client, "jobs-queue", second, "WAITING")
    glue.batch_stop_job_run(JobName="jobs-queue", JobRunIds=[first])
    run_of(client, "jobs-queue", second, "RUNNING")
    glue.batch_stop_job_run(JobName="jobs-queue", JobRunIds=[second])


def test_a_failed_run_is_tried_again(client: Clients) -> None:
    make_job(client, "jobs-retry", FAILS, MaxRetries=1)
    first = ended(client, "jobs-retry")["Id"]
    second = run_of(client, "jobs-retry", f"{first}_attempt_1", "FAILED")
    assert (second["Attempt"], second["PreviousRunId"]) == (1, first)
    page = client("glue").get_job_runs(JobName="jobs-retry", MaxResults=1)
    assert [run["Id"] for run in page["JobRuns"]] == [second["Id"]]
    rest = client("glue").get_job_runs(JobName="jobs-retry", NextToken=page["NextToken"])
    assert [run["Id"] for run in rest["JobRuns"]] == [first]


def test_processing_units_are_metered_with_auto_scaling_only(client: Clients) -> None:
    make_job(client, "jobs-metered", WorkerType="G.1X", NumberOfWorkers=2)
    assert "DPUSeconds" not in ended(client, "jobs-metered")
    assert ended(client, "jobs-metered", Arguments={"--enable-auto-scaling": "true"})["DPUSeconds"] > 0


@pytest.mark.parametrize(
    ("name", "script", "severity", "state", "message"),
    [
        ("good", "", "INFO", "SUCCEEDED", "Job run succeeded"),
        ("bad", FAILS, "ERROR", "FAILED", "failed to execute with exception ValueError: no such film"),
        ("ended", LASTS, "INFO", "STOPPED", "Job run stopped"),
    ],
)
def test_the_end_of_a_run_is_an_event(
    client: Clients, name: str, script: str, severity: str, state: str, message: str
) -> None:
    job = make_job(client, f"jobs-event-{name}", script)
    queue = client("sqs").create_queue(QueueName=job)["QueueUrl"]
    pattern = {"source": ["aws.glue"], "detail-type": ["Glue Job State Change"], "detail": {"jobName": [job]}}
    client("events").put_rule(Name=job, EventPattern=json.dumps(pattern))
    arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client("events").put_targets(Rule=job, Targets=[{"Id": "queue", "Arn": arn}])
    run_id = start(client, job)
    if state == "STOPPED":
        run_of(client, job, run_id, "RUNNING")
        client("glue").batch_stop_job_run(JobName=job, JobRunIds=[run_id])
    (received,) = wait_for("the event", lambda: client("sqs").receive_message(QueueUrl=queue).get("Messages"))
    detail = json.loads(received["Body"])["detail"]
    assert detail.pop("message").endswith(message)
    assert detail == {"jobName": job, "jobRunId": run_id, "severity": severity, "state": state}


def test_an_unknown_run_is_an_error_of_aws(client: Clients) -> None:
    make_job(client, "jobs-known")
    with pytest.raises(client("glue").exceptions.EntityNotFoundException, match="jr_unknown"):
        client("glue").get_job_run(JobName="jobs-known", RunId="jr_unknown")
