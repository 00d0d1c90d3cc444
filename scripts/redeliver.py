"""Puts records that Firehose has set aside back into their streams: `make redeliver`, on the laptop cloud or with ENV=.

A file of them is deleted once the stream has taken all its records; one with records that are too large for a delivery
keeps these alone. A call that ends before may send some twice; silver knows them again by their key.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

import deployment
import progress
from environments import DeployError
from stream_sender import LARGEST, Sender, StreamError


def redeliver(deployed: deployment.Deployment, note: Callable[[str], None]) -> list[str]:
    """Sends what lies below undelivered/ of each stream; why some of the files are left there."""
    s3, bucket, problems = deployed.client("s3"), deployed.outputs["raw_bucket"], list[str]()
    for path, stream in deployed.outputs["streams"].items():
        sender = Sender(deployed.client("kinesis"), stream)
        for key in keys(s3, bucket, f"undelivered/{path}/"):
            place = f"s3://{bucket}/{key}"
            try:
                records = [(line, opened(line, number)) for number, line in lines(s3, bucket, key)]
                fitting = [record for _, record in records if len(record) <= LARGEST]
                sender.send(fitting)
            except StreamError as error:
                problems.append(f"{place} stays there: {error}")
                continue
            if fitting:
                note(f"{place}: {len(fitting):,} records to the stream {stream}")
            if large := [line for line, record in records if len(record) > LARGEST]:
                problems.append(f"{place} keeps {len(large):,} records over {LARGEST:,} bytes: no delivery takes them")
                if fitting:
                    s3.put_object(Bucket=bucket, Key=key, Body=b"".join(line + b"\n" for line in large))
            else:
                s3.delete_object(Bucket=bucket, Key=key)
    return problems


def keys(s3: Any, bucket: str, prefix: str) -> list[str]:
    """All files below a prefix, by the kind of their error, then oldest first."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return sorted(item["Key"] for page in pages for item in page.get("Contents", []))


def lines(s3: Any, bucket: str, key: str) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that say something, by their numbers."""
    content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    yield from ((number, line) for number, line in enumerate(content.splitlines(), 1) if line)


def opened(line: bytes, number: int) -> bytes:
    """The record in an envelope of Firehose. Raises StreamError when it holds none."""
    try:
        return base64.b64decode(json.loads(line)["rawData"], validate=True)
    except (ValueError, KeyError, TypeError) as error:
        raise StreamError(f"line {number} holds no record of Firehose ({error!r}); move the file elsewhere") from error


def main() -> int:
    """Command line; exit code 1 when files are left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", required=True, help="local, dev, staging or production")
    options = parser.parse_args()
    console, sent = progress.open_console(), list[str]()
    try:
        problems = redeliver(deployment.connect(options.environment), sent.append)
    except (DeployError, BotoCoreError, ClientError) as error:
        problems = [str(error)]
    for line in sent or ["no records were set aside"] * (not problems):
        console.print(line, markup=False)
    for problem in problems:
        console.print(f"error: {problem}", style="red", markup=False)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
