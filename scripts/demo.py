"""The whole journey on this laptop: a cloud with Lambda, S3, Glue, a workflow and Athena, three days of films, gold.

On the way it kills a run with its Java process in the middle of its writes, and shows that the next one heals it.
Starts a laptop cloud of its own, deploys to it with Terraform, and stops it at the end. Nothing of an earlier
demonstration or of a cloud that `make up` has started is touched.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

import psutil
from rich.console import Console

import athena_client
import backfill
import deploy
import deployment
import environments
import package
import progress
import query
import run_workflow
import workflow_runs
from local_cloud import control, processes

FOLDER = environments.ROOT / "build" / "demo"
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
NEXT = """
Next:
  make up apply                                          the same cloud, and it stays up
  make backfill START={first_day} DAYS=30                a month of films; landed files start the workflow
  make run PIPELINE=movies                               one run, followed to its end
  make query SQL="SELECT * FROM movies_by_genre"         Athena's SQL on gold
  make status / make down"""


def run_pipeline(steps: progress.Steps, deployed: deployment.Deployment, folder: Path) -> None:
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
        lambda: run_workflow.run(steps.console, deployed, "movies", RUN_SECONDS),
    )
    steps.run(
        "another run finds nothing new, and commits nothing",
        lambda: run_workflow.run(steps.console, deployed, "movies", RUN_SECONDS),
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


def ask_athena(deployed: deployment.Deployment) -> dict[str, query.Result]:
    """The answers to all queries, through Athena's API."""
    databases = deployed.outputs["databases"]
    client, workgroup = deployed.client("athena"), deployed.outputs["workgroup"]
    return {
        title: athena_client.query(client, workgroup, databases["gold"], sql.format(**databases))
        for title, sql in QUERIES.items()
    }


@contextmanager
def laptop_cloud(folder: Path) -> Iterator[None]:
    """A cloud of this process's own, to which alone it speaks; stopped at the end, whatever happens."""
    if control.running(folder):
        raise control.CloudError(f"another demonstration is under way in {folder}; wait for it, or use another clone")
    environments.enter_cloud(control.start(folder))
    try:
        yield
    finally:
        control.stop(folder)


def demonstrate(console: Console, folder: Path) -> None:
    """All steps, and the results."""
    began = time.monotonic()
    steps = progress.Steps(console, total=9)
    with ExitStack() as stack:
        stack.enter_context(steps.progress)
        steps.run("packaging jobs and functions", package.package)
        steps.run("starting a laptop cloud, with IAM enforced", lambda: stack.enter_context(laptop_cloud(folder)))
        steps.run("Terraform deploys the local environment", lambda: deploy.apply("local", steps.note))
        deployed = deployment.read("local")
        run_pipeline(steps, deployed, folder)
        answers = steps.run("Athena queries gold", lambda: ask_athena(deployed))
    for title, answer in answers.items():
        console.print(f"\n{title}", style="bold")
        query.show(answer)
    seconds = time.monotonic() - began
    console.print(f"\nDone in {seconds:.0f} s; what was started is stopped.", style="bold", highlight=False)
    console.print(NEXT.format(first_day=FIRST_DAY), markup=False)


def main() -> int:
    """Command line; exit code 1 when a step fails."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    console = progress.open_console()
    try:
        demonstrate(console, FOLDER)
    except Exception as error:  # whatever it is, a person reads it here
        console.print(f"error: {type(error).__name__}: {error}", style="red", markup=False)
        console.print("make doctor says what is missing on this machine.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
