"""movies in the demonstration: a function's days of films, a Glue workflow, and a kill that the next run heals."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import psutil

import backfill
import deployment
import progress
import run_pipeline
import workflow_runs
from local_cloud import processes

STEPS = 5
FIRST_DAY, DAYS = date(2026, 11, 1), 3
START_SECONDS, RUN_SECONDS, POLL_SECONDS = 120.0, 900.0, 0.1
REJECTS = f"quarantine/movies/_delta_log/{1:020}.json"
GOLD = "movies, total_budget, total_box_office, profit, return_on_investment, average_vote, best_movie"
QUERIES = {
    "Films by genre": f"SELECT genre, {GOLD} FROM movies_by_genre ORDER BY profit DESC",
    "Films by studio (the ten with the most profit)": (
        f"SELECT studio, {GOLD} FROM movies_by_studio ORDER BY profit DESC LIMIT 10"
    ),
    "Films by release year (the last ten)": (
        f"SELECT release_year, {GOLD} FROM movies_by_release_year ORDER BY release_year DESC LIMIT 10"
    ),
    "Quarantine by reason": (
        "SELECT reason, count(*) AS records, min(_record_id) AS for_example "
        'FROM "{silver}".movies_quarantine CROSS JOIN UNNEST(_rules) AS failed (reason) '
        "GROUP BY reason ORDER BY records DESC, reason"
    ),
    "What happened to each file": (
        'SELECT batch, key, outcome, records FROM "{bronze}".movies_files ORDER BY batch, key'
    ),
}


def run(steps: progress.Steps, deployed: deployment.Deployment, folder: Path) -> None:
    """Backfills, kills a job of the workflow that the landed files start, runs it to its end, and once more idle."""
    glue, workflow = deployed.client("glue"), deployed.named("workflows", "movies")
    known = workflow_runs.run_ids(glue, workflow)
    steps.run(
        f"Lambda makes {DAYS} days of films",
        lambda: backfill.backfill(deployed, "generate_movies", FIRST_DAY, DAYS, steps.note),
    )
    steps.run(
        "landed files start the Glue workflow",
        lambda: workflow_runs.await_start(glue, workflow, known, START_SECONDS),
    )
    steps.run(
        "Glue runs bronze, and silver until kill -9 between its rejects and its rows",
        lambda: kill_silver(steps, deployed, folder, known),
    )
    steps.run(
        "the next run heals: every record is there, and none twice",
        lambda: run_pipeline.run(steps.console, deployed, "movies", RUN_SECONDS),
    )
    steps.run(
        "another run finds nothing new, and commits nothing",
        lambda: run_pipeline.run(steps.console, deployed, "movies", RUN_SECONDS),
    )


def kill_silver(steps: progress.Steps, deployed: deployment.Deployment, folder: Path, known: list[str]) -> None:
    """Kills the workflow's silver job once it has written its rejects, and waits for the workflow's end."""
    glue, workflow = deployed.client("glue"), deployed.named("workflows", "movies")
    job = deployed.named("jobs", "movies-silver")
    run_id, process = _await_rejects(deployed, job, folder)
    process.kill()
    steps.note(f"killed process {process.pid} of job {job}, run {run_id[:12]}...")
    try:
        workflow_runs.follow_new(glue, workflow, known, RUN_SECONDS, steps.note)
    except workflow_runs.WorkflowFailedError as failed:
        if run_id not in str(failed):
            raise


def _await_rejects(deployed: deployment.Deployment, job: str, folder: Path) -> tuple[str, psutil.Process]:
    """The job's first run, once it has committed its rejects, and its process."""
    glue, s3 = deployed.client("glue"), deployed.client("s3")
    deadline = time.monotonic() + RUN_SECONDS
    while time.monotonic() < deadline:
        committed = s3.list_objects_v2(Bucket=deployed.outputs["lake_bucket"], Prefix=REJECTS)["KeyCount"]
        if committed:
            run_id = str(glue.get_job_runs(JobName=job)["JobRuns"][0]["Id"])
            if process := processes.job_process(folder, run_id):
                return run_id, process
            break
        time.sleep(POLL_SECONDS)
    raise workflow_runs.WorkflowFailedError(f"job {job} was to be killed, but has ended before, or never begun")
