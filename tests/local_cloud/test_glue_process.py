"""The process of a Glue run: started here, without a cloud."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from unittest.mock import MagicMock

import psutil
import pytest

from local_cloud import glue_process
from local_cloud.glue_logs import LogStream

# Leaves a process of another session behind, which keeps both pipes open.
LEAVES_A_PROCESS = """
import subprocess, sys
command = [sys.executable, "-c", "import time; time.sleep(300)"]
print(subprocess.Popen(command, start_new_session=True).pid)
"""


def test_a_process_that_was_left_behind_does_not_keep_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glue_process, "LOG_SECONDS", 1.0)
    output, errors = (LogStream(MagicMock(), "group", name) for name in ("output", "errors"))
    command = [sys.executable, "-c", LEAVES_A_PROCESS]
    before = time.monotonic()
    ending = glue_process.run_to_end(command, {}, tmp_path, output, errors, threading.Event(), timeout=60)
    waited = time.monotonic() - before
    left = psutil.Process(int(output.last_lines[0]))
    assert left.is_running()
    left.kill()
    assert ending.state == "SUCCEEDED"
    # Once for both of its logs.
    assert 1.0 <= waited < 1.9
