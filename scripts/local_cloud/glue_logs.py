"""A run's output in CloudWatch Logs, written while it runs, with the rights of the job's role."""

from __future__ import annotations

import collections
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

LOG = logging.getLogger("oakvale.glue")
LINES_KEPT = 5000
"""Of the end of a log, for the message of a failed run: the traces of one Java error take hundreds."""
LINES_AT_ONCE = 1000
CHUNK = 65536
DEFAULT_GROUP = "/aws-glue/jobs"


class LogStream:
    """One log stream; lines may come from several threads."""

    def __init__(self, logs: Any, group: str, stream: str) -> None:
        self.logs, self.group, self.stream = logs, group, stream
        self.last_lines: collections.deque[str] = collections.deque(maxlen=LINES_KEPT)
        self._lock = threading.Lock()
        self._refused = False
        self._begun = False

    def write(self, lines: list[str]) -> None:
        """Appends lines; a run that can't log, for want of the right or of an answer, loses its log alone."""
        now = int(time.time() * 1000)
        with self._lock:
            self.last_lines.extend(lines)
            events = [{"timestamp": now, "message": line} for line in lines if line]
            try:
                for first in range(0, 0 if self._refused else len(events), LINES_AT_ONCE):
                    self._begin()
                    self._put(events[first : first + LINES_AT_ONCE])
            except (BotoCoreError, ClientError) as error:
                self._refused = True
                LOG.error("log %s of %s is lost: %s", self.group, self.stream, error)

    def _begin(self) -> None:
        if self._begun:
            return
        try:
            self._create_stream()
        except self.logs.exceptions.ResourceNotFoundException:
            with suppress(self.logs.exceptions.ResourceAlreadyExistsException):  # another first run made it just now
                self.logs.create_log_group(logGroupName=self.group)
            self._create_stream()
        self._begun = True

    def _create_stream(self) -> None:
        self.logs.create_log_stream(logGroupName=self.group, logStreamName=self.stream)

    def _put(self, events: list[dict[str, Any]]) -> None:
        self.logs.put_log_events(logGroupName=self.group, logStreamName=self.stream, logEvents=events)


def pump(pipe: IO[bytes], write: Callable[[list[str]], None]) -> threading.Thread:
    """Hands on the lines of a pipe, in a thread of its own, as they come, until the pipe's other end is closed."""
    thread = threading.Thread(target=_copy, args=(pipe, write), daemon=True)
    thread.start()
    return thread


def _copy(pipe: IO[bytes], write: Callable[[list[str]], None]) -> None:
    rest = b""
    with pipe:
        while chunk := os.read(pipe.fileno(), CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            write([line.decode(errors="replace") for line in lines])
    if rest:
        write([rest.decode(errors="replace")])
