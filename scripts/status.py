"""Shows how far every pipeline is and its last runs: `make status`, in an environment (ENV=) or in a lake's folder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

import deployment
import erasures
import lag
import layer_runs
import progress
import run_report
import workflow_runs
from environments import DeployError
from lakehouse.declaration import DeclarationError
from lakehouse.delta_log import LogError
from lakehouse.reader import read
from lakehouse.storage import FolderStorage, S3Storage, Storage
from layer_runs import LayerRun

PIPELINES = Path(__file__).resolve().parent.parent / "glue_scripts" / "pipelines"
RUNS_SHOWN = 5
"""Of each layer."""


def show_environment(console: Console, environment: str) -> list[str]:
    """Prints all pipelines of a deployed environment; what has failed there."""
    deployed, wrong = deployment.connect(environment), []
    glue, lake = deployed.client("glue"), S3Storage(deployed.outputs["lake_bucket"], deployed.client("s3"))
    region = None if environment == "local" else deployed.outputs["region"]
    for pipeline in deployed.pipelines:
        jobs = {layer: deployed.named("jobs", f"{pipeline}-{layer}") for layer in deployment.LAYERS}
        runs = {layer: job_runs(glue, lake, pipeline, layer, job, region) for layer, job in jobs.items()}
        show(console, lake, pipeline, [run for layer in runs.values() for run in layer])
        for newest in (max(layer, key=lambda run: run.began) for layer in runs.values() if layer):
            console.print(f"log of {newest.layer}: {newest.log}", soft_wrap=True, markup=False)
        every = [job for name, job in deployed.outputs["jobs"].items() if name.startswith(f"{pipeline}-")]
        wrong += failures(glue, every)  # that of erasures is of no layer
    return wrong


def job_runs(glue: Any, lake: Storage, pipeline: str, layer: str, job: str, region: str | None) -> list[LayerRun]:
    """The last runs of a layer's job, each with its record."""
    found = glue.get_job_runs(JobName=job, MaxResults=RUNS_SHOWN)["JobRuns"]
    records = {each["job_run_id"]: each for each in layer_runs.newest_records(lake, pipeline, layer, RUNS_SHOWN)}
    return [layer_runs.of_job_run(layer, each, records.get(each["Id"]), region) for each in found]


def show_folder(console: Console, folder: Path) -> list[str]:
    """Prints all pipelines that have run in a lake's folder; what has failed there."""
    lake, wrong = FolderStorage(folder.absolute()), []
    pipelines = sorted(path.name for path in (folder / "runs").glob("*"))
    if not pipelines:
        return [f"no runs in {folder}: put files below raw/ there and run `make run PIPELINE=name LAKE={folder}` first"]
    for pipeline in pipelines:
        runs = []
        for layer in deployment.LAYERS:
            records = layer_runs.newest_records(lake, pipeline, layer, RUNS_SHOWN)
            runs += [layer_runs.of_record(record) for record in records]
            if records and records[-1]["outcome"] == "failed":
                wrong.append(f"{pipeline} {layer} failed: {records[-1]['error']}")
        show(console, lake, pipeline, runs)
    return wrong


def show(console: Console, lake: Storage, pipeline: str, runs: list[LayerRun]) -> None:
    """Prints the runs of a pipeline, and how far its layers are."""
    behind = lag.read_lag(lake, read(PIPELINES / f"{pipeline}.yaml"))
    console.print(layer_runs.runs_table(f"{pipeline}: last runs", runs))
    for table, names in layer_runs.undeclared_fields(runs).items():
        console.print(run_report.undeclared(table, names), style="yellow", soft_wrap=True, markup=False)
    for line in erasures.told(lake, pipeline, RUNS_SHOWN):
        console.print(line, soft_wrap=True, markup=False)
    console.print(str(behind), style="yellow" if behind.behind else "green", soft_wrap=True, markup=False)


def failures(glue: Any, jobs: Iterable[str]) -> list[str]:
    """What the newest run of each job says of its failure, for the jobs whose newest run failed."""
    found = (sorted(glue.get_job_runs(JobName=job)["JobRuns"], key=lambda run: run["StartedOn"]) for job in jobs)
    return [workflow_runs.failure(runs[-1]) for runs in found if runs and workflow_runs.has_failed(runs[-1])]


def main() -> int:
    """Command line; exit code 1 when the newest run of a layer failed or nothing is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--lake", type=Path, help="the folder of a lake on this machine")
    place.add_argument("--environment", help="a deployed environment: local, dev, staging or production")
    options = parser.parse_args()
    console = progress.open_console()
    try:
        wrong = show_folder(console, options.lake) if options.lake else show_environment(console, options.environment)
    except (DeployError, DeclarationError, LogError, BotoCoreError, ClientError, OSError) as error:
        wrong = [str(error)]
    for line in wrong:
        console.print(f"error: {line}", style="red", markup=False, soft_wrap=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
