"""Tries all open rejects of a deployed pipeline again, then runs gold: `make readmit`, on the laptop cloud or AWS."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

import deployment
import progress
import run_workflow
import workflow_runs
from environments import DeployError

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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", required=True, help="local, dev, staging or production")
    parser.add_argument("--pipeline", required=True, help="the pipeline's name")
    options = parser.parse_args()
    console = progress.open_console()
    try:
        run(console, deployment.connect(options.environment), options.pipeline)
    except (DeployError, workflow_runs.WorkflowFailedError, BotoCoreError, ClientError) as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
