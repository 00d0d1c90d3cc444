"""The event that Glue puts on the event bus when a run has ended."""

from __future__ import annotations

import json
from typing import Any

from ministack.services import eventbridge

from local_cloud.replacements import require

MESSAGES = {
    "SUCCEEDED": ("INFO", "Job run succeeded"),
    "STOPPED": ("INFO", "Job run stopped"),
    "TIMEOUT": ("WARN", "Job run timed out"),
}


def install() -> None:
    """Checks what we use of MiniStack."""
    require(eventbridge, "_put_events", ["data", "allow_aws_source"])


def put_state_change(run: dict[str, Any]) -> None:
    """Puts "Glue Job State Change" of a final run on the default bus."""
    name, run_id, state = run["JobName"], run["Id"], run["JobRunState"]
    failed = f"JobName:{name} and JobRunId:{run_id} failed to execute with exception {run.get('ErrorMessage', '')}"
    severity, message = MESSAGES.get(state, ("ERROR", failed))
    detail = {"jobName": name, "severity": severity, "state": state, "jobRunId": run_id, "message": message}
    entry = {"Source": "aws.glue", "DetailType": "Glue Job State Change", "Detail": json.dumps(detail)}
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
