"""Tries all open rejects of a deployed pipeline again, then runs gold: `make readmit`, on the laptop cloud or AWS."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console

import deployment
import run_workflow

MODES = {"silver": "readmit", "gold": "run"}
"""The layers in their order, and what each does."""


def run(
    console: Console, deployed: deployment.Deployment, pipeline: str, seconds: float = run_workflow.SECONDS
) -> None:
    """Runs both jobs, one after the other, and shows what they did."""
    run_workflow.run_jobs(console, deployed, pipeline, MODES, seconds)


def main() -> int:
    """Command line; exit code 1 when a job fails."""
    return run_workflow.command(argparse.ArgumentParser(description=__doc__), run)


if __name__ == "__main__":
    sys.exit(main())
