"""What was measured, a file for each size of input and one of daily runs, and the page of all: docs/benchmarks.md.

Each file is written by a measurement and kept in the repository; the page is computed from the files alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import daily_results
import measurements
from markdown_table import markdown
from measurements import Run, Summaries
from process_cost import Cost

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "benchmarks" / "results"
DAILY = FOLDER / "daily.json"
PAGE = ROOT / "docs" / "benchmarks.md"
GOALS = (("bare", "cpu_seconds", 1.25), ("tutorial", "cpu_seconds", 0.60))
"""The engine's medians by those of others that are aimed at, at most."""
OTHER_NAMES = {"bare": "a job by hand", "tutorial": "one in the style of tutorials", "duckdb": "DuckDB"}
INTRODUCTION = """\
# What the engine costs

Computed by `make bench` from `benchmarks/results/`; [benchmarks/README.md](../benchmarks/README.md) says what is
compared, and why it is fair. A first full load of films: the engine with all its promises, a job by hand with PySpark
and Delta alone, the style of most tutorials, and DuckDB with delta-rs. All start from nothing, and end with the same
rows in silver, gold and quarantine, which is checked in each round before its times are told. Nothing here was measured
on AWS.
"""


def write(mebibytes: int, result: dict[str, Any]) -> Path:
    """Keeps what was measured with so much input, in place of what was known of it, and writes the page anew."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"full_load_{mebibytes}_mebibytes.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
    return path


def write_daily(result: dict[str, Any]) -> None:
    """Keeps what was measured of daily runs, and writes the page anew."""
    DAILY.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The page, from all files."""
    texts = [text for result in _results() for text in _section(result)]
    if DAILY.exists():
        texts += daily_results.section(json.loads(DAILY.read_bytes()))
    return INTRODUCTION + "".join(f"\n{text}\n" for text in texts)


def headline() -> str:
    """What the README quotes: the processor time of the largest input that was measured, by that of each other side."""
    result = _results()[-1]
    sides = measurements.summarise([run for run in _runs(result) if run.round])["cpu_seconds"]
    shares = ", ".join(f"x{measurements.ratio(sides, other):.2f} of {name}" for other, name in OTHER_NAMES.items())
    return f"{result['input']['bytes'] / 1e6:,.0f} MB of films take {shares} in CPU seconds"


def _results() -> list[dict[str, Any]]:
    files = sorted(FOLDER.glob("full_load_*.json"), key=lambda path: int(re.sub(r"\D", "", path.stem)))
    return [json.loads(path.read_bytes()) for path in files]


def _runs(result: dict[str, Any]) -> list[Run]:
    return [Run(**each | {"cost": Cost(**each["cost"])}) for each in result["runs"]]


def _section(result: dict[str, Any]) -> Iterator[str]:
    runs = _runs(result)
    summaries = measurements.summarise([run for run in runs if run.round])
    size, rows, loads = result["input"], result["rows"], [run.load for run in runs]
    yield f"## {size['bytes'] / 1e6:,.0f} MB"
    yield (
        f"{result['measured_at'][:10]}, revision {result['revision']}: {size['records']:,} records in {size['files']} "
        f"files, which become {rows['silver/movies']:,} films and {rows['quarantine/movies']:,} rejects. "
        f"Rounds: {max(run.round for run in runs)}; the machine's load before a run: {min(loads):.1f} to "
        f"{max(loads):.1f}."
    )
    yield markdown(measurements.HEAD, measurements.rows(summaries))
    first, again = (run.cost for run in runs if not run.round)
    yield (
        f"The engine twice, before all others: {first.cpu_seconds:.1f} and {again.cpu_seconds:.1f} CPU seconds, "
        f"{first.wall_seconds:.1f} and {again.wall_seconds:.1f} seconds."
    )
    yield "\n".join(f"- CPU: {measurements.verdict(summaries['cpu_seconds'], other)}." for other in measurements.OTHERS)
    yield markdown(("goal", "measured", ""), list(_goals(summaries)))
    yield "With " + ", ".join(f"{name} {text}" for name, text in result["versions"].items()) + ". Spark's settings:"
    yield "```text\n" + "\n".join(result["spark_settings"]) + "\n```"


def _goals(summaries: Summaries) -> Iterator[tuple[str, ...]]:
    for other, figure, most in GOALS:
        found, title = measurements.ratio(summaries[figure], other), measurements.TITLES[figure]
        verdict = "met" if found <= most else f"missed by {found - most:.2f}"
        yield f"at most x{most:.2f} of {measurements.SIDES[other]}, {title}", f"x{found:.2f}", verdict
