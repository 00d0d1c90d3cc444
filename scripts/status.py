"""Shows the last runs of every pipeline of an environment: `make status`, on the laptop cloud or with ENV= on AWS."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.table import Table

import deployment
import progress
import workflow_runs
from environments import DeployError

RUNS_SHOWN = 5


def workflow_table(glue: Any, pipeline: str, workflow: str, layers: dict[str, str]) -> Table:
    """One row per run of the workflow, the newest first: when, how long, and the state of each layer's job."""
    table = Table(
        "run", "began (UTC)", "state", "seconds", *layers, title=f"{pipeline}: {workflow}", title_justify="left"
    )
    for run_id in workflow_runs.run_ids(glue, workflow)[: -RUNS_SHOWN - 1 : -1]:
        run = glue.get_workflow_run(Name=workflow, RunId=run_id, IncludeGraph=True)["Run"]
        seconds = f"{(run['CompletedOn'] - run['StartedOn']).total_seconds():.0f}" if run.get("CompletedOn") else ""
        jobs = {
            one["JobName"]: f"{workflow_runs.state(one)} {one['ExecutionTime']} s"
            for one in workflow_runs.job_runs(run)
        }
        states = (jobs.get(job, "not started") for job in layers.values())
        table.add_row(run_id, f"{run['StartedOn']:%Y-%m-%d %H:%M:%S}", run["Status"].lower(), seconds, *states)
    return table


def failures(glue: Any, jobs: Iterable[str]) -> list[str]:
    """What the newest run of each job says of its failure, for the jobs whose newest run failed."""
    found = (sorted(glue.get_job_runs(JobName=job)["JobRuns"], key=lambda run: run["StartedOn"]) for job in jobs)
    return [workflow_runs.failure(runs[-1]) for runs in found if runs and workflow_runs.has_failed(runs[-1])]


def main() -> int:
    """Command line; exit code 1 when the newest run of a job failed or nothing is deployed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", required=True, help="local, dev, staging or production")
    options = parser.parse_args()
    console, wrong = progress.open_console(), []
    try:
        deployed = deployment.connect(options.environment)
        glue = deployed.client("glue")
        for pipeline, workflow in sorted(deployed.outputs["workflows"].items()):
            layers = {layer: deployed.named("jobs", f"{pipeline}-{layer}") for layer in deployment.LAYERS}
            console.print(workflow_table(glue, pipeline, workflow, layers))
            wrong += failures(glue, layers.values())
    except (DeployError, BotoCoreError, ClientError) as error:
        wrong = [str(error)]
    for line in wrong:
        console.print(f"error: {line}", style="red", markup=False)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
