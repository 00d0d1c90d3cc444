"""The log of a run, against a client that answers as CloudWatch Logs may."""

from __future__ import annotations

import os
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from local_cloud import glue_logs
from local_cloud.glue_logs import LogStream


class Missing(ClientError):
    """The group doesn't exist."""


class Exists(ClientError):
    """The group exists already."""


class FakeLogs:
    """A client: a group that another run makes at the same moment, and what is put."""

    class exceptions:
        """As boto3 names them."""

        ResourceNotFoundException = Missing
        ResourceAlreadyExistsException = Exists

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure, self.there = failure, False
        self.messages: list[str] = []

    def create_log_stream(self, **names: str) -> None:
        """Refused until there is a group."""
        if not self.there:
            raise Missing({}, "CreateLogStream")

    def create_log_group(self, **names: str) -> None:
        """Too late: another has made it."""
        self.there = True
        raise Exists({}, "CreateLogGroup")

    def put_log_events(self, **asked: Any) -> None:
        """Keeps the messages, or fails."""
        if self.failure:
            raise self.failure
        self.messages += [event["message"] for event in asked["logEvents"]]


def test_a_group_that_another_run_makes_just_now_is_no_error() -> None:
    logs = FakeLogs()
    LogStream(logs, "/jobs/output", "jr_1").write(["one", "", "two"])
    assert logs.messages == ["one", "two"]


@pytest.mark.parametrize(
    "failure", [ReadTimeoutError(endpoint_url="http://127.0.0.1"), ClientError({}, "PutLogEvents")]
)
def test_a_log_that_can_not_be_written_is_lost_and_the_job_goes_on(
    failure: BotoCoreError | ClientError, caplog: pytest.LogCaptureFixture
) -> None:
    logs = FakeLogs(failure)
    stream = LogStream(logs, "/jobs/output", "jr_1")
    reader, writer = os.pipe()
    pump = glue_logs.pump(os.fdopen(reader, "rb"), stream.write)
    with os.fdopen(writer, "wb", buffering=0) as pipe:
        pipe.write(b"one\n")
        while not stream.last_lines:
            pump.join(0.01)
        logs.failure = None
        pipe.write(b"two\n")
    pump.join(10)
    assert list(stream.last_lines) == ["one", "two"]
    assert logs.messages == []
    assert "log /jobs/output of jr_1 is lost" in caplog.text
