"""State machines that start Glue jobs and Athena queries, and wait for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local_cloud import control
from tests.local_cloud.glue_resources import FAILS, LASTS, Clients, make_job, make_role, wait_for

GLUE = "arn:aws:states:::glue:startJobRun"
ATHENA = "arn:aws:states:::athena:startQueryExecution"
INVOKE = "arn:aws:states:::lambda:invoke"
PUBLISH = "arn:aws:states:::sns:publish"
START = {"Effect": "Allow", "Action": "glue:StartJobRun", "Resource": "*"}
FOLLOW = {"Effect": "Allow", "Action": ["glue:GetJobRun", "glue:BatchStopJobRun"], "Resource": "*"}
QUERY = {"Effect": "Allow", "Action": ["athena:*", "s3:*", "glue:Get*"], "Resource": "*"}


def task(resource: str, parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A state that ends its state machine."""
    return {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True, **more}


def start(client: Clients, name: str, states: dict[str, Any], *rights: dict[str, Any]) -> str:
    """Starts a state machine that begins with the state `run`; the ARN of its execution."""
    role = make_role(client, name, "states.amazonaws.com", *(rights or (START, FOLLOW)))
    definition = json.dumps({"StartAt": "run", "States": states})
    machine = client("stepfunctions").create_state_machine(name=name, definition=definition, roleArn=role)
    return str(client("stepfunctions").start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"])


def ended(client: Clients, execution: str) -> dict[str, Any]:
    """The execution once it has ended; its output and cause are read."""

    def shown() -> dict[str, Any] | None:
        found: dict[str, Any] = client("stepfunctions").describe_execution(executionArn=execution)
        return found if found["status"] != "RUNNING" else None

    found = wait_for("the end of the execution", shown)
    return {"status": found["status"], "error": found.get("error"), "cause": found.get("cause"), **_output(found)}


def _output(found: dict[str, Any]) -> dict[str, Any]:
    return {"output": json.loads(found["output"])} if found["status"] == "SUCCEEDED" else {}


def runs(client: Clients, job: str) -> list[dict[str, Any]]:
    """The runs of a job, latest first."""
    return list(client("glue").get_job_runs(JobName=job)["JobRuns"])


def test_sync_waits_and_returns_the_run(client: Clients) -> None:
    job = make_job(client, "state-good")
    parameters = {"JobName": job, "Arguments": {"--day": "3"}}
    found = ended(client, start(client, "state-good", {"run": task(f"{GLUE}.sync", parameters)}))
    (run,) = runs(client, job)
    expected = {"Id": run["Id"], "JobName": job, "JobRunState": "SUCCEEDED", "Arguments": {"--day": "3"}, "Attempt": 0}
    assert found["status"] == "SUCCEEDED"
    assert {name: found["output"][name] for name in expected} == expected
    assert found["output"]["CompletedOn"] == round(run["CompletedOn"].timestamp() * 1000)


def test_without_sync_a_state_only_starts_the_run(client: Clients) -> None:
    job = make_job(client, "state-quick", LASTS)
    found = ended(client, start(client, "state-quick", {"run": task(GLUE, {"JobName": job})}))
    (run,) = runs(client, job)
    assert found["output"] == {"JobRunId": run["Id"]}
    assert run["JobRunState"] in ("STARTING", "RUNNING")
    client("glue").batch_stop_job_run(JobName=job, JobRunIds=[run["Id"]])


def test_a_failed_run_fails_the_task_with_the_run_as_its_cause(client: Clients) -> None:
    job = make_job(client, "state-bad", FAILS)
    found = ended(client, start(client, "state-bad", {"run": task(f"{GLUE}.sync", {"JobName": job})}))
    assert (found["status"], found["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(found["cause"])
    assert (cause["JobRunState"], cause["ErrorMessage"]) == ("FAILED", "ValueError: no such film")


def test_retry_starts_another_run_and_catch_goes_on(client: Clients) -> None:
    job = make_job(client, "state-caught", FAILS)
    retry = [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 0, "MaxAttempts": 1}]
    catch = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "after"}]
    states = {
        "run": task(f"{GLUE}.sync", {"JobName": job}, Retry=retry, Catch=catch),
        "after": {"Type": "Pass", "End": True},
    }
    found = ended(client, start(client, "state-caught", states))
    assert (found["status"], found["output"]["error"]["Error"]) == ("SUCCEEDED", "States.TaskFailed")
    assert len(runs(client, job)) == 2


