"""events in the demonstration: a stream, files by the hour of arrival, and two schedules that run the layers."""

from __future__ import annotations

import gzip
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import deployment
import generate_events
import progress
import run_pipeline
import workflow_runs
from local_cloud import control, fire
from stream_sender import Sender

STEPS = 4
SENT = generate_events.Settings(seed=5, rate=0.02)
HOURS = 36
DELIVERY_SECONDS, START_SECONDS, RUN_SECONDS, POLL_SECONDS = 120.0, 120.0, 900.0, 0.5
QUERIES = {
    "Events by kind (the ten most frequent of a day)": (
        "SELECT event_type, event_subtype, event_date, events, users FROM events_by_day "
        "ORDER BY events DESC, event_date, event_type, event_subtype LIMIT 10"
    ),
    "From an account to a payment on one day": "SELECT * FROM funnel_by_day ORDER BY event_date, step",
    "Sessions by day": "SELECT * FROM sessions_by_day ORDER BY event_date",
    "Quarantine of events by reason": (
        "SELECT reason, count(*) AS records, min(_record_id) AS for_example "
        'FROM "{silver}".events_quarantine CROSS JOIN UNNEST(_rules) AS failed (reason) '
        "GROUP BY reason ORDER BY records DESC, reason"
    ),
}


def run(steps: progress.Steps, deployed: deployment.Deployment, folder: Path) -> None:
    """Sends a product's events, waits for their files, and fires the hour's schedule and then the day's."""
    known = _files(deployed)
    sent = steps.run(f"a product sends {HOURS} hours of events to Kinesis", lambda: send(steps, deployed))
    steps.run("Firehose writes them as files, many events in each", lambda: await_files(steps, deployed, known, sent))
    hourly, daily = deployed.outputs["scheduled_workflows"]["events"]
    runs = steps.run(
        "the hour's schedule calls a function: bronze, silver", lambda: follow(steps, deployed, folder, hourly)
    )
    runs += steps.run("the day's schedule does: gold", lambda: follow(steps, deployed, folder, daily))
    run_pipeline.show_records(steps.console, deployed, "events", runs)


def send(steps: progress.Steps, deployed: deployment.Deployment) -> int:
    """Sends the events of the hours before this one, some of which are late, repeated or broken; how many."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS)
    sender = Sender(deployed.client("kinesis"), deployed.named("streams", "events"))
    sender.send(generate_events.records(SENT, start, HOURS * 3600))
    steps.note(f"{sender.sent:,} events sent")
    return sender.sent


def await_files(steps: progress.Steps, deployed: deployment.Deployment, known: list[str], sent: int) -> None:
    """Waits until files other than these hold so many records."""
    s3, bucket = deployed.client("s3"), deployed.outputs["raw_bucket"]
    deadline, records = time.monotonic() + DELIVERY_SECONDS, dict[str, int]()
    while sum(records.values()) < sent:
        if time.monotonic() > deadline:
            raise workflow_runs.WorkflowFailedError(f"of {sent} events, {sum(records.values())} have landed in time")
        time.sleep(POLL_SECONDS)
        for key in [each for each in _files(deployed) if each not in known and each not in records]:
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            records[key] = gzip.decompress(body).count(b"\n")
            steps.note(f"{key}: {records[key]:,} events")


def _files(deployed: deployment.Deployment) -> list[str]:
    listed = deployed.client("s3").list_objects_v2(Bucket=deployed.outputs["raw_bucket"], Prefix="raw/events/")
    return [each["Key"] for each in listed.get("Contents", [])]


def follow(steps: progress.Steps, deployed: deployment.Deployment, folder: Path, schedule: str) -> list[Any]:
    """Fires a schedule, and follows the run of the workflow of its name to its end; the runs of its jobs."""
    glue, cloud = deployed.client("glue"), control.running(folder)
    if cloud is None:
        raise control.CloudError(f"the cloud in {folder} has stopped")
    known = workflow_runs.run_ids(glue, schedule)
    fire.fire(cloud, schedule)
    started = workflow_runs.await_start(glue, schedule, known, START_SECONDS)
    return workflow_runs.follow(glue, schedule, started, RUN_SECONDS, steps.note)
