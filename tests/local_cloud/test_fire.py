"""Firing by name what would otherwise wait for its time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from local_cloud import control
from local_cloud.fire import fire
from tests.local_cloud.glue_resources import Clients, ended_run, make_job, make_role, make_workflow, starts, wait_for

MOMENT = "2026-11-02T02:00:00Z"
ONCE_A_YEAR = "cron(0 2 1 1 ? *)"


@pytest.fixture
def queue(client: Clients, request: pytest.FixtureRequest) -> tuple[str, Callable[[], dict[str, Any]]]:
    """The ARN of a queue of the test's own, and what waits for its next message."""
    sqs = client("sqs")
    url = sqs.create_queue(QueueName=request.node.name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    receive = lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages")  # noqa: E731
    return arn, lambda: dict(json.loads(wait_for("the message", receive)[0]["Body"]))


def make_schedule(client: Clients, name: str, queue: str, **target: str) -> None:
    """Makes a schedule that is off and whose target is a queue."""
    send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}
    role = make_role(client, name, "scheduler.amazonaws.com", send)
    client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression=ONCE_A_YEAR,
        FlexibleTimeWindow={"Mode": "OFF"},
        State="DISABLED",
        Target={"Arn": queue, "RoleArn": role, **target},
    )


def test_fires_a_rule_at_a_given_time(
    client: Clients, cloud: control.Cloud, queue: tuple[str, Callable[[], dict[str, Any]]]
) -> None:
    events, (arn, message) = client("events"), queue
    rule = events.put_rule(Name="fired-rule", ScheduleExpression=ONCE_A_YEAR)["RuleArn"]
    events.put_targets(Rule="fired-rule", Targets=[{"Id": "queue", "Arn": arn}])
    assert fire(cloud, "fired-rule", MOMENT) == {"Kind": "rule", "Name": "fired-rule", "Targets": [arn]}
    event = message()
    assert (event["time"], event["source"], event["resources"]) == (MOMENT, "aws.events", [rule])


def test_fires_a_schedule_that_is_off_at_a_given_time(
    client: Clients, cloud: control.Cloud, queue: tuple[str, Callable[[], dict[str, Any]]]
) -> None:
    make_schedule(client, "fired-schedule", queue[0])
    assert fire(cloud, "fired-schedule", MOMENT)["Kind"] == "schedule"
    event = queue[1]()
    assert (event["time"], event["source"], event["detail-type"]) == (MOMENT, "aws.scheduler", "Scheduled Event")


def test_the_keywords_in_a_schedules_input_are_replaced(
    client: Clients, cloud: control.Cloud, queue: tuple[str, Callable[[], dict[str, Any]]]
) -> None:
    words = ("scheduled-time", "schedule-arn", "execution-id", "attempt-number")
    make_schedule(
        client, "fired-input", queue[0], Input=json.dumps({word: f"<aws.scheduler.{word}>" for word in words})
    )
    fire(cloud, "fired-input", MOMENT)
    event, arn = queue[1](), client("scheduler").get_schedule(Name="fired-input")["Arn"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", event.pop("execution-id"))
    assert event == {"scheduled-time": MOMENT, "schedule-arn": arn, "attempt-number": "1"}


@pytest.mark.parametrize("kind", ["SCHEDULED", "ON_DEMAND"])
def test_fires_the_start_trigger_of_a_workflow(client: Clients, cloud: control.Cloud, kind: str) -> None:
    glue, name = client("glue"), f"fired-{kind.lower()}"
    schedule = {"Schedule": ONCE_A_YEAR} if kind == "SCHEDULED" else {}
    make_workflow(client, name, {"Type": kind, **schedule, **starts(make_job(client, f"{name}-job"))})
    fired = fire(cloud, f"{name}-start")
    assert fired["Targets"] == [f"arn:aws:glue:{glue.meta.region_name}:000000000000:workflow/{name}"]
    (run,) = glue.get_workflow_runs(Name=name)["Runs"]
    assert ended_run(client, name, run["WorkflowRunId"])["Statistics"]["SucceededActions"] == 1


def test_fires_a_trigger_outside_a_workflow(client: Clients, cloud: control.Cloud) -> None:
    glue, job = client("glue"), make_job(client, "fired-alone")
    glue.create_trigger(Name="fired-alone", Type="SCHEDULED", Schedule=ONCE_A_YEAR, **starts(job))
    assert fire(cloud, "fired-alone")["Kind"] == "Glue trigger"
    assert len(glue.get_job_runs(JobName=job)["JobRuns"]) == 1


def test_an_unknown_name_lists_what_can_be_fired(client: Clients, cloud: control.Cloud) -> None:
    client("events").put_rule(Name="listed-rule", ScheduleExpression=ONCE_A_YEAR)
    client("events").put_rule(Name="listed-pattern", EventPattern='{"source": ["x"]}')
    with pytest.raises(control.CloudError, match=r"nothing to fire named no-such.*listed-rule \(rule\)") as refused:
        fire(cloud, "no-such")
    assert "listed-pattern" not in str(refused.value)


@pytest.mark.parametrize("time", ["tomorrow", "2026-11-02T02:00:00"])
def test_a_time_that_is_none_is_refused(client: Clients, cloud: control.Cloud, time: str) -> None:
    client("events").put_rule(Name="early-rule", ScheduleExpression=ONCE_A_YEAR)
    with pytest.raises(control.CloudError, match=f"as 2026-11-02T02:00:00Z.*not {time}"):
        fire(cloud, "early-rule", time)


def test_a_trigger_can_not_be_given_a_time(client: Clients, cloud: control.Cloud) -> None:
    client("glue").create_trigger(Name="early-trigger", Type="ON_DEMAND", **starts("a"))
    with pytest.raises(control.CloudError, match="early-trigger is a Glue trigger"):
        fire(cloud, "early-trigger", MOMENT)


def test_who_is_not_root_can_not_fire(client: Clients, cloud: control.Cloud) -> None:
    client("events").put_rule(Name="guarded", ScheduleExpression=ONCE_A_YEAR)
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    role = make_role(client, "almighty", "lambda.amazonaws.com", everything)
    keys = client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AWSEvents.FireNow"}
    request = AWSRequest("POST", f"{cloud.endpoint}/", headers=headers, data='{"name": "guarded"}')
    assert _refusal(request)["__type"] == "MissingAuthenticationTokenException"
    credentials = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    SigV4Auth(credentials, "events", control.REGION).add_auth(request)
    assert _refusal(request)["message"] == "Only the cloud's root may call FireNow"


def _refusal(request: AWSRequest) -> dict[str, Any]:
    """What a request that is refused is told."""
    response = URLLib3Session().send(request.prepare())
    assert response.status_code in (400, 403)
    return dict(json.loads(response.content))


def test_the_command_says_what_it_fired(client: Clients, cloud: control.Cloud) -> None:
    client("events").put_rule(Name="said-rule", ScheduleExpression=ONCE_A_YEAR)
    command = [sys.executable, str(Path(control.__file__).parent), "fire", "--folder", str(cloud.folder)]
    fired = subprocess.run([*command, "said-rule", "--time", MOMENT], capture_output=True, text=True, check=False)
    assert (fired.returncode, fired.stdout) == (0, "fired the rule said-rule: it has no targets\n")
    unknown = subprocess.run([*command, "no-such"], capture_output=True, text=True, check=False)
    assert unknown.returncode == 1
    assert unknown.stderr.startswith("error: can't fire no-such: there is nothing to fire named no-such; what can be")
