"""What Firehose has taken and not yet delivered: it waits for others until it is much, or old.

A delivery that fails is tried again with growing pauses, for as long as the cloud is up and the stream is there: no
record is lost by a refusal, and one may be delivered twice. Buffers are in memory only, as the buckets are.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import firehose

from local_cloud import firehose_files

LOG = logging.getLogger("oakvale.firehose")
USUAL = {"SizeInMBs": 5, "IntervalInSeconds": 300}
LONGEST_PAUSE = 60  # seconds

Key = tuple[str, str, str]


@dataclass
class Buffer:
    """Records of a delivery stream that wait, and what delivers them when their time is over."""

    stream: dict[str, Any]
    configuration: dict[str, Any]
    records: list[firehose_files.Record] = field(default_factory=list)
    size: int = 0
    failures: int = 0
    urgent: bool = False
    timer: threading.Timer | None = None

    def hint(self, name: str) -> int:
        """How much, or how old, its records get."""
        return int({**USUAL, **self.configuration.get("BufferingHints", {})}[name])

    @property
    def full(self) -> bool:
        """Whether its records are much enough for a file."""
        return self.size >= self.hint("SizeInMBs") * 2**20

    def add(self, records: list[firehose_files.Record], *, first: bool = False) -> None:
        """Takes records behind those that wait, or before them."""
        place = 0 if first else len(self.records)
        self.records[place:place] = records
        self.size += sum(len(data) for _, data in records)

    def empty(self) -> list[firehose_files.Record]:
        """Gives all its records away."""
        records, self.records, self.size = self.records, [], 0
        return records


_buffers: dict[Key, Buffer] = {}
_lock = threading.Lock()
_delivering = threading.Lock()


def take(stream: dict[str, Any], destination: dict[str, Any], records: list[tuple[str, bytes]]) -> None:
    """Takes records, by their ids, for a destination in S3; never waits for their delivery."""
    key = _key(stream["name"])
    with _lock:
        if key not in _buffers or _buffers[key].stream is not stream:
            _buffers[key] = Buffer(stream, destination["config"])
        buffer = _buffers[key]
        buffer.configuration = destination["config"]
        buffer.add([(time.time(), data) for _, data in records])
        destination["records"].clear()  # MiniStack would keep them for good
        if buffer.full and not buffer.urgent and not buffer.failures:
            _deliver_after(0, key, buffer)
        elif buffer.timer is None:
            _deliver_after(buffer.hint("IntervalInSeconds"), key, buffer)


def flush(name: str) -> str | None:
    """Delivers at once what waits for a delivery stream; why it can't, if it can't."""
    with _lock:
        buffer = _buffers.get(_key(name))
    return _deliver(_key(name), buffer) if buffer else None


def _key(name: str) -> Key:
    return get_account_id(), get_region(), name


def _deliver_after(seconds: float, key: Key, buffer: Buffer) -> None:
    """Sets the time of the next delivery, in another thread: whoever puts a record never waits."""
    if buffer.timer:
        buffer.timer.cancel()
    buffer.urgent = seconds == 0
    buffer.timer = threading.Timer(seconds, contextvars.copy_context().run, args=(_deliver, key, buffer))
    buffer.timer.daemon = True
    buffer.timer.start()


def _deliver(key: Key, buffer: Buffer) -> str | None:
    with _delivering:  # one after the other: whoever flushes knows afterwards that all is there
        with _lock:
            if buffer.timer:
                buffer.timer.cancel()
            records, buffer.timer, buffer.urgent = buffer.empty(), None, False
        if not records:
            return None
        if firehose._streams.get(key[2]) is not buffer.stream:
            LOG.warning("delivery stream %s is gone: %d records that waited are lost", key[2], len(records))
            return None
        try:
            firehose_files.write(buffer.stream, buffer.configuration, records)
        except Exception as error:  # whatever it is, the records wait for the next attempt
            with _lock:
                buffer.add(records, first=True)
                buffer.failures += 1
                _deliver_after(min(2.0**buffer.failures, LONGEST_PAUSE), key, buffer)
            LOG.warning("%s couldn't deliver %d records, and tries again: %s", key[2], len(records), error)
            return str(error)
        buffer.failures = 0
        return None
