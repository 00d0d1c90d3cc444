"""What the runs of all sides say together: least and median of each, ours by theirs, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from rich import box
from rich.table import Table

from process_cost import Cost

SIDES = {"ours": "engine", "bare": "job by hand", "tutorial": "tutorial style", "duckdb": "DuckDB"}
"""What is measured, and how it is called."""
OTHERS = tuple(side for side in SIDES if side != "ours")
FIGURES = ("cpu_seconds", "wall_seconds", "peak_mebibytes")
TITLES = {"cpu_seconds": "CPU seconds", "wall_seconds": "wall seconds", "peak_mebibytes": "peak memory, MiB"}


@dataclass(frozen=True)
class Run:
    """One run of one side; the load is the machine's one-minute load average just before it."""

    round: int
    side: str
    load: float
    cost: Cost


@dataclass(frozen=True)
class Summary:
    """One figure of one side over all rounds; the spread is the greatest run by the least."""

    least: float
    median: float
    spread: float


Sides = dict[str, Summary]
Summaries = dict[str, Sides]


def summarise(runs: Sequence[Run]) -> Summaries:
    """By figure, then by side."""
    return {
        figure: {side: _summary([getattr(run.cost, figure) for run in runs if run.side == side]) for side in SIDES}
        for figure in FIGURES
    }


def ratio(sides: Sides, other: str) -> float:
    """The engine's median by that of another side."""
    return sides["ours"].median / sides[other].median


def verdict(sides: Sides, other: str) -> str:
    """What may be said of the medians: no difference that is smaller than the sides' own runs have among themselves."""
    found, claim = ratio(sides, other), max(sides["ours"].spread, sides[other].spread)
    if claim == 1:
        return f"x{found:.2f} of {SIDES[other]} in one round, which doesn't tell how much runs differ"
    if 1 / claim <= found <= claim:
        return f"no difference to {SIDES[other]}: x{found:.2f} is within the runs' own spread of x{claim:.2f}"
    return f"x{found:.2f} of {SIDES[other]}; the runs' own spread is x{claim:.2f}"


def rows(summaries: Summaries) -> list[tuple[str, ...]]:
    """A row per figure and side, in words: figure, side, least, median, spread, and the engine's median by it."""
    found = list[tuple[str, ...]]()
    for figure, sides in summaries.items():
        digits = 0 if figure == "peak_mebibytes" else 1
        for side, one in sides.items():
            title = TITLES[figure] if side == "ours" else ""
            shown = (f"{one.least:.{digits}f}", f"{one.median:.{digits}f}", f"x{one.spread:.2f}")
            found.append((title, SIDES[side], *shown, "" if side == "ours" else f"x{ratio(sides, side):.2f}"))
    return found


HEAD = ("", "", "least", "median", "spread", "engine by it")


def table(summaries: Summaries) -> Table:
    """The rows for people."""
    shown = Table(*HEAD, box=box.SIMPLE_HEAD)
    for column in shown.columns[2:]:
        column.justify = "right"
    for row in rows(summaries):
        shown.add_row(*row)
    return shown


def _summary(values: list[float]) -> Summary:
    return Summary(min(values), median(values), max(values) / min(values))
