"""What the page tells of daily runs: what each layer's run did to its storage, and by how much that grew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import counters
from markdown_table import markdown

LAYERS = ("bronze", "silver", "gold")
SIZE, AGE = 1.2, 1.3
"""Goals: at most so many times what a run on the small young lake takes, on a larger one and on one of many days."""
TITLES = {
    "requests": "requests",
    "objects_listed": "objects listed",
    "files_read": "files read",
    "bytes_read": "bytes read",
    "files_written": "files written",
    "bytes_written": "bytes written",
}
INTRODUCTION = """\
A new day of {films:,} films, and newer versions of {corrections} of earlier ones, on lakes that the pipeline has built
day by day. The lakes differ in how many films all days but the last had (x1: as many as that, x100: 100 times as many),
and in how many days there were. *Clustered* days correct films of the day before, *random* ones films of all days.
Requests, files and bytes are those of one run of each layer on S3 (the laptop cloud's), log files and the run's record
included, the lease left out. CPU seconds are of a fresh process of all three layers on the same lake in a folder, those
of an idle run subtracted."""


def section(result: dict[str, Any]) -> Iterator[str]:
    """The page's part on daily runs."""
    lakes = result["lakes"]
    loads = [batch["load"] for lake in lakes for batch in lake["batches"].values()]
    yield "## A daily run"
    yield INTRODUCTION.format(films=lakes[0]["films"], corrections=lakes[0]["films"] // 10)
    yield (
        f"{result['measured_at'][:10]}, revision {result['revision']}, one run of each; the machine's load before a "
        f"run: {min(loads):.1f} to {max(loads):.1f}. Beside it: {result['beside']}."
    )
    yield markdown(("lake", "run", "layer", *TITLES.values(), "CPU s"), _rows(lakes))
    yield markdown(("goal", "measured", ""), _goals(lakes))


def growth(lake: dict[str, Any], first: dict[str, Any], batch: str, layer: str) -> tuple[str, float]:
    """The counter of a layer's run that differs most from that of the first lake, and its ratio."""
    now, before = _totals(lake, batch, layer), _totals(first, batch, layer)
    return max(((name, now[name] / before[name]) for name in TITLES), key=lambda each: each[1])


def _rows(lakes: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for lake in lakes:
        for name, batch in lake["batches"].items():
            for layer in LAYERS:
                totals = _totals(lake, name, layer)
                counted = (f"{totals[title]:,}" for title in TITLES)
                net = f"{batch['cpu_seconds'] - lake['batches']['idle']['cpu_seconds']:.1f}"
                shown = (_told(lake), name) if layer == LAYERS[0] else ("", "")
                yield (*shown, layer, *counted, net if layer == LAYERS[0] and name != "idle" else "")


def _goals(lakes: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    first = lakes[0]
    for lake in lakes[1:]:
        most = SIZE if lake["days"] == first["days"] else AGE
        for batch in ("idle", "clustered", "random"):
            for layer in LAYERS:
                name, found = growth(lake, first, batch, layer)
                verdict = "met" if found <= most else f"missed by {found - most:.2f}"
                goal = f"{_told(lake)}, {batch}, {layer}: at most x{most:.1f} of {_told(first)}"
                yield goal, f"x{found:.2f} ({TITLES[name]})", verdict


def _told(lake: dict[str, Any]) -> str:
    corrected = "" if lake["corrects"] == "none" else ", each with corrections"
    return f"{lake['days']} days, x{lake['times']}{corrected}"


def _totals(lake: dict[str, Any], batch: str, layer: str) -> dict[str, int]:
    return counters.from_dict(lake["batches"][batch]["layers"][layer]).totals()
