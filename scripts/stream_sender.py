"""Sends records to a Kinesis stream: in batches, and again exactly those that it didn't take.

A record that is sent again may be in the stream twice, if only its answer got lost; whoever reads must know it again.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from botocore.exceptions import ClientError

MOST_RECORDS = 500
MOST_BYTES = 5 * 2**20
"""What one call takes: records, and bytes of them with their keys."""
LARGEST = 1000 * 1024
"""Bytes of a record: Kinesis takes a few more, and Firehose, which delivers them, doesn't."""
ATTEMPTS = 8
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds before a second attempt, which double with each further one up to this."""
THROTTLED = "ProvisionedThroughputExceededException"

Entry = dict[str, Any]


class StreamError(Exception):
    """Records can't be sent; the message says which or how many, why, and what to do."""


class Sender:
    """Sends to one stream, and counts what it took and what had to be sent again."""

    def __init__(self, kinesis: Any, stream: str, pause: Callable[[float], None] = time.sleep) -> None:
        self.sent = self.repeated = 0
        self._kinesis, self._stream, self._pause = kinesis, stream, pause

    def send(self, records: Iterable[bytes]) -> None:
        """Sends records in their order. Raises StreamError for one that is too large, or when the stream takes none."""
        for batch in _batches(self._entries(records)):
            self._put(batch)

    def _entries(self, records: Iterable[bytes]) -> Iterator[Entry]:
        for number, record in enumerate(records, self.sent + 1):
            if not 0 < len(record) <= LARGEST:
                raise StreamError(
                    f"record {number} has {len(record):,} bytes, and 1 to {LARGEST:,} can be sent: {record[:60]!r} ..."
                )
            yield {"Data": record, "PartitionKey": partition_key(record)}

    def _put(self, entries: list[Entry]) -> None:
        for attempt in range(ATTEMPTS):
            refused, why = self._refused(entries)
            self.sent += len(entries) - len(refused)
            if not refused:
                return
            entries = refused
            if attempt < ATTEMPTS - 1:
                self.repeated += len(entries)
                longest = min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE)
                self._pause(random.uniform(longest / 2, longest))
        raise StreamError(
            f"{self._stream} has refused {len(entries)} records {ATTEMPTS} times, at last for {why}; "
            f"it took {self.sent:,} before: send more slowly, or give it more shards"
        )

    def _refused(self, entries: list[Entry]) -> tuple[list[Entry], str]:
        """Those of the entries that the stream didn't take, and why not the last of them."""
        try:
            answer = self._kinesis.put_records(StreamName=self._stream, Records=entries)
        except ClientError as error:
            if error.response["Error"]["Code"] != THROTTLED:
                raise
            return entries, str(error)
        told = zip(entries, answer["Records"], strict=True)
        refused = [(entry, each) for entry, each in told if "ErrorCode" in each]
        why = f"{refused[-1][1]['ErrorCode']}: {refused[-1][1].get('ErrorMessage')}" if refused else ""
        return [entry for entry, _ in refused], why


def partition_key(record: bytes) -> str:
    """What keeps records in order: those of a user go to one shard; those of nobody are spread."""
    try:
        found = json.loads(record)["user_id"]
        user = str(found) if isinstance(found, (str, int)) else ""
        user.encode()  # half a surrogate pair can be read, and not sent
    except (ValueError, TypeError, KeyError, RecursionError):
        user = ""
    if 0 < len(user) <= 256:
        return user
    return hashlib.sha256(record).hexdigest()[:32]


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """The entries in their order, as many in one call as it takes."""
    batch, size = list[Entry](), 0
    for entry in entries:
        length = len(entry["Data"]) + len(entry["PartitionKey"].encode())
        if batch and (len(batch) == MOST_RECORDS or size + length > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += length
    if batch:
        yield batch


def by_second(records: Iterable[bytes], rate: float) -> Iterator[list[bytes]]:
    """The records of each second, at so many a second; a rate need not be whole."""
    waiting = iter(records)
    for second in itertools.count():
        due = int(rate * (second + 1)) - int(rate * second)
        found = list(itertools.islice(waiting, due))
        if len(found) < due:
            if found:
                yield found
            return
        yield found
