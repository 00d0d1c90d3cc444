"""Archives the loaded raw files of a deployed pipeline: `make archive`, on the laptop cloud or AWS."""

from __future__ import annotations

import argparse
import functools
import sys

import run_workflow

MODES = {"bronze": "archive"}


def main() -> int:
    """Command line; exit code 1 when the job fails."""
    archive = functools.partial(run_workflow.run_jobs, modes=MODES)
    return run_workflow.command(argparse.ArgumentParser(description=__doc__), archive)


if __name__ == "__main__":
    sys.exit(main())
