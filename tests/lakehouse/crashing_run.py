"""Runs one layer of movies in a process of its own, and kills it with its JVM before the n-th write.

    python crashing_run.py LAKE LAYER N

A write is a Delta commit, a new table or an object put or deleted beside the tables.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from delta.tables import DeltaTableBuilder
from pyspark.sql import SparkSession

from lakehouse import job
from lakehouse.storage import FolderStorage
from lakehouse.tables import Table
from tests.small_runs import SMALL_RUNS


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


def main(lake: str, layer: str, fatal: str) -> None:
    """Runs the layer up to its fatal write."""
    Writes(int(fatal)).watch(setattr)
    session = SparkSession.builder.getOrCreate()
    for name, value in SMALL_RUNS.items():
        session.conf.set(name, value)
    script = importlib.import_module("pipelines.movies")
    job.main(script, ["--pipeline", "movies", "--layer", layer, "--lake", lake, "--raw", lake])


if __name__ == "__main__":
    main(*sys.argv[1:])
