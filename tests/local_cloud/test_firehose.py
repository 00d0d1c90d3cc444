"""Firehose gathers records of a stream into files, with the rights of its role, and loses none when it is refused."""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import Any

import pytest

from local_cloud import control, root_calls
from tests.local_cloud.glue_resources import Clients, make_role, wait_for

NEVER = {"SizeInMBs": 128, "IntervalInSeconds": 900}
READ = {
    "Effect": "Allow",
    "Action": [f"kinesis:{right}" for right in ("DescribeStream", "GetRecords", "GetShardIterator", "ListShards")],
    "Resource": "*",
}
PUT = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}
NAME = r"{0}-1-(\d{{4}}-\d\d-\d\d-\d\d)-\d\d-\d\d-[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}"


def make_delivery(client: Clients, name: str, hints: dict[str, int], *rights: dict[str, Any]) -> None:
    """Makes a stream, a bucket, and what delivers the one to the other, all of the same name."""
    client("s3").create_bucket(Bucket=name)
    client("kinesis").create_stream(StreamName=name, ShardCount=1, Tags={"project": "lake"})
    role = make_role(client, name, "firehose.amazonaws.com", *rights)
    client("firehose").create_delivery_stream(
        DeliveryStreamName=name,
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration={
            "KinesisStreamARN": f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}",
            "RoleARN": role,
        },
        ExtendedS3DestinationConfiguration={
            "RoleARN": role,
            "BucketARN": f"arn:aws:s3:::{name}",
            "Prefix": "raw/clicks/!{timestamp:yyyy/MM/dd/HH}/",
            "ErrorOutputPrefix": "undelivered/clicks/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/",
            "BufferingHints": hints,
            "CompressionFormat": "GZIP",
            "FileExtension": ".jsonl.gz",
            "DataFormatConversionConfiguration": {"Enabled": False},
            "ProcessingConfiguration": {"Enabled": True, "Processors": [{"Type": "AppendDelimiterToRecord"}]},
        },
    )


def put(client: Clients, name: str, *records: bytes) -> None:
    """Puts records into the stream of a delivery."""
    entries = [{"Data": record, "PartitionKey": "one"} for record in records]
    assert client("kinesis").put_records(StreamName=name, Records=entries)["FailedRecordCount"] == 0


def keys(client: Clients, name: str) -> list[str]:
    """What lies in the bucket of a delivery."""
    return [each["Key"] for each in client("s3").list_objects_v2(Bucket=name).get("Contents", [])]


def content(client: Clients, name: str, key: str) -> bytes:
    """What an object of a delivery's bucket holds."""
    return bytes(client("s3").get_object(Bucket=name, Key=key)["Body"].read())


def test_records_are_gathered_into_a_file_of_their_hour(client: Clients, cloud: control.Cloud) -> None:
    make_delivery(client, "gathered", NEVER, READ, PUT)
    put(client, "gathered", b'{"id":1}', b'{"id":2}')
    put(client, "gathered", b'{"id":3}')
    assert keys(client, "gathered") == []
    root_calls.flush(cloud, "gathered")
    (key,) = keys(client, "gathered")
    found = re.fullmatch(rf"raw/clicks/(\d{{4}}/\d\d/\d\d/\d\d)/{NAME.format('gathered')}\.jsonl\.gz", key)
    assert found
    assert found[1].replace("/", "-") == found[2]
    assert gzip.decompress(content(client, "gathered", key)) == b'{"id":1}\n{"id":2}\n{"id":3}\n'
    put(client, "gathered", b'{"id":4}')
    root_calls.flush(cloud, "gathered")
    root_calls.flush(cloud, "gathered")  # nothing waits
    assert len(keys(client, "gathered")) == 2


@pytest.mark.parametrize(
    ("name", "hints", "size"),
    [
        ("full", {"SizeInMBs": 1, "IntervalInSeconds": 900}, 600_000),
        ("old", {"SizeInMBs": 128, "IntervalInSeconds": 1}, 10),
    ],
)
def test_a_file_is_written_when_its_records_are_much_or_old(
    client: Clients, name: str, hints: dict[str, int], size: int
) -> None:
    make_delivery(client, name, hints, READ, PUT)
    put(client, name, b"a" * size, b"b" * size)
    (key,) = wait_for("the file", lambda: keys(client, name))
    assert gzip.decompress(content(client, name, key)) == b"a" * size + b"\n" + b"b" * size + b"\n"


@pytest.mark.parametrize(
    ("name", "rights", "refusal"),
    [
        ("refused-put", [READ], r"not authorized to perform: s3:PutObject"),
        ("refused-read", [PUT], r"refused-read doesn't allow kinesis:DescribeStream on arn:\S+:stream/refused-read"),
    ],
)
def test_what_is_refused_is_delivered_once_the_role_may(
    client: Clients, cloud: control.Cloud, name: str, rights: list[dict[str, Any]], refusal: str
) -> None:
    make_delivery(client, name, NEVER, *rights)
    put(client, name, b"first")
    with pytest.raises(control.CloudError, match=refusal):
        root_calls.flush(cloud, name)
    put(client, name, b"second")
    assert keys(client, name) == []
    policy = json.dumps({"Version": "2012-10-17", "Statement": [READ, PUT]})
    client("iam").put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=policy)
    root_calls.flush(cloud, name)  # unless its own next attempt was faster
    assert sorted(
        line for key in keys(client, name) for line in gzip.decompress(content(client, name, key)).splitlines()
    ) == [b"first", b"second"]


def test_a_record_that_is_too_large_is_set_aside(client: Clients, cloud: control.Cloud) -> None:
    make_delivery(client, "aside", NEVER, READ, PUT)
    large = b"x" * (1000 * 1024 + 1)
    put(client, "aside", b"small", large)
    root_calls.flush(cloud, "aside")
    good, bad = keys(client, "aside")
    assert gzip.decompress(content(client, "aside", good)) == b"small\n"
    assert re.fullmatch(rf"undelivered/clicks/processing-failed/\d{{4}}/\d\d/\d\d/\d\d/{NAME.format('aside')}", bad)
    (line,) = content(client, "aside", bad).splitlines()
    envelope = json.loads(line)
    assert base64.b64decode(envelope["rawData"]) == large
    assert envelope["errorMessage"] == "the record has 1,024,001 bytes, and Firehose takes 1,024,000"


def test_terraform_finds_a_delivery_as_it_was_made(client: Clients) -> None:
    make_delivery(client, "described", NEVER, READ, PUT)
    described = client("firehose").describe_delivery_stream(DeliveryStreamName="described")
    (destination,) = described["DeliveryStreamDescription"]["Destinations"]
    told = destination["ExtendedS3DestinationDescription"]
    assert (told["FileExtension"], told["CustomTimeZone"]) == (".jsonl.gz", "UTC")
    tags = client("kinesis").list_tags_for_stream(StreamName="described")["Tags"]
    assert tags == [{"Key": "project", "Value": "lake"}]


def test_a_delivery_that_is_gone_delivers_nothing_more(client: Clients, cloud: control.Cloud) -> None:
    make_delivery(client, "gone", NEVER, READ, PUT)
    put(client, "gone", b"first")
    client("firehose").delete_delivery_stream(DeliveryStreamName="gone")
    root_calls.flush(cloud, "gone")
    assert keys(client, "gone") == []
