"""`make archive`: bronze's job alone, deployed or on a folder."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

import deployment
import run
import run_pipeline
import workflow_runs


def test_bronzes_job_is_told_to_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[Any, ...]] = []
    deployed = SimpleNamespace(client=str, named=lambda kind, name: f"oakvale-{name}", run_records=lambda *_: [])
    monkeypatch.setattr(deployment, "connect", lambda environment: deployed)
    monkeypatch.setattr(workflow_runs, "run_job", lambda glue, *told: started.append(told[:2]) or {"Id": "jr_1"})
    monkeypatch.setattr(sys, "argv", ["run_pipeline.py", "--archive", "--environment", "dev", "--pipeline", "retail"])
    assert run_pipeline.main() == 0
    assert started == [("oakvale-retail-bronze", {"--mode": "archive"})]


def test_a_folder_runs_the_same_layer() -> None:
    assert run.steps_of("archive", list_all=False) == [("bronze", ("--mode", "archive"))]
