"""Compacts and vacuums the tables of a deployed pipeline: `make maintain`, on the laptop cloud or AWS."""

from __future__ import annotations

import argparse
import functools
import sys

import deployment
import run_workflow

MODES = dict.fromkeys(deployment.LAYERS, "maintain")


def main() -> int:
    """Command line; exit code 1 when a job fails."""
    maintain = functools.partial(run_workflow.run_jobs, modes=MODES)
    return run_workflow.command(argparse.ArgumentParser(description=__doc__), maintain)


if __name__ == "__main__":
    sys.exit(main())
