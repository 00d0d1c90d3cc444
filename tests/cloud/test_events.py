"""events through Kinesis, Firehose and the clock, under enforced IAM: 48 hours of them, some of which go wrong."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import backfill
import demo
import demo_events
import progress
import workflow_runs
from generate_events import Settings, records
from local_cloud import fire, root_calls
from local_cloud.control import CloudError
from query import connect
from stream_sender import Sender
from tests.cloud.conftest import RUN_SECONDS, START_SECONDS, Deployed
from tests.cloud.failures import Mailbox, process_id, without
from tests.cloud.rights import needless
from tests.local_cloud.glue_resources import wait_for
from tests.pipelines.test_events import GOLD, differences

pytestmark = pytest.mark.timeout(1500)
SENT = Settings(seed=9, rate=0.008, users=12, duplicates=0.1, late=0.08, malformed=0.03, hot_user=0.2, anonymous=0.05)
HOURS, PARTS = 48, 3
POISON = b'\xff\xfe{"event_uuid": "\x00'
LARGE = b" " * 1_010 * 1024
"""Kinesis takes it, Firehose doesn't."""


@dataclass
class Product:
    """What sends events to the deployed stream, and the clock that runs their layers."""

    deployed: Deployed
    sent: list[bytes] = field(default_factory=list)

    def demonstrate(self) -> None:
        """Lets the demonstration send the first events, and run their layers."""
        printed = io.StringIO()
        steps = progress.Steps(Console(file=printed, width=160), total=demo_events.STEPS)
        demo_events.run(steps, self.deployed.lake, self.deployed.cloud.folder)
        assert steps.number == steps.total
        self.sent = list(self.landed().elements())
        assert printed.getvalue().partition(" events sent")[0].split()[-1] == f"{len(self.sent):,}"

    def send(self, events: list[bytes]) -> None:
        """Sends records to the stream."""
        name = self.deployed.lake.named("streams", "events")
        Sender(self.deployed.client("kinesis"), name).send(events)
        self.sent += events

    def deliver(self) -> None:
        """Waits until all that was sent has landed."""

        def has_landed() -> bool:
            root_calls.flush(self.deployed.cloud, self.deployed.lake.named("streams", "events"))
            return sum(self.landed().values()) >= len(self.sent)

        wait_for("all records in files", has_landed)

    def is_refused(self) -> bool:
        """Whether Firehose has taken records and can't deliver them."""
        try:
            root_calls.flush(self.deployed.cloud, self.deployed.lake.named("streams", "events"))
        except CloudError as error:
            return "AccessDenied" in str(error)
        return False

    def landed(self) -> Counter[bytes]:
        """The records of all files."""
        s3, bucket = self.deployed.client("s3"), self.deployed.bucket("raw")
        keys = self.deployed.objects("raw", "raw/events/")
        bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
        return Counter(line for body in bodies for line in gzip.decompress(body).split(b"\n")[:-1])

    def fire(self, part: str) -> str:
        """Lets a schedule call its function; the run that this starts."""
        glue, workflow = self.deployed.client("glue"), f"oakvale-local-events-{part}"
        known = workflow_runs.run_ids(glue, workflow)
        fire.fire(self.deployed.cloud, workflow)
        return workflow_runs.await_start(glue, workflow, known, START_SECONDS)

    def follow(self, part: str, run: str) -> list[Any]:
        """Waits for the end of a run; its jobs' runs."""
        glue, notes = self.deployed.client("glue"), self.deployed.notes
        return workflow_runs.follow(glue, f"oakvale-local-events-{part}", run, RUN_SECONDS, notes.append)


@pytest.fixture(scope="module")
def product(deployed: Deployed) -> Product:
    """The deployed pipeline."""
    return Product(deployed)


