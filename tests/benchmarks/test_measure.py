"""The benchmark tells no time of a round before its tables are found equal, and its page follows its results."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

import measure
import measurements
import results
from measurements import Run
from process_cost import Cost


def run(number: int, side: str, seconds: float) -> Run:
    """A run of a side that took so long."""
    return Run(number, side, 0.5, Cost(0, seconds, seconds / 2, 1000, 2))


def test_tables_are_compared_in_every_round_before_its_times(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([*[[]] * 3, ["silver/movies: 1 rows only in ours"], [], []])
    printed, kept = io.StringIO(), list[int]()

    def compare(ours: Path, other: Path, name: str) -> tuple[dict[str, int], list[str]]:
        printed.write(f"compared with {other.name}, {name}\n")
        return {"silver/movies": 7}, next(answers)

    monkeypatch.setattr(measure, "_run_once", lambda number, side, *_: run(number, side, 1))
    monkeypatch.setattr(measure.same_tables, "compare", compare)
    with pytest.raises(measure.DifferentTablesError, match="nothing to time\nsilver/movies: 1 rows only in ours"):
        measure.measure(
            None,  # type: ignore[arg-type]
            3,
            Console(file=printed, width=200),
            lambda runs, rows: kept.append(len(runs) * rows["silver/movies"]),
        )
    assert kept == [(2 + 4) * 7]
    compared = [f"compared with {other}, {other}" for other in ("bare", "tutorial", "duckdb")]
    assert [line.split(":")[0] for line in printed.getvalue().splitlines()] == [
        *("the same twice, engine", "the same twice, engine", *compared, "the tables are equal"),
        *(f"round 1 of 3, {title}" for title in ("engine", "job by hand", "tutorial style", "DuckDB")),
        *compared,
    ]


def test_no_difference_is_claimed_that_runs_of_one_side_have_among_themselves() -> None:
    took = {"ours": (10.0, 12.0), "bare": (9.5, 11.0), "tutorial": (30.0, 30.0), "duckdb": (1.0, 1.0)}
    summaries = measurements.summarise(
        [run(number, side, seconds) for side, both in took.items() for number, seconds in enumerate(both, 1)]
    )
    told = [measurements.verdict(summaries["cpu_seconds"], other) for other in measurements.OTHERS]
    assert told == [
        "no difference to job by hand: x1.07 is within the runs' own spread of x1.20",
        "x0.37 of tutorial style; the runs' own spread is x1.20",
        "x11.00 of DuckDB; the runs' own spread is x1.20",
    ]


def test_the_page_is_computed_from_the_results() -> None:
    assert results.PAGE.read_text(encoding="utf-8") == results.page()
    measured = [line for line in results.page().splitlines() if line.startswith("| CPU seconds | engine |")]
    assert len(measured) == len(list(results.FOLDER.glob("full_load_*.json"))) >= 1


def test_the_readme_quotes_what_was_measured() -> None:
    assert results.headline() in (results.ROOT / "README.md").read_text(encoding="utf-8")
