"""Starts the runs of a pipeline's state machine: one at a time, and always another one when files have landed since.

Three callers: the queue of S3's events, a run that begins or ends, and a person, with an empty event, who wants a run.
Events that come twice or in any order change nothing: a run takes what lies in raw/, not what the events name.
"""

from __future__ import annotations

import json
import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

from arrivals import ArrivalsError, Store
from patience import PATIENCE

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_stepfunctions import SFNClient

STEPS = ("begin", "end")
RUN = "run-{:06d}"
"""The name of an execution; Step Functions takes no name twice within 90 days, so that no run is started twice."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Take note of landed files (`Records`), of a run's `step`, or of somebody's wish (`{}`); start what is due."""
    if "Records" in event:
        return take_messages(event["Records"])
    if "step" in event:
        return take_step(event["step"], event["run"])
    if event:
        raise ValueError(f"unknown event with {', '.join(sorted(event))}: {{}} asks for a run")
    return {"run": start(_store().change(lambda arrivals: arrivals.called()).number)}


def take_messages(records: list[dict[str, Any]]) -> dict[str, Any]:
    """A run is due if any file is one of a known table; messages that can't be read go back to their queue."""
    keys, failed = [], []
    for record in records:
        try:
            keys.append(str(json.loads(record["body"])["detail"]["object"]["key"]))
        except (ValueError, KeyError, TypeError) as error:
            print(json.dumps({"message": record["messageId"], "error": f"isn't an event of S3: {error!r}"}))
            failed.append({"itemIdentifier": record["messageId"]})
    prefixes = json.loads(os.environ["PREFIXES"])
    known = [key for key in keys if key.startswith(tuple(prefixes))]
    unknown = sorted({key for key in keys if key not in known and not key.endswith("/")})
    run = start(_store().change(lambda arrivals: arrivals.called()).number) if known else None
    if unknown:
        report(unknown, prefixes)
    return {"run": run, "unknown": unknown, "batchItemFailures": failed}


def take_step(step: str, run: str) -> dict[str, Any]:
    """A run says that it is about to look for files, or that it ends; then another may be due."""
    if step not in STEPS:
        raise ValueError(f"unknown step {step!r}: a run begins or ends")
    number = number_of(run)
    if step == "begin":
        if number is None:
            raise ArrivalsError(
                f"execution {run} was started by hand; use make run, or invoke the function with an empty event"
            )
        _store().change(lambda arrivals: arrivals.begun(number))
        return {"run": run}
    if number is None:
        return {"run": run, "next": None}  # its turn has never come
    arrivals = _store().change(lambda arrivals: arrivals.ended(number))
    # Also when a call that was cut off has already said that this run ends.
    return {"run": run, "next": start(arrivals.number) if arrivals.running and arrivals.number != number else None}


def number_of(run: str) -> int | None:
    """The number of a run; None of an execution that somebody has named otherwise."""
    number = run.rpartition("-")[2]
    return int(number) if number.isdecimal() and RUN.format(int(number)) == run else None


def start(number: int) -> str:
    """Makes sure that run `number` goes on, or one after it if that was aborted; the name of the run."""
    states, machine = _states(), os.environ["STATE_MACHINE"]
    while True:
        name = RUN.format(number)
        try:
            states.start_execution(stateMachineArn=machine, name=name, input="{}")
        except states.exceptions.ExecutionAlreadyExists:
            execution = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
            if states.describe_execution(executionArn=execution)["status"] == "RUNNING":
                return name
            arrivals = _store().change(lambda arrivals, ended=number: arrivals.abandoned(ended))  # type: ignore[misc]
            if not arrivals.running:
                return name  # it has ended by itself meanwhile, and has looked again
            number = arrivals.number
        else:
            return name


def report(unknown: list[str], prefixes: list[str]) -> None:
    """Tells people of files that no table takes; they stay where they are."""
    pipeline, bucket = os.environ["PIPELINE"], os.environ["RAW_BUCKET"]
    lines = [f"No table of {pipeline} takes these files, so they stay where they are:"]
    lines += [f"  s3://{bucket}/{key}" for key in unknown[:50]]
    lines += [f"  and {len(unknown) - 50} more"] if len(unknown) > 50 else []
    lines += ["Files are taken from:", *(f"  s3://{bucket}/{prefix}" for prefix in prefixes)]
    lines += ["Copy a file there if it belongs to that table, and delete it here."]
    _sns().publish(
        TopicArn=os.environ["TOPIC"], Subject=f"{pipeline}: files that no table takes", Message="\n".join(lines)
    )


@cache
def _store() -> Store:
    key = f"arrivals/{os.environ['PIPELINE']}.json"
    return Store(boto3.client("s3", config=PATIENCE), os.environ["LAKE_BUCKET"], key)


@cache
def _states() -> SFNClient:
    return boto3.client("stepfunctions", config=PATIENCE)


@cache
def _sns() -> SNSClient:
    return boto3.client("sns", config=PATIENCE)
