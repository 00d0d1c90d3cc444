"""What a command costs, all its processes counted: `python benchmarks/process_cost.py COMMAND ...`.

The command's output goes to standard error, its cost as one line of JSON to standard output. A process of its
own, because it takes in every process that the command leaves behind. That is what makes the figures true:
PySpark doesn't wait for its JVM, so the JVM's processor time would belong to nobody.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>


class CommandFailedError(Exception):
    """The command ended with an error."""


@dataclass(frozen=True)
class Cost:
    """What one run of a command took; the peak is that of the largest single process."""

    exit_code: int
    cpu_seconds: float
    wall_seconds: float
    peak_mebibytes: float
    processes: int


def measured(command: list[str], environment: dict[str, str], log: Path) -> Cost:
    """Run the command in a process tree of its own; what it prints goes to the log."""
    with log.open("wb") as stream:
        answer = subprocess.run(
            [sys.executable, __file__, *command], env=environment, stdout=subprocess.PIPE, stderr=stream, check=True
        )
    cost = Cost(**json.loads(answer.stdout))
    if cost.exit_code != 0:
        last_lines = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])
        raise CommandFailedError(f"exit code {cost.exit_code} from {' '.join(command)}\n{last_lines}")
    return cost


def cost_of(command: list[str]) -> Cost:
    """Run the command and wait for all that it started; this process must have no other children."""
    _adopt_orphans()
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=sys.stderr)
    processes, wall_seconds = 0, 0.0
    while True:
        try:
            child, status = os.wait()
        except ChildProcessError:
            break
        processes += 1
        if child == process.pid:
            wall_seconds = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = used.ru_utime + used.ru_stime
    return Cost(process.returncode, cpu_seconds, wall_seconds, used.ru_maxrss / 1024, processes)


def _adopt_orphans() -> None:
    """Become the parent of every process below this one whose own parent ends, so that its cost is counted."""
    if sys.platform != "linux":
        sys.exit("error: processor time can be measured on Linux only: elsewhere the JVM's would be missing")
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    print(json.dumps(asdict(cost_of(sys.argv[1:]))))
