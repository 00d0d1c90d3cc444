"""What all processes that the server starts have in common: a clean environment and a certain end."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress

# All that they may see of the server's environment: no account of the person at the keyboard, no checkout.
INHERITED = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "TMPDIR", "TZ", "USER")


def inherited() -> dict[str, str]:
    """The part of the server's environment that every process has."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends a process, and all of its group, at once."""
    with suppress(ProcessLookupError, PermissionError):  # macOS answers the latter when only zombies are left
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
