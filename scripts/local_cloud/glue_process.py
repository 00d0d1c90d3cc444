"""The Python process of one Glue run: its files from S3, its arguments, its environment, its end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud import child_process, glue_logs
from local_cloud.glue_errors import error_message
from local_cloud.glue_logs import LogStream

POLL_SECONDS = 0.05
LOG_SECONDS = 10.0
"""How long an ended run waits for the rest of its output: what has left its group may keep the pipes open for ever."""


class StartError(Exception):
    """A run that fails before its script starts; the message is the run's."""


@dataclass(frozen=True)
class Ending:
    """How a process has ended: SUCCEEDED, FAILED, STOPPED or TIMEOUT; a message for people; how long it took."""

    state: str
    message: str = ""
    seconds: float = 0.0


def fetch(s3: Any, location: str, folder: Path) -> Path:
    """Downloads s3://bucket/key with the rights of the job's role."""
    where = urlsplit(location)
    if where.scheme != "s3" or not where.netloc or not where.path.strip("/"):
        raise StartError(f"not an address of an object, s3://bucket/key: {location!r}")
    target = folder / Path(where.path).name
    try:
        s3.download_file(where.netloc, where.path[1:], str(target))
    except (ClientError, BotoCoreError) as error:
        raise StartError(f"{location} can't be read: {error}") from error
    return target


def command(script: Path, run: Mapping[str, Any], arguments: Mapping[str, str]) -> list[str]:
    """The command line that Glue gives a script: its own arguments first."""
    own = {"--JOB_NAME": run["JobName"], "--JOB_RUN_ID": run["Id"]}
    pairs = [part for name, value in {**own, **arguments}.items() for part in (name, str(value))]
    return [sys.executable, str(script), *pairs]


def environment(variables: Mapping[str, str], libraries: list[Path]) -> dict[str, str]:
    """A clean environment with these variables, where the libraries can be imported."""
    return {
        **child_process.inherited(),
        **variables,
        "PYTHONPATH": os.pathsep.join(map(str, libraries)),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def run_to_end(
    arguments: list[str],
    variables: Mapping[str, str],
    folder: Path,
    output: LogStream,
    errors: LogStream,
    stop: threading.Event,
    timeout: float,
) -> Ending:
    """Runs a process until it ends, is stopped or takes longer than `timeout` seconds; nothing of its group is left."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = child_process.start(arguments, variables, cwd=folder, **streams)
    assert process.stdout is not None
    assert process.stderr is not None
    pumps = [glue_logs.pump(process.stdout, output.write), glue_logs.pump(process.stderr, errors.write)]
    began = time.monotonic()
    cut = ""
    while process.poll() is None and not cut:
        cut = "STOPPED" if stop.wait(POLL_SECONDS) else "TIMEOUT" if time.monotonic() > began + timeout else ""
    if cut or (process.returncode or 0) < 0:  # killed from outside
        stop.set()  # for Spark's Java process too, which isn't of this group
    child_process.end_group(process)
    deadline = time.monotonic() + LOG_SECONDS
    for thread in pumps:
        thread.join(max(0.0, deadline - time.monotonic()))
    seconds = time.monotonic() - began
    if cut or process.returncode == 0:
        return Ending(cut or "SUCCEEDED", seconds=seconds)
    return Ending("FAILED", error_message(list(errors.last_lines), process.returncode), seconds)
