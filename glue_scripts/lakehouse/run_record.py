"""The run record: one JSON object per run, which Athena reads as a row of the table `runs`.

Its columns stand in run_record.json. What writes the record of a run that died (lambda/record_failed_run.py) names the
run by the same rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any


def run_id(started: datetime, job_run_id: str) -> str:
    """A run's name: when it began, and a part that tells from the name alone whether it is a certain Glue run's."""
    return f"{started:%Y%m%dT%H%M%SZ}-{hashlib.sha256(job_run_id.encode()).hexdigest()[:8]}"


def key(record: dict[str, Any], finished: datetime) -> str:
    """Where the record of a run lies in the lake."""
    return f"runs/{record['pipeline']}/{record['layer']}/{finished:%Y/%m/%d}/{record['run_id']}.json"


def row_counts(accounts: Iterable[dict[str, Any]], refreshed: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Rows that a run read, wrote, rejected and made wait, summed over the layer's tables."""
    rows_in = rows_out = rejected = waiting = 0
    for account in accounts:
        sides = {each["name"]: (each["left"], each["right"]) for each in account["equations"]}
        if "bronze rows" in sides:
            now, parts = sides["bronze rows"]
            rows_in += parts["records in files"]
            rows_out += now["bronze rows"] - parts["rows before"]
        if "read" in sides:
            read, became = sides["read"]
            rows_in += sum(read.values())
            rejected += became["rejected"]
            waiting += became.get("waiting", 0)
        if "switched rows" in sides:
            rows_out += sides["switched rows"][0]["rows switched"]
        if "keys" in sides:
            rows_out += sides["keys"][1]["inserted"] + sides["keys"][1]["updated"]
    for table in refreshed:
        rows_in += table["rows_in"]
        rows_out += table["rows_out"]
    return {"rows_in": rows_in, "rows_out": rows_out, "rows_rejected": rejected, "rows_waiting": waiting}
