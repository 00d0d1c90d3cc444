"""Erases a person from a deployed pipeline: `make erase`, on the laptop cloud or AWS."""

from __future__ import annotations

import argparse
import os
import sys

from rich.console import Console

import deployment
import run_pipeline
import workflow_runs
from lakehouse import erasure_request
from lakehouse.storage import S3Storage


def run(
    console: Console, deployed: deployment.Deployment, pipeline: str, seconds: float = run_pipeline.SECONDS
) -> None:
    """Has the pipeline's erasure job erase the person whose id is in GIVEN_PERSON, and shows what it did."""
    job = deployed.named("jobs", f"{pipeline}-erasure")
    lake = S3Storage(deployed.outputs["lake_bucket"], deployed.client("s3"))
    request = erasure_request.put(lake, pipeline, os.environ["GIVEN_PERSON"])
    try:
        done = workflow_runs.run_job(
            deployed.client("glue"),
            job,
            {"--request": request},
            seconds,
            lambda line: console.print(f"  {line}", markup=False),
        )
    finally:
        erasure_request.withdraw(lake, pipeline, request)  # a run that never began has left it there
    run_pipeline.show_records(console, deployed, pipeline, [done])


def main() -> int:
    """Command line; exit code 1 when the job fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    if not os.environ.get("GIVEN_PERSON"):
        parser.error("the person's id is taken from the environment, as GIVEN_PERSON: a command line is seen by all")
    return run_pipeline.command(parser, run)


if __name__ == "__main__":
    sys.exit(main())
