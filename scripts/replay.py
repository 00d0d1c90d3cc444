"""Rebuilds a deployed pipeline beside its tables, from raw, and compares: `make replay` and `make migrate`."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from rich.console import Console

import deployment
import run_pipeline
import run_report
import workflow_runs


def run(
    console: Console,
    deployed: deployment.Deployment,
    pipeline: str,
    publish: str = "",
    accept_loss: bool = False,
    seconds: float = run_pipeline.SECONDS,
) -> None:
    """Runs the jobs of all layers, shows the proof, and publishes what is rebuilt when that is asked for.

    `publish`: the mode that does so, `switch` or `migrate`.
    """
    if accept_loss and publish != "migrate":
        raise workflow_runs.WorkflowFailedError("--accept-loss is for --migrate alone")

    def run_all(mode: str) -> list[dict[str, Any]]:
        steps = dict.fromkeys(deployment.LAYERS, ("--mode", mode))
        return run_pipeline.run_jobs(console, deployed, pipeline, steps, seconds)

    records = run_all("replay")
    if publish == "migrate" and not accept_loss and (loss := run_report.loss(records)):
        raise workflow_runs.WorkflowFailedError(loss)
    if publish:
        run_all(publish)
    elif any(map(run_report.is_damaged, records)):
        raise workflow_runs.WorkflowFailedError("tables are damaged; SWITCH=1 puts the rebuilt ones in their place")


def main() -> int:
    """Command line; exit code 1 when a job fails or a table is damaged."""
    parser = argparse.ArgumentParser(description=__doc__)
    publish = parser.add_mutually_exclusive_group()
    for mode, told in (("switch", "publish what is rebuilt"), ("migrate", "the same, with other columns")):
        publish.add_argument(f"--{mode}", dest="publish", action="store_const", const=mode, default="", help=told)
    parser.add_argument("--accept-loss", action="store_true", help="migrate although served rows would be lost")
    return run_pipeline.command(parser, run)


if __name__ == "__main__":
    sys.exit(main())
