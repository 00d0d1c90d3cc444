"""What the tests of retail do on the laptop cloud: land files, watch runs of the state machine, read what is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import executions
from generate_retail import FIRST_DAY, Settings, generate
from tests.cloud.conftest import RUN_SECONDS, Deployed
from tests.cloud.failures import Mailbox
from tests.local_cloud.glue_resources import wait_for
from tests.traces import tells_of

SHOP = Settings(seed=8, orders=6, products=3, customers=5, late=0.3, corrections=0.2, duplicates=0.1, dirt=0.03)
DAYS = 15

PERSON = "987654321012"
"""A customer whom one file of orders and one of items name, each beside somebody else."""
ORDERS = (
    "order_num,order_id,user_id,order_timestamp,total_amount,date\n"
    f"1,9001,{PERSON},2026-11-01T10:00:00Z,10.00,2026-11-01\n"
    "1,9002,77,2026-11-01T10:00:00Z,20.00,2026-11-01\n"
    f"2,9003,{PERSON},2026-11-01T11:00:00Z,much,2026-11-01\n"
)
ITEMS = (
    "id,order_id,user_id,days_since_prior_order,product_id,add_to_cart_order,reordered,order_timestamp,date\n"
    f"9101,9001,{PERSON},,7700,1,0,2026-11-01T10:00:00Z,2026-11-01\n"
    "9102,9002,77,,7700,1,0,2026-11-01T10:00:00Z,2026-11-01\n"
)
PERSONS_FILES = {
    "raw/retail/products/of 77 + é.csv": "product_id,department_id,department,product_name\n7700,1,produce,Kale\n",
    "raw/retail/orders/of 77 + é.csv": ORDERS,
    "raw/retail/order_items/of 77 + é.csv": ITEMS,
}


def files() -> dict[str, bytes]:
    """Fifteen days of files by key below the raw bucket; the keys hold what names of files may hold."""
    days = [generate(FIRST_DAY + timedelta(days=day), SHOP) for day in range(DAYS)]
    return {f"raw/{key}".replace(".csv", " é+&.csv"): body for day in days for key, body in day.items()}


def without_person() -> dict[str, bytes]:
    """The files that name the person, without the lines that do."""
    kept = {
        key: "".join(line for line in text.splitlines(keepends=True) if PERSON not in line)
        for key, text in PERSONS_FILES.items()
    }
    return {key: text.encode() for key, text in kept.items()}


def versions_of(deployed: Deployed, person: str) -> list[str]:
    """The keys of all versions of raw files and of objects of the lake that tell of a person."""
    s3, found = deployed.client("s3"), []
    for bucket in (deployed.bucket(name) for name in ("raw", "lake")):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for each in page.get("Versions", []):
                version = s3.get_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
                if tells_of(person, each["Key"], version["Body"].read()):
                    found.append(each["Key"])
    return found


class Shop:
    """The deployed retail pipeline."""

    def __init__(self, deployed: Deployed) -> None:
        self.deployed, self.raw = deployed, deployed.bucket("raw")
        self.machine = deployed.lake.named("state_machines", "retail")
        self.s3, self.sqs, self.states = (deployed.client(name) for name in ("s3", "sqs", "stepfunctions"))
        self.queue = self.sqs.get_queue_url(QueueName="oakvale-local-retail-arrivals")["QueueUrl"]
        self._put: set[str] = set()
        self._lock = threading.Lock()

    def land(self, key: str, body: bytes) -> None:
        """Puts a file when it is named for the first time, else sends its event once more."""
        with self._lock:
            first, self._put = key not in self._put, self._put | {key}
        if first:
            self.s3.put_object(Bucket=self.raw, Key=key, Body=body)
        else:
            event = {"detail": {"bucket": {"name": self.raw}, "object": {"key": key}}}
            self.sqs.send_message(QueueUrl=self.queue, MessageBody=json.dumps(event))

    def ask(self) -> str:
        """Asks for a run by hand; its name."""
        function = self.deployed.lake.named("functions", "retail-start_runs")
        return executions.ask_for_run(self.deployed.client("lambda"), function)

    def runs(self) -> list[str]:
        """The names of all runs that the function has started."""
        return [name for name in executions.names(self.states, self.machine) if name.startswith("run-")]

    def status(self, run: str) -> str:
        """How a run is."""
        execution = executions.arn_of(self.machine, run)
        return str(self.states.describe_execution(executionArn=execution)["status"])

    def events(self, run: str) -> list[dict[str, Any]]:
        """Its history."""
        execution = executions.arn_of(self.machine, run)
        pages = self.states.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event for page in pages for event in page["events"]]

    def steps(self, run: str) -> list[str]:
        """The states that it has entered."""
        details = [event.get("stateEnteredEventDetails") for event in self.events(run)]
        return [each["name"] for each in details if each]

    def watch(self, run: str, at_step: Callable[[str], object]) -> str:
        """Waits for the end of a run and tells of each state that it enters; its status."""
        seen, deadline = 0, time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline:
            status, steps = self.status(run), self.steps(run)
            for step in steps[seen:]:
                at_step(step)
            seen = len(steps)
            if status != "RUNNING":
                return status
            time.sleep(0.1)
        raise AssertionError(f"{run} has not ended within {RUN_SECONDS:.0f} s: {self.steps(run)}")

    def job_runs(self, run: str) -> list[dict[str, Any]]:
        """The runs of its jobs, each attempt of its own."""
        return executions.job_runs(self.events(run))

    def await_rest(self) -> None:
        """Waits until nothing runs and nothing is left to be taken."""

        def is_at_rest() -> bool:
            names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            counts = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]
            found = self.s3.get_object(Bucket=self.deployed.bucket("lake"), Key="arrivals/retail.json")["Body"].read()
            idle = not json.loads(found)["running"] and not any(int(count) for count in counts.values())
            return idle and all(self.status(run) != "RUNNING" for run in self.runs())

        wait_for("the end of all runs", is_at_rest, seconds=RUN_SECONDS)


def told(mailbox: Mailbox, beginning: str) -> str:
    """The first message that begins so; what other parts of the cloud say is passed over."""
    found: list[str] = []

    def has_come() -> bool:
        for message in mailbox.sqs.receive_message(QueueUrl=mailbox.url, WaitTimeSeconds=1).get("Messages", []):
            mailbox.sqs.delete_message(QueueUrl=mailbox.url, ReceiptHandle=message["ReceiptHandle"])
            found.append(message["Body"])
        return any(message.startswith(beginning) for message in found)

    wait_for(f"a message that begins with {beginning}", has_come)
    return next(message for message in found if message.startswith(beginning))
