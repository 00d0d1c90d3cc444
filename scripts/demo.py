"""The whole journey on this laptop: a cloud with Lambda, S3, Glue, Step Functions, Athena, and two pipelines to gold.

On the way a run of movies is killed with its Java process in the middle of its writes, and healed by the next one; and
of retail, items come before their products and wait for them. When asked for, events come through Kinesis, Firehose and
the clock. Starts a laptop cloud of its own, deploys to it with
Terraform, and stops it at the end. Nothing of an earlier demonstration or of a cloud that `make up` has started is
touched.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

import athena_client
import demo_events
import demo_movies
import demo_retail
import deploy
import deployment
import environments
import package
import progress
import query
from local_cloud import control

PARTS = {"movies": demo_movies, "retail": demo_retail, "events": demo_events}
USUAL = ["movies", "retail"]
"""Those that are shown when nobody chooses one: a stream would add a minute."""
FOLDER = environments.ROOT / "build" / "demo"
NEXT = """
Next:
  make up apply                                          the same cloud, and it stays up
  make backfill START={first_day} DAYS=30                a month of films; landed files start the workflow
  make run PIPELINE=movies                               one run, followed to its end
  make query SQL="SELECT * FROM movies_by_genre"         Athena's SQL on gold
  make status / make down"""


def ask_athena(deployed: deployment.Deployment, queries: dict[str, str]) -> dict[str, query.Result]:
    """The answers to queries by their titles, through Athena's API."""
    databases = deployed.outputs["databases"]
    client, workgroup = deployed.client("athena"), deployed.outputs["workgroup"]
    return {
        title: athena_client.query(client, workgroup, databases["gold"], sql.format(**databases))
        for title, sql in queries.items()
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


def demonstrate(console: Console, folder: Path, pipelines: list[str]) -> None:
    """All steps of some pipelines, and the results."""
    began, parts = time.monotonic(), [PARTS[name] for name in pipelines]
    steps = progress.Steps(console, total=4 + sum(part.STEPS for part in parts))
    with ExitStack() as stack:
        stack.enter_context(steps.progress)
        steps.run("packaging jobs and functions", package.package)
        steps.run("starting a laptop cloud, with IAM enforced", lambda: stack.enter_context(laptop_cloud(folder)))
        steps.run("Terraform deploys the local environment", lambda: deploy.apply("local", steps.note))
        deployed = deployment.read("local")
        for part in parts:
            part.run(steps, deployed, folder)
        queries = {title: sql for part in parts for title, sql in part.QUERIES.items()}
        answers = steps.run("Athena queries gold", lambda: ask_athena(deployed, queries))
    for title, answer in answers.items():
        console.print(f"\n{title}", style="bold")
        query.show(answer)
    seconds = time.monotonic() - began
    console.print(f"\nDone in {seconds:.0f} s; what was started is stopped.", style="bold", highlight=False)
    console.print(NEXT.format(first_day=demo_movies.FIRST_DAY), markup=False)


def main() -> int:
    """Command line; exit code 1 when a step fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", choices=list(PARTS), help=f"one of them; without it, {' and '.join(USUAL)}")
    chosen = parser.parse_args().pipeline
    console = progress.open_console()
    try:
        demonstrate(console, FOLDER, [chosen] if chosen else USUAL)
    except Exception as error:  # whatever it is, a person reads it here
        console.print(f"error: {type(error).__name__}: {error}", style="red", markup=False)
        console.print("make doctor says what is missing on this machine.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
