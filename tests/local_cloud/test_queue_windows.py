"""A function gets the messages of a queue in batches: when one is full, or when its window is over."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.local_cloud.glue_resources import Clients, make_role, wait_for

# Writes down how many messages it got; `bad` goes back to the queue.
CODE = """
import boto3, os
def handler(event, context):
    key = event["Records"][0]["messageId"]
    bodies = [record["body"] for record in event["Records"]]
    boto3.client("s3").put_object(Bucket="window-batches", Key=f"{os.environ['QUEUE']}/{key}", Body=" ".join(bodies))
    bad = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in bad]}
"""


@pytest.mark.parametrize(
    ("name", "size", "window", "expected"),
    [
        ("window-full", 3, 300, [["0", "1", "2"]]),
        ("window-over", 100, 2, [sorted(map(str, range(12)))]),
        ("window-none", 3, 0, [["0"]]),
        ("window-bad", 2, 300, [["0", "bad"]]),
    ],
)
def test_a_batch_ends_when_it_is_full_or_its_window_over(
    client: Clients, zipped: Callable[[str], bytes], name: str, size: int, window: int, expected: list[list[str]]
) -> None:
    functions, sqs, s3 = client("lambda"), client("sqs"), client("s3")
    s3.create_bucket(Bucket="window-batches")
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    redrive = {"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:000000000000:{name}-dead", "maxReceiveCount": 1}
    attributes = {"VisibilityTimeout": "5", "RedrivePolicy": json.dumps(redrive)}
    queue = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    role = make_role(
        client, name, "lambda.amazonaws.com", {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}
    )
    functions.create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.13",
        Handler="f.handler",
        Code={"ZipFile": zipped(CODE)},
        Environment={"Variables": {"QUEUE": name}},
    )
    flat = sorted({body for batch in expected for body in batch})
    for body in flat:
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    functions.create_event_source_mapping(
        EventSourceArn=f"arn:aws:sqs:us-east-1:000000000000:{name}",
        FunctionName=name,
        BatchSize=size,
        MaximumBatchingWindowInSeconds=window,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )

    def batches() -> list[list[str]]:
        keys = s3.list_objects_v2(Bucket="window-batches", Prefix=f"{name}/").get("Contents", [])
        found = (s3.get_object(Bucket="window-batches", Key=each["Key"])["Body"].read().decode() for each in keys)
        return [sorted(each.split()) for each in found]

    assert wait_for("a batch", batches) == expected
    if "bad" in flat:
        found = wait_for("the bad message", lambda: sqs.receive_message(QueueUrl=dead).get("Messages"))
        assert [each["Body"] for each in found] == ["bad"]
