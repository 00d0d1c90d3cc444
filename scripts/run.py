"""Runs a pipeline's three layers on a lake in a folder, in one process: `make run PIPELINE=movies LAKE=lake`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

import laptop_spark
import run_report

PIPELINES = laptop_spark.ROOT / "glue_scripts" / "pipelines"
LAYERS = ("bronze", "silver", "gold")


def run_layer(pipeline: str, layer: str, lake: Path, raw: Path, *options: str) -> dict[str, Any]:
    """Runs one layer as its Glue job does, in this process and its Spark session; returns the run record."""
    from lakehouse.job import main  # not at the top: Spark reads its environment when it is imported

    script = importlib.import_module(f"pipelines.{pipeline}")
    return main(script, ["--pipeline", pipeline, "--layer", layer, "--lake", str(lake), "--raw", str(raw), *options])


def check_pipeline(pipeline: str) -> None:
    """Runs the build's checks on a pipeline, before Spark starts. Raises DeclarationError at the first mistake."""
    import pipeline_checks  # not at the top: it imports Spark

    pipeline_checks.check(PIPELINES / f"{pipeline}.yaml")


def prepare_spark(*, large: bool = False) -> None:
    """Makes this process one in which Spark starts with the laptop's settings."""
    os.environ.update(laptop_spark.environment(large=large))
    sys.path.insert(0, str(laptop_spark.ROOT / "glue_scripts"))


def main() -> int:
    """Command line; exit code 1 when a layer fails or a table is damaged, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(description="Runs bronze, silver and gold of a pipeline on a lake in a folder.")
    names = sorted(path.stem for path in PIPELINES.glob("[a-z]*.yaml"))
    parser.add_argument("--pipeline", required=True, choices=names)
    parser.add_argument("--lake", required=True, type=Path, help="the lake's folder")
    parser.add_argument("--raw", type=Path, help="the folder above raw/, if it isn't the lake's")
    parser.add_argument(
        "--list-all", action="store_true", help="also take files that come later than the declared lateness"
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--repair", action="store_true", help="set tables back to what is published, then run")
    mode.add_argument("--replay", action="store_true", help="rebuild beside the served tables, and compare")
    mode.add_argument("--switch", action="store_true", help="the same, then publish what is rebuilt")
    mode.add_argument("--migrate", action="store_true", help="the same, with the columns that are declared now")
    mode.add_argument("--readmit", action="store_true", help="try all open rejects of silver again, then run gold")
    mode.add_argument(
        "--maintain", action="store_true", help="compact files and delete those that nobody needs any more"
    )
    parser.add_argument("--accept-loss", action="store_true", help="migrate although served rows would be lost")
    parser.add_argument("--large", action="store_true", help="Spark settings for inputs above some 50 MB")
    options = parser.parse_args()
    raw = (options.raw or options.lake).absolute()
    if not (raw / "raw").is_dir():
        parser.error(f"{raw}/raw doesn't exist: put files there; lambda/generate_movies.py --lake makes some")
    console = Console()
    steps = [(layer, ("--listing", "all") if options.list_all else ()) for layer in LAYERS]
    if options.repair:
        steps = [("bronze", ("--mode", "repair")), ("silver", ("--mode", "repair")), *steps]
    if options.readmit:
        steps = [("silver", ("--mode", "readmit")), ("gold", ())]
    if options.replay or options.switch:
        steps = [(layer, ("--mode", mode)) for mode in ("replay", "switch")[: 1 + options.switch] for layer in LAYERS]
    if options.maintain:
        steps = [(layer, ("--mode", "maintain")) for layer in LAYERS]
    damaged = False
    if options.replay or options.switch or options.migrate:
        modes = ("replay", "switch") if options.switch else ("replay", "migrate") if options.migrate else ("replay",)
        steps = [(layer, ("--mode", mode)) for mode in modes for layer in LAYERS]
    records: list[dict[str, Any]] = []
    try:
        prepare_spark(large=options.large)
        check_pipeline(options.pipeline)
        for layer, more in steps:
            if more == ("--mode", "migrate") and not options.accept_loss and (loss := run_report.loss(records)):
                console.print(f"error: {loss}", style="red", markup=False, highlight=False)
                return 1
            records.append(run_layer(options.pipeline, layer, options.lake.absolute(), raw, *more))
            run_report.show(console, records[-1])
    except Exception as error:  # whatever it is, a person reads it here; the run record has it too
        console.print(f"error: {type(error).__name__}: {error}", style="red", markup=False, highlight=False)
        return 1
    return int(options.replay and any(map(run_report.is_damaged, records)))


if __name__ == "__main__":
    sys.exit(main())
