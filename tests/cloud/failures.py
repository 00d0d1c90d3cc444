"""What the tests of failures look at: runs of the workflow and their processes, run records, the topic's messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any

import psutil

import backfill
import workflow_runs
from tests.cloud.conftest import Deployed
from tests.local_cloud.glue_resources import wait_for


class Mailbox:
    """A queue that gets what the topic tells people."""

    def __init__(self, deployed: Deployed, topic_of: str = "alerts") -> None:
        self.sqs, self.sns = deployed.client("sqs"), deployed.client("sns")
        topic = deployed.lake.outputs[f"{topic_of}_topic_arn"]
        self.url = self.sqs.create_queue(QueueName=f"{topic_of}-in-tests")["QueueUrl"]
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


def newest_run(deployed: Deployed) -> dict[str, Any]:
    """The newest run of the workflow, as Glue tells it."""
    glue, workflow = deployed.client("glue"), deployed.lake.named("workflows", "movies")
    *_, run_id = workflow_runs.run_ids(glue, workflow)
    run: dict[str, Any] = glue.get_workflow_run(Name=workflow, RunId=run_id, IncludeGraph=True)["Run"]
    return run


def newest_runs(deployed: Deployed) -> list[dict[str, Any]]:
    """The jobs' runs in it, in their order."""
    return workflow_runs.job_runs(newest_run(deployed))


def attempts(deployed: Deployed) -> list[tuple[str, str]]:
    """Layer and state of each of them."""
    return [(each["JobName"].rpartition("-")[2], each["JobRunState"]) for each in newest_runs(deployed)]


def counts(deployed: Deployed) -> dict[str, int]:
    """What the newest run of the workflow counts."""
    return {name: count for name, count in newest_run(deployed)["Statistics"].items() if count}


def raised(job_run: dict[str, Any]) -> str:
    """The reason in Glue's event of a job's run that has failed."""
    run = f"JobName:{job_run['JobName']} and JobRunId:{job_run['Id']}"
    return f"{run} failed to execute with exception {job_run['ErrorMessage']}"


def records(deployed: Deployed, layer: str) -> list[dict[str, Any]]:
    """The records of all runs of a layer."""
    return list(deployed.lake.run_records("movies", layer))


def check_recorded(deployed: Deployed, job_run: dict[str, Any], error: str, before: list[dict[str, Any]]) -> None:
    """The run died without a record, so the rule's function has written it; no other record is new."""
    layer, mark = job_run["JobName"].rpartition("-")[2], hashlib.sha256(job_run["Id"].encode()).hexdigest()[:8]
    started, finished = (job_run[name].astimezone(UTC) for name in ("StartedOn", "CompletedOn"))
    died = {
        "run_id": f"{started:%Y%m%dT%H%M%SZ}-{mark}",
        "pipeline": "movies",
        "layer": layer,
        "mode": "run",
        "job_run_id": job_run["Id"],
        "started_at": started.isoformat(),
        "outcome": "died",
        "error": error,
        "finished_at": finished.isoformat(),
        "seconds": round((finished - started).total_seconds(), 3),
        "files": {},
        **dict.fromkeys(("late_files", "rows_in", "rows_out", "rows_rejected", "rows_waiting")),
        **{name: [] for name in ("accounts", "refreshed", "restored", "compared", "maintained")},
        "undeclared_fields": {},
        "erased": {},
    }
    wait_for("the record of a run that died", lambda: len(records(deployed, layer)) > len(before))
    assert records(deployed, layer) == [*before, died]


def record_again(deployed: Deployed, job_run: dict[str, Any]) -> str:
    """What becomes of the rule's call of the function when it comes once more."""
    detail = {"jobName": job_run["JobName"], "jobRunId": job_run["Id"], "message": "once more"}
    function = deployed.lake.named("functions", "record_failed_run")
    return str(backfill.invoke(deployed.client("lambda"), function, {"detail": detail})["outcome"])


def process_id(deployed: Deployed) -> int | None:
    """The number of the process of a job, once there is one."""
    begun = (each.info for each in psutil.process_iter(["pid", "ppid", "cmdline"]))
    ours = (each for each in begun if each["ppid"] == deployed.cloud.pid)
    return next((each["pid"] for each in ours if "--JOB_RUN_ID" in (each["cmdline"] or ())), None)


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
    assert "wait for the next files or the next hour, or start one (make run)" in next_step


@contextmanager
def without(deployed: Deployed, role: str, sid: str) -> Iterator[None]:
    """The role lacks one of its statements."""
    iam, name = deployed.client("iam"), deployed.role(role)
    (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    fewer = [statement for statement in document["Statement"] if statement["Sid"] != sid]
    assert len(fewer) == len(document["Statement"]) - 1
    iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps({**document, "Statement": fewer}))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
