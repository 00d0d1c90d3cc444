"""The warm Java process: booted ahead, lent to one Spark run at a time, cleaned in between, replaced in time.

A run's Python process joins it instead of starting one of its own, which saves most of a small run's time.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from local_cloud.glue_logs import LogStream
from local_cloud.jvm_process import JvmProcess

LOG = logging.getLogger("oakvale.spark")
RUNS_PER_JVM = 60
"""Some megabytes of its two gigabytes stay behind in the process with each run."""
POLL_SECONDS = 0.1

_TURN = threading.Lock()
"""Held by the run that the process is lent to, and while one is booted ahead."""
_CURRENT: list[JvmProcess] = []
"""The process, when there is one."""


def install() -> None:
    """Boots the process in the background, unless each job shall have its own."""
    if os.environ.get("OAKVALE_SPARK") != "cold":
        _boot_ahead()


@contextmanager
def lend(settings: Mapping[str, str], errors: LogStream, stop: threading.Event) -> Iterator[dict[str, str]]:
    """The variables by which a run's Python process joins the process, once it is free; it then has these settings.

    When the run has been stopped meanwhile, the process ends with it: nothing that it began goes on.
    Raises JvmError.
    """
    while not _TURN.acquire(timeout=POLL_SECONDS):
        if stop.is_set():
            yield {}
            return
    try:
        process = _ready()
        process.listener = errors.write
        try:
            process.prepare(settings)
            yield process.variables
        finally:
            _take_back(process, stop)
    finally:
        _TURN.release()
        _boot_ahead()


def _ready() -> JvmProcess:
    """The process: the one that is there, or a new one."""
    if _CURRENT and not _CURRENT[0].is_alive():
        LOG.error("Spark's Java process has died; starting another")
        _CURRENT.clear()
    if not _CURRENT:
        _CURRENT.append(JvmProcess.boot())
    _CURRENT[0].runs += 1
    return _CURRENT[0]


def _take_back(process: JvmProcess, stop: threading.Event) -> None:
    """Makes the process fit for the next run, or ends it."""
    usable = not stop.is_set() and process.is_alive()
    if usable:
        try:
            process.clean()
        except Exception:
            # Whatever it is: nothing of a run may be left for the next one.
            LOG.exception("Spark's Java process can't be cleaned; starting another")
            usable = False
    process.listener = None
    if not usable or process.runs >= RUNS_PER_JVM:
        process.kill()
        _CURRENT.clear()


def _boot_ahead() -> None:
    if not _CURRENT:
        threading.Thread(target=_boot, name="spark-jvm-boot", daemon=True).start()


def _boot() -> None:
    with _TURN:
        if not _CURRENT:
            try:
                process = JvmProcess.boot()
                process.rehearse()
                _CURRENT.append(process)
            except Exception:  # whatever it is: in a thread nobody else would tell
                LOG.exception("Spark's Java process can't be started ahead; the next run will try again")
