"""Measures a first full load of films by our pipeline and by three others: `make bench`.

All load the same files in turns, each in fresh processes into a fresh lake. In every round their tables are compared
before the round's times are reported.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

import film_input
import measurements
import process_cost
import results
import same_tables
from measurements import OTHERS, SIDES, Run

ROOT = Path(__file__).resolve().parent.parent
WORK_FOLDER = ROOT / "build" / "benchmark"
sys.path.append(str(ROOT / "scripts"))

import java_runtime  # noqa: E402  found by the line above
import laptop_spark  # noqa: E402

COMMANDS = {
    "ours": [str(ROOT / "scripts" / "run.py"), "--pipeline", "movies", "--large"],
    **{side: [str(ROOT / "benchmarks" / f"{side}_movies.py")] for side in OTHERS},
}


class DifferentTablesError(Exception):
    """Two sides made different tables, so their times mean nothing."""


Keep = Callable[[list[Run], dict[str, int]], object]
"""What is done with the runs so far, those of round 0 first, and with the number of rows of each table."""


def measure(films: film_input.FilmInput, rounds: int, console: Console, keep: Keep) -> list[Run]:
    """Runs the engine twice, to see how much the same job differs, then all sides in turns; returns all runs.

    `keep` gets them after each round, so that a measurement that is cut off leaves what it has.
    """
    environment, runs = os.environ | laptop_spark.environment(large=True), list[Run]()
    for number in range(rounds + 1):
        found = [_run_once(number, side, films, environment) for side in (SIDES if number else ("ours", "ours"))]
        rows = _compared() if number else {}
        if number == 1:
            console.print("the tables are equal: " + ", ".join(f"{name} {count:,}" for name, count in rows.items()))
        for run in found:
            console.print(f"{'the same twice' if not number else f'round {number} of {rounds}'}, {_told(run)}")
        runs += found
        if number:
            keep(runs, rows)
    for side in SIDES:
        shutil.rmtree(_lake(side))
    return runs


def _compared() -> dict[str, int]:
    """The number of rows of each table. Raises DifferentTablesError unless all sides have the same."""
    rows, differences = dict[str, int](), list[str]()
    for other in OTHERS:
        rows, found = same_tables.compare(_lake("ours"), _lake(other), other)
        differences += found
    if differences:
        raise DifferentTablesError("the tables differ, so there is nothing to time\n" + "\n".join(differences))
    return rows


def _told(run: Run) -> str:
    return (
        f"{SIDES[run.side]}: {run.cost.cpu_seconds:.1f} CPU s, {run.cost.wall_seconds:.1f} s, "
        f"{run.cost.peak_mebibytes:.0f} MiB, {run.cost.processes} processes, load before {run.load:.1f}"
    )


def _run_once(number: int, side: str, films: film_input.FilmInput, environment: dict[str, str]) -> Run:
    lake = _lake(side)
    shutil.rmtree(lake, ignore_errors=True)
    lake.mkdir(parents=True)
    command = [sys.executable, *COMMANDS[side], "--lake", str(lake), "--raw", str(films.root)]
    load = os.getloadavg()[0]
    cost = process_cost.measured(command, environment, WORK_FOLDER / f"{side}-{number}.log")
    return Run(number, side, load, cost)


def _lake(side: str) -> Path:
    return WORK_FOLDER / "lakes" / side


def versions() -> dict[str, str]:
    """What the figures hold for."""
    packages = {name: importlib.metadata.version(name) for name in ("pyspark", "delta-spark", "duckdb", "deltalake")}
    java = java_runtime.find_java()
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return {"machine": machine, "python": platform.python_version(), "java": java.version, **packages}


def revision() -> str:
    """What is measured, in git's words."""
    described = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return described.stdout.strip()


def report(runs: list[Run], rows: dict[str, int], films: film_input.FilmInput, measured: str) -> dict[str, Any]:
    """Everything that is known of the measurement of a revision, but for where this machine keeps its files."""
    settings = (laptop_spark.BUILD_FOLDER / "large.properties").read_text(encoding="utf-8")
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": measured,
        "versions": versions(),
        "spark_settings": settings.replace(f"{ROOT}/", "").splitlines(),
        "input": {"files": films.files, "records": films.records, "bytes": films.bytes},
        "rows": rows,
        "runs": [asdict(run) for run in runs],
    }


def main() -> int:
    """Command line; exit code 1 when a side fails or the tables differ."""
    parser = argparse.ArgumentParser(description="Measure a first full load of films against three others.")
    parser.add_argument("--mebibytes", type=positive, default=300, help="about how much JSON to load (300)")
    parser.add_argument("--rounds", type=positive, default=5, help="how often to run each side (5)")
    options = parser.parse_args()
    console = Console(highlight=False)
    try:
        laptop_spark.build_class_archive()
        films, measured = film_input.make(WORK_FOLDER, options.mebibytes), revision()
        console.print(f"{films.records:,} records, {films.bytes:,} bytes in {films.files} files")

        def keep(runs: list[Run], rows: dict[str, int]) -> None:
            results.write(options.mebibytes, report(runs, rows, films, measured))

        runs = measure(films, options.rounds, console, keep)
    except (*laptop_spark.ERRORS, process_cost.CommandFailedError, DifferentTablesError) as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 1
    summaries = measurements.summarise([run for run in runs if run.round])
    console.print(measurements.table(summaries))
    for other in OTHERS:
        console.print(f"CPU: {measurements.verdict(summaries['cpu_seconds'], other)}")
    console.print("All of it is in benchmarks/results/; docs/benchmarks.md tells it to people.")
    return 0


def positive(text: str) -> int:
    """A whole number of the command line."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
