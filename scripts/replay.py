"""Rebuilds a deployed pipeline beside its tables, from raw, and compares: `make replay`, on the laptop cloud or AWS."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console

import deployment
import run_report
import run_workflow
import workflow_runs


def run(
    console: Console,
    deployed: deployment.Deployment,
    pipeline: str,
    switch: bool = False,
    seconds: float = run_workflow.SECONDS,
) -> None:
    """Runs the jobs of all layers, shows the proof, and publishes what is rebuilt when that is asked for."""
    replayed = dict.fromkeys(deployment.LAYERS, "replay")
    records = run_workflow.run_jobs(console, deployed, pipeline, replayed, seconds)
    if switch:
        run_workflow.run_jobs(console, deployed, pipeline, dict.fromkeys(deployment.LAYERS, "switch"), seconds)
    elif any(map(run_report.is_damaged, records)):
        raise workflow_runs.WorkflowFailedError("tables are damaged; SWITCH=1 puts the rebuilt ones in their place")


def main() -> int:
    """Command line; exit code 1 when a job fails or a table is damaged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--switch", action="store_true", help="publish what is rebuilt")
    return run_workflow.command(parser, run)


if __name__ == "__main__":
    sys.exit(main())
