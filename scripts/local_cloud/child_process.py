"""What all processes that the server starts have in common: a clean environment and a certain end."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

# All that they may see of the server's environment: no account of the person at the keyboard, no checkout.
INHERITED = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "TMPDIR", "TZ", "USER")

_STARTED: set[subprocess.Popen[bytes]] = set()


def inherited() -> dict[str, str]:
    """The part of the server's environment that every process has."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def start(command: list[str], variables: Mapping[str, str], **streams: Any) -> subprocess.Popen[bytes]:
    """Starts a process in a group of its own, with which all that it starts ends too; with the server at the latest."""
    process = subprocess.Popen(command, env=dict(variables), process_group=0, **streams)
    _STARTED.add(process)
    return process


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends a process, and all of its group, at once."""
    with suppress(ProcessLookupError, PermissionError):  # macOS answers the latter when only zombies are left
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    _STARTED.discard(process)


@atexit.register
def _end_all() -> None:
    for process in list(_STARTED):
        end_group(process)
