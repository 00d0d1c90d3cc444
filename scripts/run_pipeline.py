"""Runs a deployed pipeline to its end: `make run PIPELINE=movies`, on the laptop cloud or with ENV= on AWS.

Or some of its jobs alone, in another mode: `make readmit`, `make maintain`, `make archive`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

import deployment
import executions
import progress
import run_report
import workflow_runs
from environments import DeployError
from run import MODES, steps_of

SECONDS = 4 * 3600.0
"""How long a run is followed; the jobs have time-outs of their own."""
BY_JOBS = ("readmit", "maintain", "archive")
"""Modes that are jobs one after the other, and nothing else."""


def show_records(
    console: Console, deployed: deployment.Deployment, pipeline: str, job_runs: list[Any]
) -> list[dict[str, Any]]:
    """Prints the run record of each job run, what it did and how its rows balance, and returns them all."""
    ours = {run["Id"] for run in job_runs}
    records = [record for layer in deployment.LAYERS for record in deployed.run_records(pipeline, layer)]
    shown = [record for record in records if record["job_run_id"] in ours]
    for record in shown:
        run_report.show(console, record)
    return shown


def run_jobs(
    console: Console,
    deployed: deployment.Deployment,
    pipeline: str,
    steps: Mapping[str, tuple[str, ...]],
    seconds: float = SECONDS,
) -> list[dict[str, Any]]:
    """Runs the jobs of some layers alone, one after the other, with arguments; shows and returns their records."""
    glue, job_runs = deployed.client("glue"), list[Any]()
    for layer, more in steps.items():
        job, arguments = deployed.named("jobs", f"{pipeline}-{layer}"), dict(zip(more[::2], more[1::2], strict=True))
        job_runs.append(
            workflow_runs.run_job(glue, job, arguments, seconds, lambda line: console.print(f"  {line}", markup=False))
        )
    return show_records(console, deployed, pipeline, job_runs)


def run(console: Console, deployed: deployment.Deployment, pipeline: str, seconds: float = SECONDS) -> None:
    """Starts a run of the pipeline's workflows or state machine, follows it to its end and shows what its jobs did."""

    def note(line: str) -> None:
        console.print(f"  {line}", markup=False)

    kind = deployed.orchestrator(pipeline)
    if kind == "state_machines":
        states, machine = deployed.client("stepfunctions"), deployed.named("state_machines", pipeline)
        function = deployed.named("functions", f"{pipeline}-start_runs")
        asked = executions.ask_for_run(deployed.client("lambda"), function)
        job_runs = executions.follow_all(states, machine, asked, seconds, note)
    else:
        glue, job_runs, known = deployed.client("glue"), list[Any](), deployed.outputs[kind][pipeline]
        for workflow in [known] if kind == "workflows" else known:  # the hour's, then the day's
            run_id = workflow_runs.start(glue, workflow, seconds, note)
            console.print(f"{workflow}: run {run_id}", markup=False)
            job_runs += workflow_runs.follow(glue, workflow, run_id, seconds, note)
    show_records(console, deployed, pipeline, job_runs)


def command(arguments: argparse.ArgumentParser, run: Callable[..., object]) -> int:
    """The command line of what runs a deployed pipeline; exit code 1 when a job of it fails.

    `run` gets a console, what is deployed, the pipeline, and by name what else the command line says.
    """
    arguments.add_argument("--environment", required=True, help="local, dev, staging or production")
    arguments.add_argument("--pipeline", required=True, help="the pipeline's name")
    options = arguments.parse_args()
    console = progress.open_console()
    try:
        more = {name: said for name, said in vars(options).items() if name not in ("environment", "pipeline")}
        run(console, deployment.connect(options.environment), options.pipeline, **more)
    except (DeployError, workflow_runs.WorkflowFailedError, BotoCoreError, ClientError) as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 1
    return 0


def main() -> int:
    """Command line; exit code 1 when a job of the run fails."""
    parser = argparse.ArgumentParser(description="Runs a deployed pipeline, or some of its jobs in another mode.")
    modes = parser.add_mutually_exclusive_group()
    for mode in BY_JOBS:
        modes.add_argument(f"--{mode}", dest="mode", action="store_const", const=mode, help=MODES[mode])
    return command(parser, _run_mode)


def _run_mode(console: Console, deployed: deployment.Deployment, pipeline: str, mode: str | None) -> None:
    if mode is None:
        run(console, deployed, pipeline)
    else:
        run_jobs(console, deployed, pipeline, dict(steps_of(mode, list_all=False)))


if __name__ == "__main__":
    sys.exit(main())
