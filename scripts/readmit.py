"""Tries all open rejects of a deployed pipeline again, then runs gold: `make readmit`, on the laptop cloud or AWS."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from rich.console import Console

import deployment
import run_workflow
import workflow_runs

STEPS: dict[str, dict[str, str]] = {"silver": {"--mode": "readmit"}, "gold": {}}
"""The layers in their order, and what their jobs are told beside what is deployed."""


def run(
    console: Console, deployed: deployment.Deployment, pipeline: str, seconds: float = run_workflow.SECONDS
) -> None:
    """Runs both jobs, one after the other, and shows what they did."""
    glue, job_runs = deployed.client("glue"), list[Any]()
    for layer, arguments in STEPS.items():
        job = deployed.named("jobs", f"{pipeline}-{layer}")
        job_runs.append(
            workflow_runs.run_job(glue, job, arguments, seconds, lambda line: console.print(f"  {line}", markup=False))
        )
    run_workflow.show_records(console, deployed, pipeline, job_runs)


def main() -> int:
    """Command line; exit code 1 when a job fails."""
    return run_workflow.command(argparse.ArgumentParser(description=__doc__), run)


if __name__ == "__main__":
    sys.exit(main())
