"""Runs Terraform for one environment: its own state, its own folder for data and logs, a time-out for every call."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import deployment_bucket
import environments
import terraform_events
import terraform_program
import terraform_provider
from environments import DeployError, Environment

# Seconds. A first init may download the provider; an apply waits for what AWS takes its time over.
INIT, PLAN, APPLY, OUTPUT = 900, 900, 3600, 120
GRACE_SECONDS = 60
"""What an interrupted Terraform gets to save its state and release its lock."""
# Lines of a plan that say nothing about the plan.
CHATTER = re.compile(r": (Refreshing state\.\.\.|Reading\.\.\.|Read complete|Still reading\.\.\.)")


class TerraformError(DeployError):
    """Terraform failed; the message is its own."""


def outputs(name: str) -> dict[str, Any]:
    """What the environment's deployment tells of itself; empty when nothing is deployed."""
    environment, bucket = connect(name)
    if not _is_initialised(environment, bucket):
        init(environment, bucket)
    return outputs_of(environment)


def outputs_of(environment: Environment) -> dict[str, Any]:
    """The outputs of what is initialised."""
    lines: list[str] = []
    _run(environment, ["output", "-json", "-no-color"], OUTPUT, _collect(lines))
    return {name: output["value"] for name, output in json.loads("".join(lines)).items()}


def kept_buckets(environment: Environment) -> list[str]:
    """The buckets in the state that Terraform deletes only when they are empty."""
    lines: list[str] = []
    _run(environment, ["show", "-json", "-no-color"], OUTPUT, _collect(lines))
    state = json.loads("".join(lines)).get("values", {})
    buckets = (found for found in _resources(state.get("root_module", {})) if found["type"] == "aws_s3_bucket")
    return sorted(found["values"]["bucket"] for found in buckets if not found["values"]["force_destroy"])


def _resources(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from _resources(child)


def plan(environment: Environment, note: Callable[[str], None], file: Path | None = None) -> bool:
    """Shows what an apply would change, and keeps it in a file for one; tells whether it would change anything."""
    command = ["plan", "-no-color", "-detailed-exitcode", "-lock-timeout=60s", *environment.options]
    if file is not None:
        command.append(f"-out={file}")
    blank = True

    def show(line: str) -> str:
        nonlocal blank
        if not CHATTER.search(line) and not (blank and not line):
            note(line)
            blank = not line
        return line

    return _run(environment, command, PLAN, show, fine=(0, 2)) == 2


def apply(environment: Environment, note: Callable[[str], None], planned: Path | None = None) -> None:
    """Makes AWS what the configuration says, or a plan's file; `note` takes a line for each finished resource."""
    # A plan holds the values of the variables; Terraform takes none beside it.
    _change(environment, "apply", [str(planned)] if planned else environment.options, note)


def destroy(environment: Environment, note: Callable[[str], None]) -> None:
    """Deletes all that was applied."""
    _change(environment, "destroy", environment.options, note)


def connect(name: str) -> tuple[Environment, str]:
    """An environment and the deployment bucket that holds its state. Raises DeployError unless both are there."""
    environment = environments.find(name)
    return environment, require_bucket(environment)


def require_bucket(environment: Environment) -> str:
    """The deployment bucket of the environment's account and region. Raises DeployError when it isn't there."""
    account = environments.account(environment)
    bucket = deployment_bucket.name(account, environment.region)
    deployment_bucket.require(environment.session().client("s3"), bucket, account, environment)
    return bucket


def init(environment: Environment, bucket: str) -> None:
    """Prepares the environment's folder: backend, modules, provider."""
    known, mirror = terraform_provider.remembered()
    if known:
        try:
            _init(environment, bucket, mirror)
            return
        except TerraformError as error:
            if "provider" not in str(error):
                raise  # else: what worked another day needn't work today
    try:
        mirror = terraform_provider.choose(_program())
    except terraform_provider.ProviderError as error:
        raise DeployError(str(error)) from error
    _init(environment, bucket, mirror)
    terraform_provider.remember(mirror)


def _init(environment: Environment, bucket: str, mirror: Path | None) -> None:
    backend = {**_backend(environment, bucket), "use_lockfile": "true"}
    command = ["init", "-reconfigure", "-no-color", *(f"-backend-config={k}={v}" for k, v in backend.items())]
    if mirror is not None:
        command.append(f"-plugin-dir={mirror}")
    _run(environment, command, INIT)


def _backend(environment: Environment, bucket: str) -> dict[str, str]:
    return {"bucket": bucket, "key": f"state/{environment.name}.tfstate", "region": environment.region}


def _is_initialised(environment: Environment, bucket: str) -> bool:
    try:
        backend = json.loads((environment.folder / "terraform.tfstate").read_bytes())["backend"]["config"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(_backend(environment, bucket).items() <= backend.items())


def _change(environment: Environment, action: str, what: list[str], note: Callable[[str], None]) -> None:
    progress = terraform_events.Progress(note)
    command = [action, "-json", "-auto-approve", "-lock-timeout=60s", *what]
    _run(environment, command, APPLY, progress.take, errors=progress.errors)


def _collect(lines: list[str]) -> Callable[[str], str]:
    def take(line: str) -> str:
        lines.append(line)
        return line

    return take


def _run(
    environment: Environment,
    command: list[str],
    seconds: float,
    take: Callable[[str], str] = str,
    *,
    errors: Sequence[str] = (),
    fine: tuple[int, ...] = (0,),
) -> int:
    """Runs Terraform; `take` gets each line and returns what the log shall hold. A failure raises TerraformError."""
    log = environment.folder / f"{command[0]}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as copy, _start(environment, command) as process:
        assert process.stdout is not None
        with _ended_after(process, seconds) as overdue:
            for line in process.stdout:
                print(take(line.rstrip("\n")), file=copy, flush=True)
            code = process.wait()
    if overdue.is_set():
        raise TerraformError(f"terraform {command[0]} took over {seconds:.0f} s and was ended; its log is {log}")
    if code not in fine:
        reasons = "\n".join(errors) or _error_of(log.read_text(encoding="utf-8"))
        raise TerraformError(f"terraform {command[0]} failed for {environment.name}:\n{reasons}\nIts log is {log}")
    return code


def _start(environment: Environment, command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [_program(), f"-chdir={environment.code}", *command],
        env={**terraform_program.clean(environment.variables()), "TF_DATA_DIR": str(environment.folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        start_new_session=True,  # so that Ctrl-C reaches it once, from here, and it can still save its state
    )


@contextlib.contextmanager
def _ended_after(process: subprocess.Popen[str], seconds: float) -> Iterator[threading.Event]:
    """Ends the process when it takes too long, or when what waits for it is interrupted."""
    overdue = threading.Event()

    def give_up() -> None:
        overdue.set()
        _end(process)

    timer = threading.Timer(seconds, give_up)
    timer.start()
    try:
        yield overdue
    finally:
        timer.cancel()
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """Asks Terraform to stop; when it doesn't in time, kills it and its providers."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _error_of(text: str) -> str:
    """From the first error on; all of it when there is none."""
    start = re.search(r"^Error: ", text, re.MULTILINE)
    return (text[start.start() :] if start else text).strip()


def _program() -> str:
    try:
        return terraform_program.find_terraform().program
    except terraform_program.TerraformNotFoundError as error:
        raise DeployError(str(error)) from error
