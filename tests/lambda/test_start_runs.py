"""The function that starts runs of a state machine: one at a time, and none too few, whatever comes when."""

from __future__ import annotations

import io
import json
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

import start_runs
from arrivals import Arrivals, ArrivalsError, Store

MACHINE = "arn:aws:states:us-east-1:111122223333:stateMachine:oakvale-retail"
PREFIXES = ["raw/retail/orders/", "raw/retail/products/"]
KEY = "arrivals/retail.json"


class States:
    """Step Functions, as far as the function knows it; `status` of each execution by its name."""

    class exceptions:
        """What its client may raise."""

        class ExecutionAlreadyExists(Exception):
            """A name stands for one execution, for good."""

    def __init__(self) -> None:
        self.status: dict[str, str] = {}
        self._lock = threading.Lock()

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> None:
        """Begins an execution."""
        assert (stateMachineArn, input) == (MACHINE, "{}")
        with self._lock:
            if name in self.status:
                raise self.exceptions.ExecutionAlreadyExists
            self.status[name] = "RUNNING"

    def describe_execution(self, executionArn: str) -> dict[str, str]:
        """Tells how one is."""
        machine, _, name = executionArn.rpartition(":")
        assert machine == MACHINE.replace("stateMachine", "execution")
        return {"status": self.status[name]}


class Topic:
    """A topic that keeps what is published."""

    def __init__(self) -> None:
        self.messages: list[dict[str, str]] = []

    def publish(self, **message: str) -> None:
        """Takes a message."""
        self.messages.append(message)


class Bucket:
    """An S3 bucket for one object whose conditional writes are one after the other, unlike moto's in threads."""

    def __init__(self) -> None:
        self.content, self.etag = b"", 0
        self._lock = threading.Lock()

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        """What is there."""
        with self._lock:
            if not self.etag:
                raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
            return {"Body": io.BytesIO(self.content), "ETag": str(self.etag)}

    def put_object(self, Bucket: str, Key: str, Body: bytes, IfMatch: str = "0", IfNoneMatch: str = "") -> None:
        """Writes, if nobody else has."""
        with self._lock:
            if IfMatch != str(self.etag):
                raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
            self.content, self.etag = Body, self.etag + 1


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> Iterator[States]:
    """Step Functions without executions, and a lake without arrivals."""
    variables = {"PIPELINE": "retail", "LAKE_BUCKET": "lake", "RAW_BUCKET": "raw", "STATE_MACHINE": MACHINE}
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in {**variables, **keys, "PREFIXES": json.dumps(PREFIXES), "TOPIC": "alerts"}.items():
        monkeypatch.setenv(name, value)
    found, store = States(), start_runs._store
    monkeypatch.setattr(start_runs, "_states", lambda: found)
    store.cache_clear()
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="lake")
        yield found
    store.cache_clear()


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Topic:
    """What people are told."""
    found = Topic()
    monkeypatch.setattr(start_runs, "_sns", lambda: found)
    return found


def messages(*keys: str) -> dict[str, Any]:
    """What the queue hands over: an event of S3 for each key, as EventBridge writes it."""
    bodies = [json.dumps({"detail": {"bucket": {"name": "raw"}, "object": {"key": key}}}) for key in keys]
    return {"Records": [{"messageId": f"m{n}", "body": body} for n, body in enumerate(bodies)]}


def step(name: str, run: str) -> dict[str, Any]:
    """A run's call."""
    return start_runs.handler({"step": name, "run": run}, None)


def kept() -> Arrivals:
    """What the lake knows of arrivals."""
    return start_runs._store().read()[0]


def test_the_first_files_start_a_run_and_later_ones_wait_for_its_end(states: States) -> None:
    event = messages("raw/retail/orders/a b+c & é.csv", "raw/retail/products/x.csv")
    assert start_runs.handler(event, None) == {"run": "run-000001", "unknown": [], "batchItemFailures": []}
    assert step("begin", "run-000001") == {"run": "run-000001"}
    assert start_runs.handler(messages("raw/retail/orders/2.csv"), None)["run"] == "run-000001"
    assert states.status == {"run-000001": "RUNNING"}
    assert step("end", "run-000001") == {"run": "run-000001", "next": "run-000002"}
    assert step("begin", "run-000002") == {"run": "run-000002"}
    assert step("end", "run-000002") == {"run": "run-000002", "next": None}
    assert list(states.status) == ["run-000001", "run-000002"]
    assert kept() == Arrivals(number=2, running=False, calls=2, taken=2)


def test_files_that_land_before_a_run_looks_need_no_other_run(states: States) -> None:
    for _ in range(3):
        start_runs.handler(messages("raw/retail/orders/1.csv"), None)
    step("begin", "run-000001")
    assert step("end", "run-000001")["next"] is None
    assert list(states.status) == ["run-000001"]


def test_a_person_gets_a_run_too(states: States) -> None:
    assert start_runs.handler({}, None) == {"run": "run-000001"}
    assert list(states.status) == ["run-000001"]
    with pytest.raises(ValueError, match=r"unknown event with pipeline: \{\} asks for a run"):
        start_runs.handler({"pipeline": "retail"}, None)


def test_a_run_that_was_aborted_is_followed_by_the_next(states: States) -> None:
    start_runs.handler({}, None)
    step("begin", "run-000001")
    states.status["run-000001"] = "ABORTED"
    assert start_runs.handler(messages("raw/retail/orders/1.csv"), None)["run"] == "run-000002"
    assert states.status == {"run-000001": "ABORTED", "run-000002": "RUNNING"}
    # What the aborted run still says changes nothing.
    assert step("end", "run-000001") == {"run": "run-000001", "next": "run-000002"}
    assert kept() == Arrivals(number=2, running=True, calls=2, taken=2)