@pytest.mark.parametrize(
    ("job", "error"),
    [("state-full", "Glue.ConcurrentRunsExceededException"), ("state-none", "Glue.EntityNotFoundException")],
)
def test_a_run_that_can_not_start_has_glues_error(client: Clients, job: str, error: str) -> None:
    glue, started = client("glue"), []
    if job == "state-full":
        started = [glue.start_job_run(JobName=make_job(client, job, LASTS))["JobRunId"]]
    catch = [{"ErrorEquals": [error], "Next": "after"}]
    states = {
        "run": task(f"{GLUE}.sync", {"JobName": job}, Catch=catch),
        "after": {"Type": "Pass", "Result": "caught", "End": True},
    }
    assert ended(client, start(client, job, states))["output"] == "caught"
    if started:
        glue.batch_stop_job_run(JobName=job, JobRunIds=started)


def test_what_the_role_does_not_allow_fails(client: Clients) -> None:
    job = make_job(client, "state-denied")
    states = {"run": task(f"{GLUE}.sync", {"JobName": job})}
    found = ended(client, start(client, "state-denied", states, FOLLOW))
    assert found["error"] == "Glue.AccessDeniedException"
    assert "glue:StartJobRun" in found["cause"]
    assert runs(client, job) == []


def test_a_task_that_takes_too_long_stops_its_run(client: Clients) -> None:
    job = make_job(client, "state-slow", LASTS)
    states = {"run": task(f"{GLUE}.sync", {"JobName": job}, TimeoutSeconds=1)}
    found = ended(client, start(client, "state-slow", states))
    assert (found["status"], found["error"]) == ("FAILED", "States.Timeout")
    wait_for("the run's stop", lambda: runs(client, job)[0]["JobRunState"] == "STOPPED")


def test_stopping_an_execution_stops_its_run_for_good(client: Clients) -> None:
    machines, job = client("stepfunctions"), make_job(client, "state-stopped", LASTS)
    again = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 0, "MaxAttempts": 3}]
    execution = start(client, "state-stopped", {"run": task(f"{GLUE}.sync", {"JobName": job}, Retry=again)})
    wait_for("the run", lambda: runs(client, job))
    machines.stop_execution(executionArn=execution)
    wait_for("the run's stop", lambda: [run["JobRunState"] for run in runs(client, job)] == ["STOPPED"])
    assert machines.describe_execution(executionArn=execution)["status"] == "ABORTED"
    history = machines.get_execution_history(executionArn=execution)["events"]
    assert history[-1]["type"] == "ExecutionAborted"


def test_a_state_that_is_tried_alone_starts_nothing(cloud: control.Cloud, client: Clients) -> None:
    job = make_job(client, "state-tried")
    role = make_role(client, "state-tried", "states.amazonaws.com", START, FOLLOW)
    definition = json.dumps(task(f"{GLUE}.sync", {"JobName": job}))
    # boto3 would ask the host sync-127.0.0.1, which is none.
    direct = Config(inject_host_prefix=False, proxies={})
    keys = {name.lower(): value for name, value in cloud.environment().items() if "KEY" in name}
    machines = boto3.client("stepfunctions", control.REGION, endpoint_url=cloud.endpoint, config=direct, **keys)
    found = machines.test_state(definition=definition, roleArn=role)
    assert (found["status"], found["error"]) == ("FAILED", "States.Runtime")
    assert found["cause"] == f"{GLUE}.sync works in executions, not in TestState"
    assert runs(client, job) == []


