"""Records that were set aside go back into their stream, and their file goes once all of them are there."""

from __future__ import annotations

import base64
import json
from typing import Any

import boto3
import pytest

import deployment
import redeliver

BUCKET, REGION = "oakvale-dev-raw", "eu-west-1"
OUTPUTS = {"raw_bucket": BUCKET, "streams": {"clicks/web": "oakvale-dev-clicks-web"}, "region": REGION}
FOLDER = "undelivered/clicks/web/processing-failed/2026/11/01/10"


def envelope(record: bytes) -> bytes:
    """A record as Firehose sets it aside."""
    return json.dumps({"errorCode": "no", "rawData": base64.b64encode(record).decode()}).encode() + b"\n"


@pytest.fixture
def deployed(aws: Any, monkeypatch: pytest.MonkeyPatch) -> deployment.Deployment:
    """A stream and a raw bucket."""
    monkeypatch.setattr(
        deployment.Deployment, "client", lambda self, service: boto3.client(service, region_name=REGION)
    )
    boto3.client("s3", region_name=REGION).create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    boto3.client("kinesis", region_name=REGION).create_stream(StreamName="oakvale-dev-clicks-web", ShardCount=1)
    return deployment.Deployment("dev", OUTPUTS)


def stored(deployed: deployment.Deployment) -> list[str]:
    """All that lies in the raw bucket."""
    return [each["Key"] for each in deployed.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def received(deployed: deployment.Deployment) -> list[bytes]:
    """All that is in the stream."""
    kinesis, name = deployed.client("kinesis"), "oakvale-dev-clicks-web"
    shard = kinesis.describe_stream(StreamName=name)["StreamDescription"]["Shards"][0]["ShardId"]
    start = kinesis.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return [each["Data"] for each in kinesis.get_records(ShardIterator=start["ShardIterator"])["Records"]]


def test_files_are_sent_and_deleted_and_those_that_can_not_be_stay(deployed: deployment.Deployment) -> None:
    s3 = deployed.client("s3")
    files = {
        f"{FOLDER}/1": envelope(b"first") + b"\n" + envelope(b"second"),
        f"{FOLDER}/2": envelope(b"large" * 300_000),
        f"{FOLDER}/3": envelope(b"third"),
        f"{FOLDER}/4": envelope(b"fourth") + b'{"rawData": "no base64"}\n',
        f"{FOLDER}/5": envelope(b"before") + envelope(b"large" * 300_000) + envelope(b"after"),
        "raw/clicks/web/2026/11/01/10/1.jsonl.gz": envelope(b"delivered"),
    }
    for key, content in files.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    notes = list[str]()
    problems = redeliver.redeliver(deployed, notes.append)
    assert received(deployed) == [b"first", b"second", b"third", b"before", b"after"]
    assert stored(deployed) == ["raw/clicks/web/2026/11/01/10/1.jsonl.gz", f"{FOLDER}/2", f"{FOLDER}/4", f"{FOLDER}/5"]
    rest = s3.get_object(Bucket=BUCKET, Key=f"{FOLDER}/5")["Body"].read()
    assert rest == envelope(b"large" * 300_000)
    assert notes == [
        f"s3://{BUCKET}/{FOLDER}/{number}: {count} records to the stream oakvale-dev-clicks-web"
        for number, count in ((1, 2), (3, 1), (5, 2))
    ]
    large, damaged, partly = problems
    keeps = "keeps 1 records over 1,024,000 bytes: no delivery takes them"
    assert (large, partly) == tuple(f"s3://{BUCKET}/{FOLDER}/{number} {keeps}" for number in (2, 5))
    assert damaged.startswith(f"s3://{BUCKET}/{FOLDER}/4 stays there: line 2 holds no record of Firehose (")


def test_without_any_nothing_is_sent(deployed: deployment.Deployment) -> None:
    assert redeliver.redeliver(deployed, print) == []
    assert received(deployed) == []
