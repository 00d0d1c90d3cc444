"""EventBridge's NotifyEvent: what the EVENT trigger of a Glue workflow does with events.

A trigger gathers events until its batch is full or, from the first event on, its window is over, and then
starts the workflow; events that come later make the next batch. Gathered events are in memory only. Of a
workflow at its MaxConcurrentRuns: glue_workflow_progress.start_by_events.
"""

from __future__ import annotations

import contextvars
import logging
import threading
from dataclasses import dataclass, field

from ministack.core.responses import get_account_id, get_region
from ministack.services import glue

from local_cloud import glue_workflow_progress, glue_workflow_runs

LOG = logging.getLogger("oakvale.glue")

LONGEST_WINDOW = 900  # seconds; what a trigger without a window waits
ARMED = ("CREATED", "ACTIVATED")


@dataclass
class Batch:
    """Events that wait for the others of their batch."""

    window: int
    events: list[str] = field(default_factory=list)
    timer: threading.Timer = field(init=False)


_batches: dict[tuple[str, str, str], Batch] = {}
_lock = threading.Lock()


class NotTakenError(Exception):
    """An event that nothing takes: EventBridge's failed invocation."""


def notify(workflow: str, event: str) -> None:
    """Takes an event, by its id, for a workflow of the caller's account and region; never waits for the jobs."""
    armed = [
        trigger
        for trigger in glue_workflow_runs.start_triggers(workflow)
        if trigger["Type"] == "EVENT" and trigger["State"] in ARMED
    ]
    if not armed:
        raise NotTakenError(
            f"workflow {workflow} doesn't exist or has no EVENT trigger that is on: event {event} is lost"
        )
    name = armed[0]["Name"]
    condition = armed[0].get("EventBatchingCondition", {})
    key = (get_account_id(), get_region(), name)
    with _lock:
        if key not in _batches:
            _batches[key] = Batch(condition.get("BatchWindow", LONGEST_WINDOW))
            _batches[key].timer = _later(_batches[key].window, key, _batches[key])
        batch = _batches[key]
        batch.events.append(event)
        full = len(batch.events) >= condition.get("BatchSize", 1)
        if full:
            del _batches[key]
            batch.timer.cancel()  # a thread that would sleep until the window is over
    if full:
        _later(0, key, batch)


def _later(seconds: int, key: tuple[str, str, str], batch: Batch) -> threading.Timer:
    """Starts the workflow of a batch, in another thread: whoever causes an event never waits for what it starts."""
    context = contextvars.copy_context()
    timer = threading.Timer(seconds, context.run, args=(_start, key, batch))
    timer.daemon = True
    timer.start()
    return timer


def _start(key: tuple[str, str, str], batch: Batch) -> None:
    with _lock:
        if _batches.get(key) is batch:
            del _batches[key]
        events, batch.events = batch.events, []
    if not events:
        return  # the batch was full at the moment when its window was over
    trigger = glue._triggers.get(key[2])
    if trigger is None:
        LOG.warning("trigger %s is gone: its events %s are lost", key[2], events)
        return
    condition = trigger.get("EventBatchingCondition", {})
    full = len(events) >= condition.get("BatchSize", 1)
    reason = {"BatchSize": len(events)} if full else {"BatchWindow": batch.window}
    properties = {"aws:eventIds": f"[{', '.join(events)}]"}
    try:
        glue_workflow_progress.start_by_events(trigger["WorkflowName"], trigger, properties, reason)
    except Exception:
        LOG.exception("trigger %s can't start its workflow: its events %s are lost", key[2], events)
