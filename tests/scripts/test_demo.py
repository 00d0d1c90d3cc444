"""A demonstration that fails says why and what to do, and stops what it has started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import demo
import deploy
import environments
import package
from environments import DeployError
from local_cloud import control


@pytest.fixture
def clouds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done with the laptop cloud; none is really started, and none is up."""
    done: list[str] = []

    def start(folder: Path) -> control.Cloud:
        done.append(f"start {folder.name}")
        return control.Cloud(folder, 1, 4566, 0.0)

    monkeypatch.setattr(control, "running", lambda folder: None)
    monkeypatch.setattr(control, "start", start)
    monkeypatch.setattr(control, "stop", lambda folder: done.append(f"stop {folder.name}"))
    monkeypatch.setattr(environments, "enter_cloud", lambda cloud: done.append(f"enter {cloud.endpoint}"))
    monkeypatch.setattr(package, "package", lambda: None)
    monkeypatch.setattr("sys.argv", ["demo.py", "--pipeline", "retail"])
    return done


def fails(*_: Any) -> None:
    """A step that can't be done."""
    raise DeployError("no Terraform [1.11] here")


@pytest.mark.parametrize(
    ("module", "step", "expected"),
    [
        (package, "package", []),
        (deploy, "apply", ["start demo", "enter http://127.0.0.1:4566", "stop demo"]),
    ],
)
def test_a_step_that_fails_ends_it_and_all_that_it_has_started(
    clouds: list[str],
    module: Any,
    step: str,
    expected: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(module, step, fails)
    assert demo.main() == 1
    *_, reason, hint = capsys.readouterr().out.splitlines()
    assert reason == "error: DeployError: no Terraform [1.11] here"
    assert hint == "make doctor says what is missing on this machine."
    assert clouds == expected


def test_a_second_one_at_the_same_time_is_refused_and_stops_nothing(
    clouds: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(control, "running", lambda folder: control.Cloud(folder, 1, 4566, 0.0))
    assert demo.main() == 1
    assert "another demonstration is under way" in capsys.readouterr().out
    assert clouds == []
