"""Runs one layer of movies in a process group of its own, and kills it with its JVM before the n-th write.

    python crashing_run.py LAKE RAW LAYER N

A write is a Delta commit, a new table or an object put or deleted beside the tables. 0: no write is fatal.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from delta.tables import DeltaTableBuilder
from pyspark.sql import SparkSession

from lakehouse import job
from lakehouse.storage import FolderStorage
from lakehouse.tables import Table
from laptop_spark import SMALL_RUNS


class Writes:
    """Counts writes, and dies before the chosen one (0: none): by default it kills the process group."""

    def __init__(self, fatal: int = 0, die: Callable[[], None] = lambda: os.killpg(0, signal.SIGKILL)) -> None:
        self.fatal, self.die, self.count = fatal, die, 0

    def watch(self, replace: Callable[[Any, str, Any], None]) -> None:
        """Has every write of the engine counted; `replace` is setattr, or a test's that takes it back."""
        commit = Table.commit
        replace(FolderStorage, "write", self._counted(FolderStorage.write))
        replace(FolderStorage, "delete", self._counted(FolderStorage.delete))
        replace(DeltaTableBuilder, "execute", self._counted(DeltaTableBuilder.execute))
        replace(Table, "commit", lambda table, hop, write: commit(table, hop, self._counted(write)))

    def _counted(self, write: Callable[..., Any]) -> Callable[..., Any]:
        """The same write, counted; not in other threads, since renewals of the lease depend on time."""

        def wrapper(*arguments: Any, **named: Any) -> Any:
            if threading.current_thread() is threading.main_thread():
                self.count += 1
                if 0 < self.fatal <= self.count:
                    self.die()
            return write(*arguments, **named)

        return wrapper


def start(
    lake: str, raw: str, layer: str, *, fatal: int = 0, variables: Mapping[str, str] = os.environ
) -> subprocess.Popen[str]:
    """Starts a run of a layer in a process group of its own."""
    program = Path(__file__)
    root = program.parents[2]
    paths = [variables["PYTHONPATH"], str(root), str(root / "scripts")]
    return subprocess.Popen(
        [sys.executable, str(program), lake, raw, layer, str(fatal)],
        env={**variables, "PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait(process: subprocess.Popen[str]) -> str:
    """Waits until nothing of a run's group is left; returns what it has said on stderr."""
    _, errors = process.communicate(timeout=300)
    deadline = time.monotonic() + 60
    while alive := members(process.pid):
        assert time.monotonic() < deadline, f"processes {alive} outlived the run"
        time.sleep(0.01)
    return errors


def members(group: int) -> list[int]:
    """Processes of a group that still run: the JVM among them isn't our child, so it can't be waited for."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, process_group = stat.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(process_group) == group and state not in "ZX":
            found.append(int(stat.parent.name))
    return found


def main(lake: str, raw: str, layer: str, fatal: str) -> None:
    """Runs the layer up to its fatal write."""
    Writes(int(fatal)).watch(setattr)
    session = SparkSession.builder.getOrCreate()
    for name, value in SMALL_RUNS.items():
        session.conf.set(name, value)
    script = importlib.import_module("pipelines.movies")
    job.main(script, ["--pipeline", "movies", "--layer", layer, "--lake", lake, "--raw", raw])


if __name__ == "__main__":
    main(*sys.argv[1:])
