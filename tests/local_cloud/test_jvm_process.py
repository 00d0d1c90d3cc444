"""A Java process that doesn't answer, or whose start fails late, is ended; here another program stands for it."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from local_cloud import child_process, jvm_process
from local_cloud.jvm_process import JvmError, JvmProcess

LASTS = "import time; time.sleep(300)"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lasts."""
    started = child_process.start([sys.executable, "-c", LASTS], child_process.inherited(), stdout=subprocess.PIPE)
    yield started
    child_process.end_group(started)


@pytest.mark.parametrize("step", ["prepare", "clean"])
def test_a_process_that_does_not_answer_is_ended(
    process: subprocess.Popen[bytes], silent_port: int, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr(jvm_process, "ANSWER_SECONDS", 0.2)
    jvm = JvmProcess(process, silent_port, "secret")
    with pytest.raises(JvmError, match="gave no answer, and was ended"):
        jvm.prepare({}) if step == "prepare" else jvm.clean()
    assert not jvm.is_alive()


def test_a_process_whose_start_fails_late_is_ended(
    process: subprocess.Popen[bytes], silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(jvm_process, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(jvm_process, "_read", lambda connection, process: (silent_port, "secret"))
    monkeypatch.setattr(child_process, "start", lambda command, variables, **streams: seen.append(variables) or process)
    with pytest.raises(JvmError):
        JvmProcess.boot()
    assert process.poll() is not None
    assert "PYTHONPATH" not in seen[0]


def test_a_failed_rehearsal_is_logged_and_loses_no_process(
    process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(JvmProcess, "clean", lambda self: None)
    jvm = JvmProcess(process, 1, "secret")
    start = child_process.start
    fails = [sys.executable, "-c", "raise SystemExit(3)"]
    monkeypatch.setattr(
        child_process, "start", lambda command, variables, **streams: start(fails, variables, **streams)
    )
    jvm.rehearse()
    assert jvm.is_alive()
    assert "ended with code 3" in caplog.text


def test_a_process_that_can_not_be_cleaned_after_its_rehearsal_is_ended(
    process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: JvmProcess) -> None:
        raise RuntimeError("stuck")

    monkeypatch.setattr(JvmProcess, "clean", fail)
    monkeypatch.setattr(JvmProcess, "_run_rehearsal", lambda self: None)
    with pytest.raises(RuntimeError, match="stuck"):
        JvmProcess(process, 1, "secret").rehearse()
    assert process.poll() is not None
