"""Files as Firehose writes them: many records each, below the hour in which the first of them arrived."""

from __future__ import annotations

import base64
import gzip
import json
import time
from collections.abc import Sequence
from typing import Any

from ministack.core import iam_evaluator, responses
from ministack.services import firehose

from local_cloud import credentials
from local_cloud.replacements import require

LARGEST_RECORD = 1000 * 1024
"""Bytes of a record that Firehose takes; Kinesis takes some more."""
SOURCE_RIGHTS = ("DescribeStream", "GetRecords", "GetShardIterator", "ListShards")
EXTENSIONS = {"GZIP": ".gz", "UNCOMPRESSED": ""}

Record = tuple[float, bytes]
"""When it arrived, and what it holds."""


class RefusedError(Exception):
    """The role that delivers may not do what a delivery needs."""


def install() -> None:
    """Checks what we use of MiniStack."""
    require(firehose, "_evaluate_prefix", ["template", "t", "query_keys", "lambda_keys", "error_type"])
    require(firehose, "_java_time", ["pattern", "t"])
    require(firehose, "_s3_bucket_from_arn", ["bucket_arn"])
    require(responses, "new_uuid", [])


def write(stream: dict[str, Any], configuration: dict[str, Any], records: Sequence[Record]) -> None:
    """Writes a file of records, and one of those that can't be delivered, with the rights of the delivery's role."""
    _check_source(stream)
    keys = credentials.role_session(
        configuration["RoleARN"], stream["name"], service="firehose.amazonaws.com", lifetime=60
    )
    s3, moment = credentials.client("s3", keys), time.gmtime(records[0][0])
    bucket = firehose._s3_bucket_from_arn(configuration["BucketARN"])
    name = (
        f"{stream['name']}-{stream['version']}-{firehose._java_time('yyyy-MM-dd-HH-mm-ss', moment)}"
        f"-{responses.new_uuid()}"
    )
    good = [data for _, data in records if len(data) <= LARGEST_RECORD]
    if good:
        prefix = firehose._evaluate_prefix(configuration.get("Prefix", ""), moment)
        s3.put_object(Bucket=bucket, Key=f"{prefix}{name}{_extension(configuration)}", Body=_body(configuration, good))
    large = [record for record in records if len(record[1]) > LARGEST_RECORD]
    if large:
        template = configuration["ErrorOutputPrefix"]
        prefix = firehose._evaluate_prefix(template, moment, error_type="processing-failed")
        s3.put_object(Bucket=bucket, Key=f"{prefix}{name}", Body="".join(map(_envelope, large)).encode())


def _check_source(stream: dict[str, Any]) -> None:
    """Raises RefusedError unless the role of a stream's source may read it."""
    if not (source := stream["kinesis_source"]):
        return
    arn, role = source["KinesisStreamARN"], source["RoleARN"]
    keys = credentials.role_session(role, stream["name"], service="firehose.amazonaws.com", lifetime=60)
    for right in SOURCE_RIGHTS:
        arguments = (f"kinesis:{right}", "kinesis", responses.get_region(), arn)
        if iam_evaluator.enforce(keys["AWS_ACCESS_KEY_ID"], *arguments) is not None:
            raise RefusedError(f"{role} doesn't allow kinesis:{right} on {arn}")


def _extension(configuration: dict[str, Any]) -> str:
    return str(configuration.get("FileExtension") or EXTENSIONS[configuration.get("CompressionFormat", "UNCOMPRESSED")])


def _body(configuration: dict[str, Any], records: Sequence[bytes]) -> bytes:
    processors = configuration.get("ProcessingConfiguration", {}).get("Processors", [])
    delimited = any(processor["Type"] == "AppendDelimiterToRecord" for processor in processors)
    body = b"".join(data + b"\n" for data in records) if delimited else b"".join(records)
    return gzip.compress(body) if configuration.get("CompressionFormat") == "GZIP" else body


def _envelope(record: Record) -> str:
    """A record that can't be delivered, as Firehose sets it aside: one line that says why."""
    arrived, data = record
    said = {
        "attemptsMade": 1,
        "arrivalTimestamp": int(arrived * 1000),
        "attemptEndingTimestamp": int(time.time() * 1000),
        "errorCode": "Firehose.RecordTooLarge",
        "errorMessage": f"the record has {len(data):,} bytes, and Firehose takes {LARGEST_RECORD:,}",
        "rawData": base64.b64encode(data).decode(),
    }
    return json.dumps(said) + "\n"
