"""Measures a first full load of films by our pipeline against one written by hand: `make bench`.

Both sides load the same files in turns, each in a fresh process into a fresh lake. In every round their tables are
compared before the round's times are reported.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import film_input
import measurements
import process_cost
import same_tables
from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
WORK_FOLDER = ROOT / "build" / "benchmark"
sys.path.append(str(ROOT / "scripts"))

import java_runtime  # noqa: E402  found by the line above
import laptop_spark  # noqa: E402

COMMANDS = {
    "ours": [str(ROOT / "scripts" / "run.py"), "--pipeline", "movies", "--large"],
    "bare": [str(ROOT / "benchmarks" / "bare_movies.py")],
}


class DifferentTablesError(Exception):
    """The two sides made different tables, so their times mean nothing."""


def measure(
    films: film_input.FilmInput, rounds: int, console: Console
) -> tuple[list[measurements.Run], dict[str, int]]:
    """Run both sides in turns; the runs, and the number of rows of each table."""
    environment = os.environ | laptop_spark.environment(large=True)
    runs: list[measurements.Run] = []
    rows: dict[str, int] = {}
    for number in range(1, rounds + 1):
        pair = [_run_once(number, side, films, environment) for side in measurements.SIDES]
        rows, differences = same_tables.compare(_lake("ours"), _lake("bare"))
        if differences:
            raise DifferentTablesError("the tables differ, so there is nothing to time\n" + "\n".join(differences))
        if number == 1:
            console.print("the tables are equal: " + ", ".join(f"{name} {count:,}" for name, count in rows.items()))
        for run in pair:
            console.print(
                f"round {number} of {rounds}, {run.side}: {run.cost.cpu_seconds:.1f} CPU s, "
                f"{run.cost.wall_seconds:.1f} s, {run.cost.peak_mebibytes:.0f} MiB, {run.cost.processes} processes, "
                f"load before {run.load:.1f}",
                highlight=False,
            )
        runs += pair
    for side in measurements.SIDES:
        shutil.rmtree(_lake(side))
    return runs, rows


def _run_once(number: int, side: str, films: film_input.FilmInput, environment: dict[str, str]) -> measurements.Run:
    lake = _lake(side)
    shutil.rmtree(lake, ignore_errors=True)
    lake.mkdir(parents=True)
    command = [sys.executable, *COMMANDS[side], "--lake", str(lake), "--raw", str(films.root)]
    load = os.getloadavg()[0]
    cost = process_cost.measured(command, environment, WORK_FOLDER / f"{side}-{number}.log")
    return measurements.Run(number, side, load, cost)


def _lake(side: str) -> Path:
    return WORK_FOLDER / "lakes" / side


def versions() -> dict[str, str]:
    """What the figures hold for."""
    packages = {name: importlib.metadata.version(name) for name in ("pyspark", "delta-spark", "duckdb")}
    java = java_runtime.find_java()
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return {"machine": machine, "python": platform.python_version(), "java": java.version, **packages}


def report(runs: list[measurements.Run], rows: dict[str, int], films: film_input.FilmInput) -> dict[str, Any]:
    """Everything that is known of the measurement, for result.json."""
    summaries = measurements.summarise(runs)
    settings = (laptop_spark.BUILD_FOLDER / "large.properties").read_text(encoding="utf-8").splitlines()
    revision = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": revision.stdout.strip(),
        "versions": versions(),
        "spark_settings": settings,
        "input": {"files": films.files, "records": films.records, "bytes": films.bytes},
        "rows": rows,
        "summaries": {
            figure: {side: asdict(one) for side, one in sides.items()} | {"ours / bare": measurements.ratios(sides)}
            for figure, sides in summaries.items()
        },
        "runs": [asdict(run) for run in runs],
    }


def main() -> int:
    """Command line; exit code 1 when a side fails or the tables differ."""
    parser = argparse.ArgumentParser(description="Measure a first full load of films against one written by hand.")
    parser.add_argument("--mebibytes", type=_positive, default=300, help="about how much JSON to load (300)")
    parser.add_argument("--rounds", type=_positive, default=5, help="how often to run each side (5)")
    options = parser.parse_args()
    console = Console()
    try:
        laptop_spark.build_class_archive()
        films = film_input.make(WORK_FOLDER, options.mebibytes)
        console.print(f"{films.records:,} records, {films.bytes:,} bytes in {films.files} files", highlight=False)
        runs, rows = measure(films, options.rounds, console)
    except (*laptop_spark.ERRORS, process_cost.CommandFailedError, DifferentTablesError) as error:
        console.print(f"error: {error}", style="red", markup=False, highlight=False)
        return 1
    result = WORK_FOLDER / "result.json"
    result.write_text(json.dumps(report(runs, rows, films), indent=2) + "\n", encoding="utf-8")
    summaries = measurements.summarise(runs)
    console.print(measurements.table(summaries))
    console.print(f"CPU: {measurements.verdict(summaries['cpu_seconds'])}", highlight=False)
    console.print(f"{', '.join(f'{name} {text}' for name, text in versions().items())}; all of it in {result}")
    return 0


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
