"""The batching window of Lambda's queues: MiniStack hands over messages at once, and ten of them at most.

As on AWS, a function gets its messages when there are as many as its batch holds, or when its window is over since the
first of them could be received.
"""

from __future__ import annotations

import time
from typing import Any

from ministack.services import lambda_svc, sqs

from local_cloud.replacements import replace, require

RECEIVED_AT_ONCE = 10
"""What SQS gives in one call."""

_first_seen: dict[str, float] = {}


def install() -> None:
    """Puts this part into MiniStack."""
    require(lambda_svc, "_iter_all_esms", ())
    require(sqs, "_queues")
    require(sqs, "_queues_lock")
    require(sqs, "_dlq_sweep", ["q"])

    def receive(queue_url: str, max_number: int) -> list[dict[str, Any]]:
        if not _is_due(queue_url, max_number):
            # Lambda has received what waits for its batch, so what came back too often leaves the queue meanwhile.
            with sqs._queues_lock:
                sqs._dlq_sweep(sqs._queues[queue_url])
            return []
        _first_seen.pop(queue_url, None)
        batch: list[dict[str, Any]] = []
        while len(batch) < max_number and (
            found := original(queue_url, min(max_number - len(batch), RECEIVED_AT_ONCE))
        ):
            batch += found
        return batch

    original = replace(sqs, "_receive_messages_for_esm", receive, parameters=["queue_url", "max_number"])


def _is_due(queue_url: str, max_number: int) -> bool:
    now, queue = time.time(), sqs._queues[queue_url]
    waiting = [message for message in queue["messages"] if message["visible_at"] <= now]
    if not waiting:
        _first_seen.pop(queue_url, None)
        return False
    first = _first_seen.setdefault(queue_url, now)
    return len(waiting) >= max_number or now - first >= _window(queue["attributes"]["QueueArn"])


def _window(queue_arn: str) -> float:
    """Seconds that the functions of a queue wait for more messages."""
    windows = [
        float(mapping.get("MaximumBatchingWindowInSeconds") or 0)
        for _, _, mapping in lambda_svc._iter_all_esms()
        if mapping.get("EventSourceArn") == queue_arn
    ]
    return min(windows, default=0.0)