@pytest.fixture(scope="module")
def two_days(product: Product) -> Product:
    """All events: a delivery is refused for a while, a job killed, and records come that nobody can read."""
    product.demonstrate()
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    events = list(records(SENT, now - timedelta(hours=HOURS), HOURS * 3600))
    parts = [events[number * len(events) // PARTS : (number + 1) * len(events) // PARTS] for number in range(PARTS)]
    before = product.landed()
    product.send(parts[0])
    with without(product.deployed, "events-delivery", "PutFiles"):
        wait_for("a delivery that is refused", product.is_refused)
    assert product.landed() == before
    product.deliver()

    product.send(parts[1])
    product.deliver()
    kill_silver(product, product.fire("hourly"))
    product.send([*parts[2], POISON])
    product.deployed.client("kinesis").put_record(
        StreamName=product.deployed.lake.named("streams", "events"), Data=LARGE, PartitionKey="large"
    )
    product.deliver()
    product.follow("hourly", product.fire("hourly"))
    product.follow("daily", product.fire("daily"))
    return product


def kill_silver(product: Product, run: str) -> None:
    """Kills silver's job in the middle of a run of the hour."""
    glue, workflow = product.deployed.client("glue"), "oakvale-local-events-hourly"

    def silver_runs() -> bool:
        found = glue.get_workflow_run(Name=workflow, RunId=run, IncludeGraph=True)["Run"]
        states = {each["JobName"]: each["JobRunState"] for each in workflow_runs.job_runs(found)}
        return states.get("oakvale-local-events-silver") == "RUNNING" and process_id(product.deployed) is not None

    wait_for("silver's job", silver_runs, seconds=RUN_SECONDS)
    process = process_id(product.deployed)
    assert process is not None
    os.killpg(process, signal.SIGKILL)
    with pytest.raises(workflow_runs.WorkflowFailedError, match="oakvale-local-events-silver"):
        product.follow("hourly", run)


@pytest.fixture(scope="module")
def copy(two_days: Product, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The raw files and the lake as files of this machine; a raw file has the time at which the ledger has seen it."""
    folder = two_days.deployed.download(tmp_path_factory.mktemp("copy"))
    seen = connect(folder).execute("SELECT key, modified_at FROM oakvale_bronze.events_files").fetchall()
    for key, modified in seen:
        since = modified.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        os.utime(folder / key, ns=(since // timedelta(microseconds=1) * 1000,) * 2)
    return folder


def test_every_record_is_in_a_file_once_or_set_aside(two_days: Product) -> None:
    assert two_days.landed() == Counter(two_days.sent)
    files = two_days.deployed.objects("raw", "raw/events/")
    assert 4 <= len(files) < len(two_days.sent) / 20
    assert {key[: len("raw/events/2026/")] for key in files} <= {f"raw/events/{year}/" for year in (2026, 2027)}
    (aside,) = two_days.deployed.objects("raw", "undelivered/events/processing-failed/")
    body = two_days.deployed.client("s3").get_object(Bucket=two_days.deployed.bucket("raw"), Key=aside)["Body"].read()
    assert json.loads(body)["errorCode"] == "Firehose.RecordTooLarge"


def test_every_table_equals_the_oracle(copy: Path) -> None:
    assert differences(copy) == {table: ([], []) for table in ("events", *GOLD)}


def test_nothing_is_lost_or_doubled(two_days: Product, copy: Path) -> None:
    asked = connect(copy)
    (bronze,) = asked.execute("SELECT count(*) FROM oakvale_bronze.events").fetchall()
    assert bronze == (len(two_days.sent),)
    (silver,) = asked.execute("SELECT count(*), count(DISTINCT event_uuid) FROM oakvale_silver.events").fetchall()
    assert silver[0] == silver[1] > HOURS * 3600 * SENT.rate * 0.8
    (poisoned,) = asked.execute(
        "SELECT count(*) FROM oakvale_silver.events_quarantine WHERE list_contains(_rules, 'invalid_utf8')"
    ).fetchall()
    assert poisoned == (1,)
    found = [
        (layer, record["outcome"])
        for layer in ("bronze", "silver", "gold")
        for record in two_days.deployed.lake.run_records("events", layer)
    ]
    assert Counter(found) == {
        ("bronze", "succeeded"): 3,
        ("silver", "succeeded"): 2,
        ("silver", "died"): 1,
        ("gold", "succeeded"): 2,
    }


def test_gold_that_is_old_or_of_which_nothing_has_come_is_told_of(two_days: Product) -> None:
    deployed, opened = two_days.deployed, Mailbox(two_days.deployed)
    function = deployed.lake.named("functions", "check_gold")

    def measure(hours: float) -> dict[str, Any]:
        moment = (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
        return backfill.invoke(deployed.client("lambda"), function, {"time": moment})

    try:
        fresh = measure(0)
        assert set(fresh) == set(GOLD)
        assert all(each["hours"] < 1 and each["rows"] > 500 for each in fresh.values())
        cloudwatch = deployed.client("cloudwatch")
        alarms = [f"oakvale-local-{table}-{what}" for table in GOLD for what in ("old", "few")]
        found = cloudwatch.describe_alarms(AlarmNames=alarms)["MetricAlarms"]
        assert {alarm["AlarmName"]: alarm["StateValue"] for alarm in found} == dict.fromkeys(alarms, "OK")
        measure(30)
        found = cloudwatch.describe_alarms(AlarmNames=alarms)["MetricAlarms"]
        assert {alarm["AlarmName"]: alarm["StateValue"] for alarm in found} == dict.fromkeys(alarms, "ALARM")
        messages = {each["AlarmName"]: each for each in map(json.loads, opened.read(len(alarms)))}
        assert set(messages) == set(alarms)
        assert "was last written over 26 hours ago" in messages["oakvale-local-events_by_day-old"]["AlarmDescription"]
    finally:
        opened.close()


@pytest.mark.parametrize(
    ("role", "not_asked_for"),
    [
        ("events-delivery", {"UseKey", "WriteLogs", "FindBucket"}),
        ("events-start_layers", {"UseKey", "WriteLogs", "EncryptReports", "ReportFailures", "Trace"}),
        ("check_gold", {"UseKey", "WriteLogs", "EncryptReports", "ReportFailures", "Trace"}),
        ("events-bronze", {"UseKey", "PublishMetrics"}),
        ("events-silver", {"UseKey", "PublishMetrics", "ReadLogsOfReaders"}),
        ("events-gold", {"UseKey", "PublishMetrics"}),
    ],
)
def test_every_statement_is_needed(two_days: Product, role: str, not_asked_for: set[str]) -> None:
    assert needless(two_days.deployed, role) == not_asked_for


def test_every_query_of_the_demonstration_has_an_answer(two_days: Product) -> None:
    deployed = two_days.deployed
    counted = demo.ask_athena(deployed.lake, {"bronze": 'SELECT count(*) AS n FROM "{bronze}".events'})
    assert counted["bronze"].rows == [(str(len(two_days.sent)),)]
    answers = demo.ask_athena(deployed.lake, demo_events.QUERIES)
    assert [title for title, answer in answers.items() if not answer.rows] == []
