"""What fails is seen: in run state, run record, message and exit code. Without its cause, the next run heals it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import backfill
import run_workflow
import status
import workflow_runs
from local_cloud import control
from tests.cloud.conftest import FIRST, LAYERS, SETTINGS, Deployed
from tests.local_cloud.glue_resources import wait_for
from tests.pipelines.test_movies import differences

Run = Callable[..., tuple[int, str]]


class Mailbox:
    """A queue that gets what the topic tells people."""

    def __init__(self, deployed: Deployed) -> None:
        self.sqs, self.sns = deployed.client("sqs"), deployed.client("sns")
        topic = deployed.lake.outputs["alerts_topic_arn"]
        self.url = self.sqs.create_queue(QueueName="alerts-in-tests")["QueueUrl"]
        queue = self._attribute("QueueArn")
        right = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        only = {"Resource": queue, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}
        policy = {"Version": "2012-10-17", "Statement": [{**right, **only}]}
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": json.dumps(policy)})
        raw = {"RawMessageDelivery": "true"}
        subscribed = self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes=raw)
        self.subscription = subscribed["SubscriptionArn"]

    def read(self, count: int) -> list[str]:
        """The messages, of which there are so many and no more."""
        found: list[str] = []

        def all_there() -> bool:
            for message in self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=1).get("Messages", []):
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                found.append(message["Body"])
            return len(found) >= count

        wait_for(f"{count} messages", all_there)
        assert (len(found), self._attribute("ApproximateNumberOfMessages")) == (count, "0"), found
        return found

    def close(self) -> None:
        """Leaves topic and cloud as they were."""
        self.sns.unsubscribe(SubscriptionArn=self.subscription)
        self.sqs.delete_queue(QueueUrl=self.url)

    def _attribute(self, name: str) -> str:
        return str(self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])["Attributes"][name])


@pytest.fixture
def mailbox(deployed: Deployed) -> Iterator[Mailbox]:
    """What the topic says during one test."""
    opened = Mailbox(deployed)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def by_hand(deployed: Deployed) -> Iterator[Deployed]:
    """A lake with films, where landed files start nothing: the tests start each run."""
    if not deployed.days:
        deployed.land_days(1)
    events, rule = deployed.client("events"), f"{deployed.lake.named('workflows', 'movies')}-start"
    events.disable_rule(Name=rule)
    yield deployed
    events.enable_rule(Name=rule)


@pytest.fixture
def run(by_hand: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a script as its command line does; gives its exit code and what it printed, with single spaces."""
    monkeypatch.setattr(control, "running", lambda: by_hand.cloud)

    def script(module: ModuleType, *arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", [str(module.__file__), "--environment", "local", *arguments])
        capsys.readouterr()
        code = module.main()
        return code, " ".join(capsys.readouterr().out.split())

    return script


def land(deployed: Deployed) -> None:
    """The file of one more day, so that the next run has something to do."""
    event = {"date": (FIRST + timedelta(days=deployed.days)).isoformat(), **SETTINGS}
    function = deployed.lake.named("functions", "generate_movies")
    assert backfill.invoke(deployed.client("lambda"), function, event)["outcome"] == "written"
    deployed.days += 1


def newest_run(deployed: Deployed) -> dict[str, Any]:
    """The newest run of the workflow, as Glue tells it."""
    glue, workflow = deployed.client("glue"), deployed.lake.named("workflows", "movies")
    *_, run_id = workflow_runs.run_ids(glue, workflow)
    run: dict[str, Any] = glue.get_workflow_run(Name=workflow, RunId=run_id, IncludeGraph=True)["Run"]
    return run


def attempts(deployed: Deployed) -> list[tuple[str, str]]:
    """Layer and state of each job's run in the newest run of the workflow."""
    runs = workflow_runs.job_runs(newest_run(deployed))
    return [(each["JobName"].rpartition("-")[2], each["JobRunState"]) for each in runs]


def check_message(message: str, job_run: dict[str, Any], reason: str) -> None:
    """It says which job, in which environment, how it ended, why, where its log is, and what to do."""
    what, why, where, next_step = message.splitlines()
    assert what.startswith(f'"The Glue job {job_run["JobName"]} ended as {job_run["JobRunState"]} at 20')
    assert why == f'"Reason: {reason}"'
    assert job_run["LogGroupName"].startswith("/oakvale-local/glue/")
    assert where == (
        f'"Its log is in CloudWatch, in the log groups that begin with /oakvale-local/glue/, '
        f'in the stream {job_run["Id"]}."'
    )
    assert "start the workflow again, or wait for the next files" in next_step


def check_failed_twice(deployed: Deployed, mailbox: Mailbox, error: str) -> list[dict[str, Any]]:
    """Bronze failed, was tried again and failed, as the API and two messages say; nothing followed it."""
    workflow_run = newest_run(deployed)
    runs = workflow_runs.job_runs(workflow_run)
    assert attempts(deployed) == [("bronze", "FAILED")] * 2
    counts = {name: count for name, count in workflow_run["Statistics"].items() if count}
    assert counts == {"TotalActions": 1, "FailedActions": 1}
    assert [each["ErrorMessage"] for each in runs] == [error] * 2
    for message, each in zip(mailbox.read(2), runs, strict=True):
        told = f"JobName:{each['JobName']} and JobRunId:{each['Id']} failed to execute with exception {error}"
        check_message(message, each, told)
    return runs


def check_told(run: Run, job_run: dict[str, Any], reason: str) -> None:
    """`make status` fails and says why."""
    code, printed = run(status)
    told = " (tried again)" if job_run["Attempt"] else ""
    assert code == 1
    assert f"error: job {job_run['JobName']} {job_run['JobRunState'].lower()}{told}: {reason}" in printed
    assert f"log: group {job_run['LogGroupName']}/error, stream {job_run['Id']}" in printed


def check_healed(deployed: Deployed, run: Run, folder: Path) -> None:
    """The next run succeeds, nothing is missing or double, and the failure isn't shown any more."""
    code, printed = run(run_workflow, "--pipeline", "movies")
    assert code == 0, printed
    assert attempts(deployed) == [(layer, "SUCCEEDED") for layer in LAYERS]
    check_lake(deployed, folder)
    assert run(status)[0] == 0


def check_lake(deployed: Deployed, folder: Path) -> None:
    """Every table equals the oracle over all files that have landed."""
    assert len(deployed.objects("raw", "raw/movies/")) == len(deployed_files(deployed))
    found = differences(deployed.download(folder))
    assert {name: difference[1:] for name, difference in found.items()} == dict.fromkeys(found, (0, 0))
    assert found["silver_movies"][0] > 0


def record_ids(deployed: Deployed, layer: str) -> list[str]:
    """The runs of a layer that have left a record."""
    return [record["run_id"] for record in deployed.lake.run_records("movies", layer)]