def test_a_call_that_died_before_it_started_the_run_is_made_good_by_the_next(states: States) -> None:
    start_runs._store().change(lambda arrivals: arrivals.called())
    assert states.status == {}
    assert start_runs.handler(messages("raw/retail/orders/1.csv"), None)["run"] == "run-000001"
    # Likewise a run's end.
    step("begin", "run-000001")
    start_runs._store().change(lambda arrivals: arrivals.called().ended(1))
    assert step("end", "run-000001")["next"] == "run-000002"
    assert states.status == {"run-000001": "RUNNING", "run-000002": "RUNNING"}


def test_a_lost_object_of_arrivals_never_starts_a_run_twice(states: States) -> None:
    for number in (1, 2):
        start_runs.handler({}, None)
        step("begin", f"run-{number:06d}")
        step("end", f"run-{number:06d}")
        states.status[f"run-{number:06d}"] = "SUCCEEDED"
    boto3.client("s3").delete_object(Bucket="lake", Key=KEY)
    assert start_runs.handler({}, None) == {"run": "run-000003"}


def test_a_damaged_object_of_arrivals_is_named(states: States) -> None:
    boto3.client("s3").put_object(Bucket="lake", Key=KEY, Body=b'{"runs": 3}')
    with pytest.raises(ArrivalsError, match=r"s3://lake/arrivals/retail.json is damaged: b'{\"runs\": 3}'; delete it"):
        start_runs.handler({}, None)
    assert states.status == {}


@pytest.mark.parametrize("run", ["by-hand", "run-1", "run-0000012"])
def test_a_run_that_somebody_started_by_hand_is_refused(states: States, run: str) -> None:
    with pytest.raises(ArrivalsError, match=f"execution {run} was started by hand; use make run"):
        step("begin", run)
    assert step("end", run) == {"run": run, "next": None}
    assert kept() == Arrivals()


def test_a_run_whose_turn_it_is_not_is_refused(states: States) -> None:
    start_runs.handler({}, None)
    with pytest.raises(ArrivalsError, match="run 7 isn't the one whose turn it is"):
        step("begin", "run-000007")
    with pytest.raises(ValueError, match="unknown step 'stop'"):
        step("stop", "run-000001")


def test_files_of_no_table_are_told_of_and_start_nothing(states: States, topic: Topic) -> None:
    event = messages("raw/retail/customers/a b.csv", "raw/retail/orders.csv", "raw/retail/orders.csv")
    unknown = ["raw/retail/customers/a b.csv", "raw/retail/orders.csv"]
    assert start_runs.handler(event, None) == {"run": None, "unknown": unknown, "batchItemFailures": []}
    assert states.status == {}
    (message,) = topic.messages
    assert message["TopicArn"] == "alerts"
    assert message["Subject"] == "retail: files that no table takes"
    assert message["Message"].splitlines() == [
        "No table of retail takes these files, so they stay where they are:",
        "  s3://raw/raw/retail/customers/a b.csv",
        "  s3://raw/raw/retail/orders.csv",
        "Files are taken from:",
        "  s3://raw/raw/retail/orders/",
        "  s3://raw/raw/retail/products/",
        "Copy a file there if it belongs to that table, and delete it here.",
    ]


def test_a_message_names_fifty_files_and_the_number_of_others(states: States, topic: Topic) -> None:
    start_runs.handler(messages(*(f"raw/retail/x{n:03d}" for n in range(60))), None)
    lines = topic.messages[0]["Message"].splitlines()
    assert lines[50:52] == ["  s3://raw/raw/retail/x049", "  and 10 more"]


def test_a_folder_of_the_console_is_no_file(states: States) -> None:
    assert start_runs.handler(messages("raw/retail/customers/"), None)["unknown"] == []
    assert states.status == {}


def test_a_message_that_can_not_be_read_goes_back_and_holds_nothing_up(
    states: States, capsys: pytest.CaptureFixture[str]
) -> None:
    event = messages("raw/retail/orders/1.csv")
    for number, body in enumerate(["{", "{}", '"text"', '{"detail": null}']):
        event["Records"].append({"messageId": f"bad{number}", "body": body})
    answer = start_runs.handler(event, None)
    assert answer["run"] == "run-000001"
    assert answer["batchItemFailures"] == [{"itemIdentifier": f"bad{number}"} for number in range(4)]
    assert [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()] == [
        f"bad{number}" for number in range(4)
    ]


def test_two_hundred_events_from_four_threads_leave_no_file_behind(
    states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty files, ten events each, shuffled; runs begin, end and are followed by others at the same time."""
    store = Store(cast(Any, Bucket()), "lake", KEY)
    monkeypatch.setattr(start_runs, "_store", lambda: store)
    landed: list[str] = []
    taken: set[str] = set()
    beside: list[set[str]] = []

    def land(keys: list[str]) -> None:
        for key in keys:
            landed.append(key)
            start_runs.handler(messages(key), None)

    def work(done: threading.Event) -> None:
        while True:
            last = done.is_set()
            going = sorted(name for name, status in dict(states.status).items() if status == "RUNNING")
            for run in going:
                beside.append(set(going))
                step("begin", run)
                taken.update(landed)
                step("end", run)
                states.status[run] = "SUCCEEDED"
            if last and not going:
                return

    keys = [f"raw/retail/orders/{number % 20}.csv" for number in range(200)]
    random.Random(7).shuffle(keys)
    done = threading.Event()
    worker = threading.Thread(target=work, args=(done,))
    worker.start()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(land, [keys[part::4] for part in range(4)]))
    done.set()
    worker.join()
    assert taken == set(keys)
    assert all(len(going) == 1 for going in beside)
    assert kept() == Arrivals(number=len(states.status), running=False, calls=200, taken=200)
