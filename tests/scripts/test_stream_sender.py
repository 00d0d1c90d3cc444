"""Records reach a stream in batches that it takes, each until it has taken it, and the same ones no more often."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from rich.console import Console

import stream
from stream_sender import ATTEMPTS, LARGEST, MOST_BYTES, Sender, StreamError, by_second, partition_key


class Kinesis:
    """A stream that refuses what it is told to: of each call the entries with these places, or the whole call."""

    def __init__(self, *refusals: Iterable[int] | str) -> None:
        self.calls, self.taken = list[list[bytes]](), list[bytes]()
        self._refusals = list(refusals)

    def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:
        """Takes records, but for those that it refuses."""
        assert StreamName == "clicks"
        self.calls.append([each["Data"] for each in Records])
        refusal = self._refusals.pop(0) if self._refusals else ()
        if isinstance(refusal, str):
            raise ClientError({"Error": {"Code": refusal, "Message": "slow down"}}, "PutRecords")
        told = list[dict[str, str]]()
        for place, each in enumerate(Records):
            if place in refusal:
                told.append({"ErrorCode": "InternalFailure", "ErrorMessage": "try again"})
            else:
                self.taken.append(each["Data"])
                told.append({"SequenceNumber": str(place)})
        return {"FailedRecordCount": len(set(refusal)), "Records": told}


def sent(kinesis: Kinesis, *records: bytes) -> tuple[Sender, list[float]]:
    """What sends records to a stream, after it has, and its pauses."""
    pauses = list[float]()
    sender = Sender(kinesis, "clicks", pauses.append)
    sender.send(records)
    return sender, pauses


def test_exactly_those_that_were_refused_are_sent_again() -> None:
    kinesis = Kinesis((1, 3), (0,))
    sender, pauses = sent(kinesis, b"a", b"b", b"c", b"d")
    assert kinesis.calls == [[b"a", b"b", b"c", b"d"], [b"b", b"d"], [b"b"]]
    assert (sender.sent, sender.repeated) == (4, 3)
    assert 0.05 <= pauses[0] <= 0.1 <= pauses[1] <= 0.2


def test_a_throttled_call_is_made_again() -> None:
    kinesis = Kinesis("ProvisionedThroughputExceededException")
    sender, pauses = sent(kinesis, b"a", b"b")
    assert (kinesis.taken, sender.sent, sender.repeated, len(pauses)) == ([b"a", b"b"], 2, 2, 1)


def test_it_gives_up_after_bounded_tries_and_says_what_is_left() -> None:
    kinesis, pauses = Kinesis(*[(1, 2)] + [(0, 1)] * ATTEMPTS), list[float]()
    sender = Sender(kinesis, "clicks", pauses.append)
    with pytest.raises(
        StreamError,
        match=rf"^clicks has refused 2 records {ATTEMPTS} times, at last for InternalFailure: try again; it took 1 b",
    ):
        sender.send([b"a", b"b", b"c"])
    assert len(kinesis.calls) == ATTEMPTS == len(pauses) + 1
    assert max(pauses) <= 5.0


def test_another_error_is_not_tried_again() -> None:
    kinesis = Kinesis("ResourceNotFoundException")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        sent(kinesis, b"a")
    assert len(kinesis.calls) == 1


def test_a_call_holds_as_many_records_as_it_may() -> None:
    kinesis = Kinesis()
    sent(kinesis, *[b"a"] * 1_001)
    assert [len(call) for call in kinesis.calls] == [500, 500, 1]
    kinesis = Kinesis()
    sent(kinesis, *[b"a" * LARGEST] * 7)
    assert [len(call) for call in kinesis.calls] == [5, 2]
    assert 5 * (LARGEST + 32) <= MOST_BYTES < 6 * LARGEST


@pytest.mark.parametrize(("size", "shown"), [(LARGEST + 1, "1,024,001"), (0, "0")])
def test_a_record_that_can_not_be_is_refused_at_the_door(size: int, shown: str) -> None:
    kinesis = Kinesis()
    with pytest.raises(StreamError, match=rf"^record 2 has {shown} bytes, and 1 to 1,024,000 can be sent: b'"):
        sent(kinesis, b"a", b"x" * size, b"c")
    assert kinesis.calls == []


def test_records_of_a_user_have_one_key() -> None:
    assert partition_key(b'{"user_id": "u-7", "payload": 1}') == partition_key(b'{"user_id": "u-7"}') == "u-7"
    assert partition_key(b'{"user_id": 7}') == "7"


def test_records_of_nobody_are_spread() -> None:
    records = [b'{"user_id": ""}', b'{"user_id": null}', b'["user_id"]', b"not JSON", b"\xff"]
    records.append(b'{"user_id": "\\ud800"}')  # half a character
    records.append(b'{"user_id": "' + b"x" * 257 + b'"}')  # longer than a key may be
    keys = [partition_key(record) for record in records]
    assert keys == [hashlib.sha256(record).hexdigest()[:32] for record in records]


@pytest.mark.parametrize(
    ("count", "rate", "groups"),
    [(5, 2, [2, 2, 1]), (4, 2, [2, 2]), (3, 0.5, [0, 1, 0, 1, 0, 1, 0]), (5, 2.5, [2, 3]), (0, 2, [])],
)
def test_records_by_second(count: int, rate: float, groups: list[int]) -> None:
    assert [len(group) for group in by_second([b"a"] * count, rate)] == groups


def test_records_are_sent_at_their_rate(aws: Any) -> None:
    kinesis, now, pauses = boto3.client("kinesis", region_name="eu-west-1"), [100.0], list[float]()
    kinesis.create_stream(StreamName="clicks", ShardCount=1)

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds + 0.25  # what the second's records take

    console = Console(file=io.StringIO())
    summary = stream.stream(
        console, Sender(kinesis, "clicks"), [b"a", b"b", b"c", b"d", b"e"], 2, 3, clock=lambda: now[0], pause=pause
    )
    assert pauses == [0.0, 0.75, 0.75]
    assert summary == "5 records sent, 0 of them again, in 2.2 s: 2.2 a second"
    shard = kinesis.describe_stream(StreamName="clicks")["StreamDescription"]["Shards"][0]["ShardId"]
    start = kinesis.get_shard_iterator(StreamName="clicks", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    found = kinesis.get_records(ShardIterator=start["ShardIterator"])["Records"]
    assert [each["Data"] for each in found] == [b"a", b"b", b"c", b"d", b"e"]
