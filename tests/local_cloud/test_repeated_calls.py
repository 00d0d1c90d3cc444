"""A call that a client sends twice is done once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_cloud.glue_resources import Clients


@contextmanager
def named(client: Any, operation: str, ids: Iterable[str]) -> Iterator[None]:
    """Gives the next calls of an operation these ids, whatever the client would have called them."""
    remaining = iter(ids)

    def name(request: Any, **_: Any) -> None:
        request.headers["amz-sdk-invocation-id"] = next(remaining)

    event = f"before-send.{client.meta.service_model.service_id.hyphenize()}.{operation}"
    client.meta.events.register(event, name)
    yield
    client.meta.events.unregister(event, name)
    assert list(remaining) == []


def test_what_a_call_has_made_is_its_own_when_it_comes_again(client: Clients) -> None:
    scheduler = client("scheduler")
    with named(scheduler, "CreateScheduleGroup", ["one", "one", "another"]):
        made = [scheduler.create_schedule_group(Name="made-once")["ScheduleGroupArn"] for _ in range(2)]
        assert made[0] == made[1]
        with pytest.raises(scheduler.exceptions.ConflictException):
            scheduler.create_schedule_group(Name="made-once")


def test_a_call_that_comes_again_while_it_is_under_way_waits_for_it(client: Clients) -> None:
    kinesis, times = client("kinesis"), 8

    def make(_: int) -> int:
        answer = kinesis.create_stream(StreamName="made-by-many", ShardCount=1)
        return int(answer["ResponseMetadata"]["HTTPStatusCode"])

    with named(kinesis, "CreateStream", ["same"] * times), ThreadPoolExecutor(times) as threads:
        assert list(threads.map(make, range(times))) == [200] * times


def test_a_call_that_has_failed_is_tried_anew(client: Clients) -> None:
    sqs = client("sqs")
    with named(sqs, "GetQueueUrl", ["asked-twice", "asked-twice"]):
        with pytest.raises(sqs.exceptions.QueueDoesNotExist):
            sqs.get_queue_url(QueueName="made-later")
        url = sqs.create_queue(QueueName="made-later")["QueueUrl"]
        assert sqs.get_queue_url(QueueName="made-later")["QueueUrl"] == url


def test_a_conditional_write_that_comes_again_is_refused_as_on_s3(client: Clients) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="repeated-calls")
    with named(s3, "PutObject", ["put", "put"]):
        s3.put_object(Bucket="repeated-calls", Key="once", Body=b"1", IfNoneMatch="*")
        with pytest.raises(ClientError, match="PreconditionFailed"):
            s3.put_object(Bucket="repeated-calls", Key="once", Body=b"1", IfNoneMatch="*")
