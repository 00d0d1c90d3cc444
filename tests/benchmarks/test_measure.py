"""The benchmark tells no time of a round before that round's tables are found equal."""

from __future__ import annotations

import importlib
import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

ROOT = Path(__file__).resolve().parents[2]


def test_tables_are_compared_in_every_round_before_its_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    measure: Any = importlib.import_module("measure")
    answers = iter([({"silver/movies": 7}, []), ({"silver/movies": 7}, ["silver/movies: 1 rows only in ours"])])
    cost = measure.process_cost.Cost(exit_code=0, cpu_seconds=1, wall_seconds=1, peak_mebibytes=1, processes=1)
    printed = io.StringIO()

    def compare(*_: Path) -> tuple[dict[str, int], list[str]]:
        printed.write("compared\n")
        return next(answers)

    monkeypatch.setattr(measure, "_run_once", lambda number, side, *_: measure.measurements.Run(number, side, 0, cost))
    monkeypatch.setattr(measure.same_tables, "compare", compare)
    with pytest.raises(measure.DifferentTablesError, match="nothing to time\nsilver/movies: 1 rows only in ours"):
        measure.measure(None, 3, Console(file=printed, width=200))
    assert [line.split(":")[0] for line in printed.getvalue().splitlines()] == [
        *("compared", "the tables are equal", "round 1 of 3, ours", "round 1 of 3, bare"),
        "compared",
    ]
