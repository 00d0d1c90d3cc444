"""Which processes a server has started, and their end."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

import psutil

CLOCK_SECONDS = 5.0
"""When a process was started is counted from the start of the machine, which moves whenever the clock is set."""


def find_server(pid: int, started: float) -> psutil.Process | None:
    """The server that got a number at a time; none when it is gone, or when another process has got its number."""
    try:
        process = psutil.Process(pid)
        same = "serve" in process.cmdline() and abs(process.create_time() - started) <= CLOCK_SECONDS
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None  # gone, or somebody else's


def started_by(server: psutil.Process | None, folder: Path, since: float) -> set[psutil.Process]:
    """All that a server started: its descendants and, since it may have died, what carries its folder's name.

    The processes of Glue jobs know nothing of the server, but their files lie in its folder.
    """
    found: set[psutil.Process] = set()
    if server is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            found.update(server.children(recursive=True))
    spared = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        try:
            of_job = any(part.startswith(f"{folder}/runs/") for part in process.cmdline())
            marked = of_job or process.environ().get("OAKVALE_CLOUD_FOLDER") == str(folder)
            if marked and process.create_time() >= since - CLOCK_SECONDS and process.pid not in spared:
                found.update((process, *process.children(recursive=True)))
        except (psutil.Error, OSError):
            continue  # gone since, or somebody else's
    return found


def job_process(folder: Path, job_run_id: str) -> psutil.Process | None:
    """The Python process of a Glue run of the cloud in this folder; none before it has begun and after it has ended."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            command = process.cmdline()
            if job_run_id in command and any(part.startswith(f"{folder}/runs/") for part in command):
                return process
    return None


def end(processes: Iterable[psutil.Process], timeout: float) -> list[int]:
    """Ends processes, politely and then at once, each within a time; returns the numbers of those that live on."""
    left = list(processes)
    for act in ("terminate", "kill"):
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                getattr(process, act)()
        _, left = psutil.wait_procs(left, timeout=timeout)
    return [process.pid for process in left]