def test_a_query_is_waited_for(client: Clients) -> None:
    client("s3").create_bucket(Bucket="state-queries")
    place = {"ResultConfiguration": {"OutputLocation": "s3://state-queries/results/"}}
    states = {"run": task(f"{ATHENA}.sync", {"QueryString": "SELECT 1 AS one", **place})}
    query = ended(client, start(client, "state-query", states, QUERY))["output"]["QueryExecution"]
    assert query["Status"]["State"] == "SUCCEEDED"
    rows = client("athena").get_query_results(QueryExecutionId=query["QueryExecutionId"])["ResultSet"]["Rows"]
    assert rows[1] == {"Data": [{"VarCharValue": "1"}]}


def test_a_query_that_fails_fails_the_task(client: Clients) -> None:
    client("s3").create_bucket(Bucket="state-queries")
    place = {"ResultConfiguration": {"OutputLocation": "s3://state-queries/results/"}}
    states = {"run": task(f"{ATHENA}.sync", {"QueryString": "SELECT nothing FROM nowhere", **place})}
    found = ended(client, start(client, "state-wrong", states, QUERY))
    assert (found["status"], found["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(found["cause"])["QueryExecution"]["Status"]["State"] == "FAILED"


def test_without_sync_a_state_only_starts_the_query(client: Clients) -> None:
    client("s3").create_bucket(Bucket="state-queries")
    place = {"ResultConfiguration": {"OutputLocation": "s3://state-queries/results/"}}
    states = {"run": task(ATHENA, {"QueryString": "SELECT 1", **place})}
    found = ended(client, start(client, "state-asked", states, QUERY))
    assert list(found["output"]) == ["QueryExecutionId"]


def make_function(client: Clients, zipped: Callable[[str], bytes], name: str, code: str) -> str:
    """Makes a function from its code; its ARN."""
    role = make_role(client, f"{name}-function", "lambda.amazonaws.com")
    functions = client("lambda")
    found = functions.create_function(
        FunctionName=name, Role=role, Runtime="python3.13", Handler="f.handler", Code={"ZipFile": zipped(code)}
    )
    return str(found["FunctionArn"])


def test_a_function_is_called_with_the_role_of_the_state_machine(
    client: Clients, zipped: Callable[[str], bytes]
) -> None:
    function = make_function(client, zipped, "state-calls", "def handler(event, context): return {'got': event}")
    states = {"run": task(INVOKE, {"FunctionName": function, "Payload": {"day": 3}}, TimeoutSeconds=60)}
    call = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function}
    found = ended(client, start(client, "state-calls", states, call))
    assert found["output"]["Payload"] == {"got": {"day": 3}}
    refused = ended(client, start(client, "state-may-not-call", states, START))
    assert refused["error"] == "Lambda.AccessDeniedException"
    assert "lambda:InvokeFunction" in refused["cause"]


def test_what_a_function_raises_is_the_error_of_its_task(client: Clients, zipped: Callable[[str], bytes]) -> None:
    function = make_function(client, zipped, "state-raises", "def handler(event, context): raise KeyError('film')")
    call = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function}
    found = ended(client, start(client, "state-raises", {"run": task(INVOKE, {"FunctionName": function})}, call))
    # MiniStack calls all errors of a function so; AWS names their class.
    assert (found["status"], found["error"]) == ("FAILED", "Runtime.HandlerError")
    assert json.loads(found["cause"])["errorMessage"] == "'film'"


def test_a_message_is_published_with_the_role_of_the_state_machine(client: Clients) -> None:
    topic = client("sns").create_topic(Name="state-tells")["TopicArn"]
    states = {"run": task(PUBLISH, {"TopicArn": topic, "Message": "done"})}
    tell = {"Effect": "Allow", "Action": "sns:Publish", "Resource": topic}
    assert list(ended(client, start(client, "state-tells", states, tell))["output"]) == ["MessageId"]
    refused = ended(client, start(client, "state-may-not-tell", states, START))
    assert refused["error"].startswith("Sns.Auth")
    assert "sns:Publish" in refused["cause"]
