"""Events end to end: from what causes them to the workflow, function or message that they lead to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.local_cloud.glue_resources import (
    FAILS,
    LASTS,
    Clients,
    ended_run,
    make_job,
    make_role,
    make_workflow,
    starts,
    wait_for,
)

NOTIFY = {"Effect": "Allow", "Action": "glue:NotifyEvent", "Resource": "*"}


def make_event_workflow(
    client: Clients, name: str, job: str, batching: dict[str, int] | None = None, **more: Any
) -> str:
    """Makes a workflow that events of the source `name` start."""
    start: dict[str, Any] = {"Type": "EVENT", **starts(job)}
    if batching:
        start["EventBatchingCondition"] = batching
    make_workflow(client, name, start, **more)
    send_to_workflow(client, name, {"source": [name]})
    return name


def send_to_workflow(client: Clients, name: str, pattern: dict[str, Any], role: str | None = None) -> None:
    """Makes the rule that hands events of a pattern to the workflow of this name."""
    events = client("events")
    role = role or make_role(client, "test-notify", "events.amazonaws.com", NOTIFY)
    arn = f"arn:aws:glue:{events.meta.region_name}:000000000000:workflow/{name}"
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "workflow", "Arn": arn, "RoleArn": role}])


def put_events(client: Clients, source: str, count: int = 1) -> list[str]:
    """Puts events of a source on the default bus, all in one call; their ids."""
    entry = {"Source": source, "DetailType": "test", "Detail": "{}"}
    return [sent["EventId"] for sent in client("events").put_events(Entries=[entry] * count)["Entries"]]


def runs(client: Clients, workflow: str, count: int) -> list[dict[str, Any]]:
    """The runs of a workflow, oldest first, once there are so many."""
    glue = client("glue")

    def enough() -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = glue.get_workflow_runs(Name=workflow)["Runs"]
        return found[::-1] if len(found) >= count else None

    return wait_for(f"{count} runs of {workflow}", enough)


def event_ids(run: dict[str, Any]) -> list[str]:
    """The events that a run is about."""
    return list(run["WorkflowRunProperties"]["aws:eventIds"].strip("[]").split(", "))


def test_an_object_that_lands_starts_the_workflow(client: Clients) -> None:
    s3, job = client("s3"), make_job(client, "landed-job")
    make_event_workflow(client, "landed", job)
    s3.create_bucket(Bucket="landed-raw")
    s3.put_bucket_notification_configuration(
        Bucket="landed-raw", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    detail = {"bucket": {"name": ["landed-raw"]}, "object": {"key": [{"prefix": "raw/movies/"}]}}
    send_to_workflow(client, "landed", {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail})
    s3.put_object(Bucket="landed-raw", Key="raw/others/1.json", Body=b"{}")
    s3.put_object(Bucket="landed-raw", Key="raw/movies/1.json", Body=b"{}")
    (run,) = runs(client, "landed", 1)
    assert run["StartingEventBatchCondition"] == {"BatchSize": 1}
    run = ended_run(client, "landed", run["WorkflowRunId"])
    assert (run["Status"], run["Statistics"]["SucceededActions"]) == ("COMPLETED", 1)
    assert len(event_ids(run)) == 1
    assert len(runs(client, "landed", 1)) == 1


def test_events_are_gathered_until_the_batch_is_full(client: Clients) -> None:
    make_event_workflow(client, "sized", make_job(client, "sized-job"), {"BatchSize": 3, "BatchWindow": 900})
    sent = put_events(client, "sized", 7)
    found = runs(client, "sized", 2)
    assert [run["StartingEventBatchCondition"] for run in found] == [{"BatchSize": 3}, {"BatchSize": 3}]
    # Batches that are full at the same moment start in any order; the seventh event waits for two more.
    assert sorted(event_ids(run) for run in found) == sorted([sent[:3], sent[3:6]])


def test_the_window_that_begins_with_the_first_event_ends_a_batch(client: Clients) -> None:
    make_event_workflow(client, "timed", make_job(client, "timed-job"), {"BatchSize": 100, "BatchWindow": 2})
    sent = put_events(client, "timed", 2)
    (first,) = runs(client, "timed", 1)
    assert (event_ids(first), first["StartingEventBatchCondition"]) == (sent, {"BatchWindow": 2})
    later = put_events(client, "timed")
    assert event_ids(runs(client, "timed", 2)[1]) == later


def test_events_for_a_workflow_that_runs_as_often_as_it_may_are_an_errored_run(client: Clients) -> None:
    make_event_workflow(client, "busy", make_job(client, "busy-job", LASTS), MaxConcurrentRuns=1)
    put_events(client, "busy")
    (first,) = runs(client, "busy", 1)
    sent = put_events(client, "busy")
    second = runs(client, "busy", 2)[1]
    assert (second["Status"], event_ids(second)) == ("ERROR", sent)
    assert second["ErrorMessage"] == "Concurrent runs exceeded for workflow: busy."
    assert second["Statistics"]["TotalActions"] == 0
    client("glue").stop_workflow_run(Name="busy", RunId=first["WorkflowRunId"])
    assert ended_run(client, "busy", first["WorkflowRunId"])["Status"] == "STOPPED"


def test_a_trigger_that_is_off_takes_no_event(client: Clients) -> None:
    glue = client("glue")
    make_event_workflow(client, "deaf", make_job(client, "deaf-job"))
    glue.stop_trigger(Name="deaf-start")
    put_events(client, "deaf")
    glue.start_trigger(Name="deaf-start")
    sent = put_events(client, "deaf")
    assert [event_ids(run) for run in runs(client, "deaf", 1)] == [sent]


@pytest.mark.parametrize(
    ("service", "rights"),
    [("events.amazonaws.com", []), ("glue.amazonaws.com", [NOTIFY])],
    ids=["no right", "no trust"],
)
def test_a_rule_needs_a_role_that_may_notify_the_workflow(
    client: Clients, service: str, rights: list[dict[str, Any]]
) -> None:
    name = f"refused-{service.partition('.')[0]}"
    make_event_workflow(client, name, make_job(client, f"{name}-job"))
    refused = make_role(client, name, service, *rights)
    send_to_workflow(client, name, {"source": [name]}, refused)
    put_events(client, name)
    send_to_workflow(client, name, {"source": [name]})
    sent = put_events(client, name)
    assert [event_ids(run) for run in runs(client, name, 1)] == [sent]


def make_queue(client: Clients, name: str) -> tuple[str, Callable[[], str]]:
    """Makes a queue; returns its ARN and what waits for its next message."""
    sqs = client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    receive = lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages")  # noqa: E731
    return arn, lambda: str(wait_for(f"a message in {name}", receive)[0]["Body"])


def test_a_failed_job_is_a_message_that_a_person_understands(client: Clients) -> None:
    events, sns, job = client("events"), client("sns"), make_job(client, "told-job", FAILS)
    queue, message = make_queue(client, "told")
    topic = sns.create_topic(Name="told")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    policy = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue}
    url = client("sqs").get_queue_url(QueueName="told")["QueueUrl"]
    attributes = {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [policy]})}
    client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)
    pattern = {"source": ["aws.glue"], "detail-type": ["Glue Job State Change"]}
    events.put_rule(
        Name="told", EventPattern=json.dumps({**pattern, "detail": {"jobName": [job], "state": ["FAILED"]}})
    )
    paths = {"job": "$.detail.jobName", "state": "$.detail.state", "reason": "$.detail.message"}
    transformer = {"InputPathsMap": paths, "InputTemplate": '"Job <job> is <state>: <reason>"'}
    events.put_targets(Rule="told", Targets=[{"Id": "topic", "Arn": topic, "InputTransformer": transformer}])
    run_id = client("glue").start_job_run(JobName=job)["JobRunId"]
    said = json.loads(message())["Message"]
    reason = f"JobName:{job} and JobRunId:{run_id} failed to execute with exception ValueError: no such film"
    assert said == f'"Job {job} is FAILED: {reason}"'


def test_a_function_that_fails_on_an_event_is_tried_again_and_reported(
    client: Clients, zipped: Callable[[str], bytes]
) -> None:
    events, functions = client("events"), client("lambda")
    queue, message = make_queue(client, "unheard")
    send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}
    role = make_role(client, "unheard", "lambda.amazonaws.com", send)
    code = zipped("def handler(event, context): raise ValueError(event['detail']['film'])")
    function = functions.create_function(
        FunctionName="unheard", Role=role, Runtime="python3.13", Handler="f.handler", Code={"ZipFile": code}
    )["FunctionArn"]
    functions.put_function_event_invoke_config(
        FunctionName="unheard", MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": queue}}
    )
    events.put_rule(Name="unheard", EventPattern=json.dumps({"source": ["unheard"]}))
    events.put_targets(Rule="unheard", Targets=[{"Id": "function", "Arn": function}])
    events.put_events(Entries=[{"Source": "unheard", "DetailType": "test", "Detail": json.dumps({"film": "Alien"})}])
    said = json.loads(message())
    assert said["requestPayload"]["detail"] == {"film": "Alien"}
    assert said["responsePayload"]["errorMessage"] == "Alien"


def test_events_from_many_threads_are_all_counted(client: Clients) -> None:
    make_event_workflow(client, "crowd", make_job(client, "crowd-job"), {"BatchSize": 20, "BatchWindow": 900})
    sent: list[str] = []
    threads = [threading.Thread(target=lambda: sent.extend(put_events(client, "crowd", 5))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(event_ids(runs(client, "crowd", 1)[0])) == sorted(sent)
