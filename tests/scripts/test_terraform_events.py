"""Terraform's events become lines for people, and its errors stay whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

import terraform_events


def event(kind: str, message: str = "", **more: Any) -> str:
    """A line of `terraform apply -json`."""
    return json.dumps({"type": kind, "@message": message, "@timestamp": "2026-11-21T11:22:48Z", **more}) + "\n"


def finished(address: str, action: str, seconds: float = 0) -> str:
    """The end of the work on one resource."""
    hook = {"resource": {"addr": address}, "action": action, "elapsed_seconds": seconds}
    return event("apply_complete", f"{address}: complete", hook=hook)


def summary(operation: str, **changes: int) -> str:
    """How much is to be done, or was."""
    return event("change_summary", "Plan: so much", changes={"import": 0, **changes, "operation": operation})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which stands until it is set."""
    now = [100.0]
    monkeypatch.setattr(terraform_events.time, "monotonic", lambda: now[0])
    return now


def test_each_resource_is_counted_once(clock: list[float]) -> None:
    lines: list[str] = []
    progress = terraform_events.Progress(lines.append)
    progress.take(event("version", "Terraform 1.11.4"))
    progress.take(summary("plan", add=8, change=1, remove=1))
    clock[0] = 112.4
    progress.take(finished("data.aws_region.here", "read"))
    progress.take(finished("aws_s3_bucket.raw", "create", 3))
    progress.take(finished("aws_sns_topic.alerts", "update"))
    clock[0] = 170
    for action in ("delete", "create"):
        progress.take(finished("module.lake.aws_kms_key.this", action, 8.0))
    progress.take(summary("apply", add=8, change=1, remove=1))
    assert lines == [
        "Plan: so much",
        " 1/10    12 s  created aws_s3_bucket.raw (3 s)",
        " 2/10    12 s  changed aws_sns_topic.alerts",
        " 3/10    70 s  deleted module.lake.aws_kms_key.this (8 s)",
        " 4/10    70 s  created module.lake.aws_kms_key.this (8 s)",
    ]
    assert progress.errors == []


def test_a_saved_plan_tells_no_number_of_changes(clock: list[float]) -> None:
    lines: list[str] = []
    terraform_events.Progress(lines.append).take(finished("aws_s3_bucket.raw", "create"))
    assert lines == ["1     0 s  created aws_s3_bucket.raw"]


def test_slow_work_is_named_when_nothing_else_is(clock: list[float]) -> None:
    lines: list[str] = []
    progress = terraform_events.Progress(lines.append)
    progress.take(summary("plan", add=2, change=0, remove=0))
    for seconds in (110, 116, 120, 132):
        clock[0] = seconds
        progress.take(event("apply_progress", f"a: Still creating... [{seconds}]"))
    assert lines[1:] == ["0/2    16 s  a: Still creating... [116]", "0/2    32 s  a: Still creating... [132]"]


def test_an_error_is_kept_whole() -> None:
    lines: list[str] = []
    progress = terraform_events.Progress(lines.append)
    found = {
        "severity": "error",
        "summary": "creating S3 Bucket (raw): AccessDenied",
        "detail": "not allowed\nby a policy",
        "address": "module.lake.aws_s3_bucket.raw",
        "range": {"filename": "modules/lake/buckets.tf", "start": {"line": 7}},
        "snippet": {"code": 'resource "aws_s3_bucket" "raw" {'},
    }
    logged = progress.take(event("diagnostic", "Error: creating", diagnostic=found))
    assert progress.errors == [logged]
    assert logged == (
        "Error: creating S3 Bucket (raw): AccessDenied\n"
        "  with module.lake.aws_s3_bucket.raw, on modules/lake/buckets.tf line 7\n"
        '    resource "aws_s3_bucket" "raw" {\n'
        "not allowed\nby a policy"
    )
    assert lines == []


def test_a_warning_is_said_and_is_no_error() -> None:
    lines: list[str] = []
    progress = terraform_events.Progress(lines.append)
    found = {"severity": "warning", "summary": "Argument is deprecated", "detail": "", "snippet": None}
    assert progress.take(event("diagnostic", diagnostic=found)) == "Warning: Argument is deprecated"
    assert (lines, progress.errors) == (["warning: Argument is deprecated"], [])


@pytest.mark.parametrize("line", ["panic: runtime error\n", "7\n", '{"no": "event"}\n'])
def test_what_is_no_event_counts_as_an_error(line: str) -> None:
    progress = terraform_events.Progress(lambda _: None)
    assert progress.take(line) == line.rstrip()
    assert progress.errors == [line.rstrip()]


def test_the_log_has_time_and_message() -> None:
    progress = terraform_events.Progress(lambda _: None)
    assert progress.take(event("apply_start", "a: Creating...")) == "2026-11-21T11:22:48Z a: Creating..."
