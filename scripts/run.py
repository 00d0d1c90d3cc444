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
MODES = {
    "repair": "set tables back to what is published, then run",
    "replay": "rebuild beside the served tables, and compare",
    "switch": "the same, then publish what is rebuilt",
    "migrate": "the same, with the columns that are declared now",
    "readmit": "try all open rejects of silver again, then run gold",
    "maintain": "compact files and delete those that nobody needs any more",
    "archive": "copy raw files that are loaded and published to the archive",
    "erase": "take the person whose id is in GIVEN_PERSON out of raw files, all tables and their past",
}


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


Steps = list[tuple[str, tuple[str, ...]]]
"""Layers in the order in which they are run, each with its job's arguments."""


def steps_of(mode: str | None, *, list_all: bool) -> Steps:
    """What a mode consists of; no mode: an ordinary run."""

    def each(mode: str, *layers: str) -> Steps:
        return [(layer, ("--mode", mode)) for layer in layers or LAYERS]

    ordinary: Steps = [(layer, ("--listing", "all") if list_all else ()) for layer in LAYERS]
    steps: dict[str | None, Steps] = {
        None: ordinary,
        "repair": [*each("repair", "bronze", "silver"), *ordinary],
        "replay": each("replay"),
        "switch": [*each("replay"), *each("switch")],
        "migrate": [*each("replay"), *each("migrate")],
        "readmit": [*each("readmit", "silver"), ("gold", ())],
        "maintain": each("maintain"),
        "archive": each("archive", "bronze"),
        "erase": [("bronze", ("--mode", "erase", "--person", os.environ.get("GIVEN_PERSON", "")))],
    }
    return steps[mode]


def read_arguments() -> argparse.Namespace:
    """The command line; one that is wrong ends the process with code 2."""
    parser = argparse.ArgumentParser(description="Runs bronze, silver and gold of a pipeline on a lake in a folder.")
    names = sorted(path.stem for path in PIPELINES.glob("[a-z]*.yaml"))
    parser.add_argument("--pipeline", required=True, choices=names)
    parser.add_argument("--lake", required=True, type=Path, help="the lake's folder")
    parser.add_argument("--raw", type=Path, help="the folder above raw/, if it isn't the lake's")
    parser.add_argument(
        "--list-all", action="store_true", help="also take files that come later than the declared lateness"
    )
    modes = parser.add_mutually_exclusive_group()
    for mode, told in MODES.items():
        modes.add_argument(f"--{mode}", dest="mode", action="store_const", const=mode, help=told)
    parser.add_argument("--accept-loss", action="store_true", help="migrate although served rows would be lost")
    parser.add_argument("--large", action="store_true", help="Spark settings for inputs above some 50 MB")
    options = parser.parse_args()
    options.raw = (options.raw or options.lake).absolute()
    if not (options.raw / "raw").is_dir():
        parser.error(f"{options.raw}/raw doesn't exist: put files there; lambda/generate_movies.py --lake makes some")
    if options.accept_loss and options.mode != "migrate":
        parser.error("--accept-loss is for --migrate alone")
    if options.mode == "erase" and not os.environ.get("GIVEN_PERSON"):
        parser.error(
            "--erase takes the person's id from the environment, as GIVEN_PERSON: a command line is seen by all"
        )
    return options


def main() -> int:
    """Command line; exit code 1 when a layer fails or a table is damaged, 2 for wrong arguments."""
    options, console, records = read_arguments(), Console(), list[dict[str, Any]]()
    try:
        prepare_spark(large=options.large)
        check_pipeline(options.pipeline)
        for layer, more in steps_of(options.mode, list_all=options.list_all):
            if more == ("--mode", "migrate") and not options.accept_loss and (loss := run_report.loss(records)):
                console.print(f"error: {loss}", style="red", markup=False, highlight=False)
                return 1
            records.append(run_layer(options.pipeline, layer, options.lake.absolute(), options.raw, *more))
            run_report.show(console, records[-1])
    except Exception as error:  # whatever it is, a person reads it here; the run record has it too
        console.print(f"error: {type(error).__name__}: {error}", style="red", markup=False, highlight=False)
        return 1
    return int(options.mode == "replay" and any(map(run_report.is_damaged, records)))


if __name__ == "__main__":
    sys.exit(main())
