"""The last runs of a pipeline's layers, from their records and from what Glue tells of them, as one table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from rich.table import Table
from rich.text import Text

import glue_costs
import workflow_runs
from lakehouse.storage import Storage

COUNTS = {"rows_in": "in", "rows_out": "out", "rows_rejected": "rejected", "late_files": "late"}
"""What a record counts, and what the table calls it."""


@dataclass(frozen=True)
class LayerRun:
    """One run of a layer. `usd` and `log`: only of a run in Glue."""

    layer: str
    began: datetime
    outcome: str
    seconds: float
    record: dict[str, Any] = field(default_factory=dict)
    usd: float | None = None
    log: str = ""


def newest_records(lake: Storage, pipeline: str, layer: str, count: int) -> list[dict[str, Any]]:
    """The newest run records of a layer, oldest first. Their keys begin with the day, and are named by the time."""
    keys = [stored.key for stored in lake.list(f"runs/{pipeline}/{layer}/")][-count:]
    return [json.loads(found[0]) for key in keys if (found := lake.read(key))]


def of_record(record: dict[str, Any]) -> LayerRun:
    """A run by its record alone."""
    began = datetime.fromisoformat(record["started_at"])
    return LayerRun(record["layer"], began, record["outcome"], record["seconds"], record)


def of_job_run(layer: str, job_run: dict[str, Any], record: dict[str, Any] | None, region: str | None) -> LayerRun:
    """A run that Glue tells of, with its record if it has left one. `region`: of the console; None: there is none."""
    return LayerRun(
        layer,
        job_run["StartedOn"].astimezone(UTC),
        record["outcome"] if record else workflow_runs.state(job_run),
        record["seconds"] if record else job_run["ExecutionTime"],
        record or {},
        glue_costs.usd(job_run),
        log_of(job_run, region),
    )


def log_of(job_run: dict[str, Any], region: str | None) -> str:
    """Where the output of a job's run is: an address of AWS's console, or group and stream where there is none."""
    group, stream = f"{job_run.get('LogGroupName', '/aws-glue/jobs')}/output", job_run["Id"]
    if region is None:
        return f"group {group}, stream {stream}"
    # The console takes names that are escaped twice, with $ for the second %.
    names = [quote(quote(name, safe=""), safe="").replace("%", "$") for name in (group, stream)]
    console = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
    return f"{console}#logsV2:log-groups/log-group/{names[0]}/log-events/{names[1]}"


def undeclared_fields(runs: Iterable[LayerRun]) -> dict[str, list[str]]:
    """By table, the fields that records of these runs have and the declaration doesn't name."""
    found: dict[str, set[str]] = {}
    for run in runs:
        for table, names in run.record.get("undeclared_fields", {}).items():
            found.setdefault(table, set()).update(names)
    return {table: sorted(names) for table, names in sorted(found.items())}


def runs_table(title: str, runs: Iterable[LayerRun]) -> Table:
    """One row per run, the newest first; its layer is a link to its log, where the terminal knows links."""
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("began (UTC)", "layer", "outcome"):
        table.add_column(name, no_wrap=True)
    for name in ("s", *COUNTS.values(), "USD"):
        table.add_column(name, justify="right", no_wrap=True)
    for run in sorted(runs, key=lambda run: run.began, reverse=True):
        counts = [run.record.get(name) for name in COUNTS]
        table.add_row(
            f"{run.began:%m-%d %H:%M}",
            Text(run.layer, style=f"link {run.log}" if run.log.startswith("https:") else ""),
            run.outcome,
            f"{run.seconds:.0f}",
            *("" if count is None else f"{count:,}" for count in counts),
            "" if run.usd is None else f"{run.usd:.4f}",
        )
    return table
