"""Tries all open rejects of a deployed pipeline again, then runs gold: `make readmit`, on the laptop cloud or AWS."""

from __future__ import annotations

import argparse
import functools
import sys

import run_workflow

STEPS: dict[str, dict[str, str]] = {"silver": {"--mode": "readmit"}, "gold": {}}


def main() -> int:
    """Command line; exit code 1 when a job fails."""
    readmit = functools.partial(run_workflow.run_jobs, steps=STEPS)
    return run_workflow.command(argparse.ArgumentParser(description=__doc__), readmit)


if __name__ == "__main__":
    sys.exit(main())
