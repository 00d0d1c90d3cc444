"""What the runs of both sides say together: the least and the median of each, their ratio, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from process_cost import Cost
from rich import box
from rich.table import Table

SIDES = ("ours", "bare")
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


Summaries = dict[str, dict[str, Summary]]


def summarise(runs: Sequence[Run]) -> Summaries:
    """By figure, then by side."""
    return {
        figure: {side: _summary([getattr(run.cost, figure) for run in runs if run.side == side]) for side in SIDES}
        for figure in FIGURES
    }


def ratios(sides: dict[str, Summary]) -> dict[str, float]:
    """Ours by bare, and the smallest ratio that is more than the sides' own runs differ among themselves."""
    ours, bare = sides["ours"], sides["bare"]
    return {
        "of_minima": ours.least / bare.least,
        "of_medians": ours.median / bare.median,
        "smallest_claim": max(ours.spread, bare.spread),
    }


def verdict(sides: dict[str, Summary]) -> str:
    """What may be said of the medians."""
    ratio, claim = ratios(sides)["of_medians"], ratios(sides)["smallest_claim"]
    if claim == 1:
        return f"x{ratio:.2f} of one round, which doesn't tell how much runs differ among themselves"
    if 1 / claim <= ratio <= claim:
        return f"no difference to claim: x{ratio:.2f} is within the runs' own spread of x{claim:.2f}"
    return f"ours takes x{ratio:.2f} of bare; the runs' own spread is x{claim:.2f}"


def table(summaries: Summaries) -> Table:
    """For people: a row per figure and side, and one for the ratio."""
    shown = Table("", "", "least", "median", "spread", box=box.SIMPLE_HEAD)
    for column in shown.columns[2:]:
        column.justify = "right"
    for figure, sides in summaries.items():
        digits = 0 if figure == "peak_mebibytes" else 1
        for side, title in zip(SIDES, (TITLES[figure], ""), strict=True):
            one = sides[side]
            shown.add_row(title, side, f"{one.least:.{digits}f}", f"{one.median:.{digits}f}", f"x{one.spread:.2f}")
        ratio = ratios(sides)
        shown.add_row("", "ours / bare", f"x{ratio['of_minima']:.2f}", f"x{ratio['of_medians']:.2f}", end_section=True)
    return shown


def _summary(values: list[float]) -> Summary:
    return Summary(min(values), median(values), max(values) / min(values))
