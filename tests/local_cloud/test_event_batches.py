"""Batches of events, gathered in this process: what stays behind of them."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from local_cloud import event_batches, glue_workflow_progress, glue_workflow_runs
from tests.local_cloud.glue_resources import wait_for


def test_full_batches_leave_no_timers(monkeypatch: pytest.MonkeyPatch) -> None:
    trigger = {"Name": "lone", "WorkflowName": "lone", "Type": "EVENT", "State": "ACTIVATED"}
    started: list[Any] = []
    monkeypatch.setattr(glue_workflow_runs, "start_triggers", lambda workflow: [trigger])
    monkeypatch.setattr(event_batches.glue, "_triggers", {"lone": trigger})
    monkeypatch.setattr(glue_workflow_progress, "start_by_events", lambda *given: started.append(given))
    for number in range(50):
        event_batches.notify("lone", f"event-{number}")
    wait_for("the starts", lambda: len(started) == 50)

    def timers() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]

    wait_for("the end of the timers", lambda: not timers(), seconds=5)
    assert all(batch == {"BatchSize": 1} for *_, batch in started)
