"""`make replay` and `make migrate`: all layers are rebuilt, then published if that is asked for and nothing is lost."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import deployment
import replay
import run
import run_pipeline
import run_report

EQUAL = {
    "table": "silver/movies",
    "version": 3,
    "rows_served": 1204,
    "rows_rebuilt": 1204,
    "verdict": "equal",
    "lost": {},
}
DAMAGED = EQUAL | {"table": "gold/a", "rows_served": None, "verdict": "damaged", "reason": "gold/a/part-0 is gone"}
LOSSY = EQUAL | {"rows_rebuilt": 1200, "verdict": "other columns", "reason": "added a int", "lost": {"rows": 4}}
LOSS = "silver/movies: 4 rows. Mend the declaration or the script, or migrate all the same with ACCEPT_LOSS=1"
LAYERS = ("bronze", "silver", "gold")


def record(*compared: dict[str, Any]) -> dict[str, Any]:
    """The record of a replay that has compared these tables."""
    return {"compared": [{"reason": "", **each} for each in compared]}


@pytest.mark.parametrize(
    ("found", "options", "modes", "code"),
    [
        ((EQUAL,), (), ("replay",), 0),
        ((EQUAL, DAMAGED), (), ("replay",), 1),
        ((EQUAL, DAMAGED), ("--switch",), ("replay", "switch"), 0),
        ((LOSSY,), ("--switch",), ("replay", "switch"), 0),
        ((EQUAL, DAMAGED), ("--migrate",), ("replay", "migrate"), 0),
        ((EQUAL, LOSSY), ("--migrate",), ("replay",), 1),
        ((LOSSY,), ("--migrate", "--accept-loss"), ("replay", "migrate"), 0),
        ((EQUAL,), ("--accept-loss",), (), 1),
        ((LOSSY,), ("--switch", "--accept-loss"), (), 1),
    ],
)
def test_in_an_environment(
    found: tuple[dict[str, Any], ...],
    options: tuple[str, ...],
    modes: tuple[str, ...],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ran = []

    def run_jobs(
        console: Any, deployed: str, pipeline: str, asked: dict[str, tuple[str, ...]], seconds: float
    ) -> list[Any]:
        ran.append((deployed, pipeline, asked))
        return [record(*found)]

    monkeypatch.setattr(run_pipeline, "run_jobs", run_jobs)
    monkeypatch.setattr(deployment, "connect", lambda environment: environment)
    monkeypatch.setattr(sys, "argv", ["replay.py", "--environment", "dev", "--pipeline", "movies", *options])
    assert replay.main() == code
    assert ran == [("dev", "movies", dict.fromkeys(LAYERS, ("--mode", mode))) for mode in modes]
    told = " ".join(capsys.readouterr().out.split())
    assert ("error: tables are damaged; SWITCH=1 puts" in told) == (code == 1 and not options)
    assert (LOSS in told) == (options == ("--migrate",) and code == 1)
    assert ("error: --accept-loss is for --migrate alone" in told) == (not modes)


@pytest.mark.parametrize(
    ("found", "options", "modes", "code"),
    [
        (EQUAL, ("--replay",), ("replay",), 0),
        (DAMAGED, ("--replay",), ("replay",), 1),
        (DAMAGED, ("--switch",), ("replay", "switch"), 0),
        (LOSSY, ("--switch",), ("replay", "switch"), 0),
        (DAMAGED, ("--migrate",), ("replay", "migrate"), 0),
        (LOSSY, ("--migrate",), ("replay",), 1),
        (LOSSY, ("--migrate", "--accept-loss"), ("replay", "migrate"), 0),
    ],
)
def test_on_a_folder(
    found: dict[str, Any],
    options: tuple[str, ...],
    modes: tuple[str, ...],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    ran: list[tuple[Any, ...]] = []

    def run_layer(pipeline: str, layer: str, lake: Path, raw: Path, *options: str) -> dict[str, Any]:
        ran.append((layer, *options))
        return record(found)

    (tmp_path / "raw").mkdir()
    monkeypatch.setattr(run, "prepare_spark", lambda *, large: None)
    monkeypatch.setattr(run, "run_layer", run_layer)
    monkeypatch.setattr(run_report, "show", lambda console, record: None)
    monkeypatch.setattr(sys, "argv", ["run.py", *options, "--lake", str(tmp_path), "--pipeline", "movies"])
    assert run.main() == code
    assert ran == [(layer, "--mode", mode) for mode in modes for layer in LAYERS]
    assert (LOSS in " ".join(capsys.readouterr().out.split())) == (code == 1 and "--migrate" in options)


def test_the_proof_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    Console(width=120).print(run_report.proof(record(EQUAL, DAMAGED)["compared"]))
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    assert [row for row in rows if row] == [
        ["silver/movies", "1,204", "1,204", "yes", "equal"],
        ["gold/a", "-", "1,204", "no", "damaged: gold/a/part-0 is gone"],
    ]
