"""Tries all open rejects of a deployed pipeline again, then runs gold: `make readmit`, on the laptop cloud or AWS."""

from __future__ import annotations

import argparse
import functools
import sys

import run_workflow

MODES = {"silver": "readmit", "gold": "run"}
"""The layers in their order, and what each does."""


def main() -> int:
    """Command line; exit code 1 when a job fails."""
    readmit = functools.partial(run_workflow.run_jobs, modes=MODES)
    return run_workflow.command(argparse.ArgumentParser(description=__doc__), readmit)


if __name__ == "__main__":
    sys.exit(main())
