"""Runs all layers of films once on a lake of daily_lakes in a folder: `python benchmarks/daily_run.py LAKE`.

A program of its own, so that what a daily run costs can be told from what Spark's start costs.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / folder) for folder in ("glue_scripts", "lambda")]

import daily_lakes  # noqa: E402  found by the line above


def main(lake: str) -> None:
    """Spark's settings are in the environment."""
    with daily_lakes.tagged_as_on_s3():
        for layer in daily_lakes.LAYERS:
            daily_lakes.run(lake, layer)


if __name__ == "__main__":
    main(*sys.argv[1:])
