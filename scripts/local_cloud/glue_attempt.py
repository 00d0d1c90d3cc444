"""One attempt of a Glue run: from the role's credentials to the end of its process."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import laptop_spark
from local_cloud import credentials, glue_process, spark_jvm
from local_cloud.glue_logs import DEFAULT_GROUP, LogStream
from local_cloud.glue_process import Ending, StartError
from local_cloud.jvm_process import JvmError

SPARK_COMMANDS = ("glueetl", "gluestreaming")
ENDLESS_COMMAND = "gluestreaming"
SECONDS_PER_MINUTE = 60
STARTING_SECONDS = 3600
"""How long a run may wait for Spark without losing its role's keys before its time is over."""


def merged_arguments(job: Mapping[str, Any], arguments: Mapping[str, str]) -> dict[str, str]:
    """A run's arguments: its own replace the job's defaults, and nothing replaces those not to be overridden."""
    return {**job.get("DefaultArguments", {}), **arguments, **job.get("NonOverridableArguments", {})}


def log_group_prefix(job: Mapping[str, Any], arguments: Mapping[str, str]) -> str:
    """The part of the log groups' names before /output and /error."""
    return merged_arguments(job, arguments).get("--custom-logGroup-prefix", DEFAULT_GROUP)


def attempt(
    job: Mapping[str, Any], run: Mapping[str, Any], stop: threading.Event, *, began: Callable[[], None]
) -> Ending:
    """Runs the job's script as its role until it ends; `began` is called when its process can start."""
    arguments = merged_arguments(job, run["Arguments"])
    timeout = float(run["Timeout"]) * SECONDS_PER_MINUTE
    if "WorkflowRunId" in run:
        arguments |= {"--WORKFLOW_NAME": run["WorkflowName"], "--WORKFLOW_RUN_ID": run["WorkflowRunId"]}
    try:
        role = credentials.role_session(str(job.get("Role", "")), run["Id"], lifetime=timeout + STARTING_SECONDS)
        logs = credentials.client("logs", role)
        output, errors = (LogStream(logs, f"{run['LogGroupName']}/{name}", run["Id"]) for name in ("output", "error"))
        with _folder() as folder:
            script, libraries = _fetch(credentials.client("s3", role), job, arguments, folder)
            with _spark(job, arguments, role, folder, libraries, errors, stop) as spark:
                if stop.is_set():
                    return Ending("STOPPED")
                began()
                return glue_process.run_to_end(
                    glue_process.command(script, run, arguments),
                    glue_process.environment({**spark, **role}, libraries),
                    folder,
                    output,
                    errors,
                    stop,
                    timeout,
                )
    except (StartError, credentials.CredentialsError, JvmError, *laptop_spark.ERRORS) as error:
        return Ending("FAILED", str(error))


@contextmanager
def _folder() -> Iterator[Path]:
    runs = Path(os.environ["OAKVALE_CLOUD_FOLDER"]) / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=runs) as folder:
        yield Path(folder)


def _fetch(s3: Any, job: Mapping[str, Any], arguments: Mapping[str, str], folder: Path) -> tuple[Path, list[Path]]:
    """The script and the libraries of --extra-py-files."""
    script = glue_process.fetch(s3, job.get("Command", {}).get("ScriptLocation", ""), folder)
    found = {}
    # The jars are read for the sake of the rights alone: Spark has its own here, of the same versions.
    for name in ("--extra-py-files", "--extra-jars"):
        target = folder / name.strip("-")
        target.mkdir()
        locations = filter(None, arguments.get(name, "").split(","))
        found[name] = [glue_process.fetch(s3, location.strip(), target) for location in locations]
    return script, found["--extra-py-files"]


@contextmanager
def _spark(
    job: Mapping[str, Any],
    arguments: Mapping[str, str],
    role: Mapping[str, str],
    folder: Path,
    libraries: list[Path],
    errors: LogStream,
    stop: threading.Event,
) -> Iterator[dict[str, str]]:
    """The variables by which a script finds its Spark; none for a job without Spark."""
    command = job.get("Command", {}).get("Name")
    if command not in SPARK_COMMANDS:
        yield {}
        return
    settings = laptop_spark.cloud_settings(role)
    if libraries:  # for Python functions, which run in processes of Spark's own
        settings["spark.executorEnv.PYTHONPATH"] = os.pathsep.join(map(str, libraries))
    settings |= conf(arguments.get("--conf", ""))
    # A job without an end would keep the warm process from all others.
    if os.environ.get("OAKVALE_SPARK") == "cold" or command == ENDLESS_COMMAND:
        yield laptop_spark.variables(settings, folder / "spark.properties")
        return
    with spark_jvm.lend(settings, errors, stop) as variables:
        yield variables


def conf(text: str) -> dict[str, str]:
    """Spark settings as Glue takes them: `name=value --conf name=value`."""
    pairs = [part.strip().partition("=") for part in text.split("--conf") if part.strip()]
    if wrong := [name for name, equals, _ in pairs if not equals or not name.startswith("spark.")]:
        raise StartError(f"--conf takes spark.name=value, not {wrong[0]!r}")
    return {name: value for name, _, value in pairs}
