"""What a command costs includes the processes that it doesn't wait for, as PySpark doesn't for its JVM."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from process_cost import CommandFailedError, measured

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processor time can be measured on Linux only")

BURN = "import time\nwhile time.process_time() < 0.4: pass"


def test_time_of_an_orphan_is_counted(tmp_path: Path) -> None:
    leave = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BURN!r}])"
    cost = measured([sys.executable, "-c", leave], dict(os.environ), tmp_path / "log")
    assert cost.processes == 2
    assert cost.cpu_seconds >= 0.4


def test_failure_says_what_was_printed(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match=r"(?s)exit code 3 .*no luck"):
        measured([sys.executable, "-c", "print('no luck'); exit(3)"], dict(os.environ), tmp_path / "log")
