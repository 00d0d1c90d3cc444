"""The client's side of `fire`: has the cloud fire a schedule now. The server's side is schedules.py."""

from __future__ import annotations

from typing import Any

from local_cloud import root_calls
from local_cloud.control import Cloud


def fire(cloud: Cloud, name: str, time: str | None = None) -> dict[str, Any]:
    """Fires a rule, schedule or Glue trigger by its name; `time`, in ISO format, is the time of its event.

    Returns its Kind, its Name and the ARNs of its Targets. Raises CloudError.
    """
    return root_calls.call(cloud, "events", "AWSEvents.FireNow", {"name": name, "moment": time}, f"fire {name}")
