"""Starts the laptop cloud, finds it again, and stops it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from direct_http import is_healthy
from local_cloud import processes

PACKAGE = Path(__file__).resolve().parent
FOLDER = PACKAGE.parent.parent / "build" / "cloud"
REGION = "us-east-1"
START_TIMEOUT = 90.0
STOP_TIMEOUT = 5.0
LOG_LINES_SHOWN = 15


class CloudError(Exception):
    """The cloud can't be started or stopped; the message says why and what to do."""


@dataclass(frozen=True)
class Cloud:
    """A laptop cloud whose process runs."""

    folder: Path
    pid: int
    port: int
    started: float

    @property
    def endpoint(self) -> str:
        """The address of all services; a number and no name, so that clients put the bucket into the path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "server.log"

    def environment(self) -> dict[str, str]:
        """The variables with which any AWS client, Terraform included, talks to this cloud as its root."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            **_without_proxy(),
        }

    def client(self, service: str, credentials: Mapping[str, str] | None = None) -> Any:
        """A boto3 client of this cloud: its root's, or that of a session given by its AWS_* variables."""
        # Not at the top: they take half a second, and most commands need none.
        import boto3
        from botocore.config import Config

        variables = {**self.environment(), **(credentials or {})}
        session = boto3.Session(
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=variables.get("AWS_SESSION_TOKEN"),
            region_name=REGION,
        )
        direct = Config(proxies={})
        return session.client(service, endpoint_url=self.endpoint, config=direct)  # type: ignore[call-overload]


def start(folder: Path = FOLDER, *, port: int | None = None, cold: bool = False) -> Cloud:
    """Starts a cloud and waits until it answers; `port` is a free one by default."""
    folder = folder.absolute()
    refuse_second(folder)
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(PACKAGE), "serve", "--folder", str(folder), "--port", str(free_port(port))]
    with (folder / "server.log").open("ab") as log:  # it may be another's: the server itself begins it anew
        process = subprocess.Popen(
            [*command, "--cold"] if cold else command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # what ends our caller's terminal or process group doesn't end the cloud
        )
    try:
        return _wait_until_healthy(process, folder)
    except BaseException:
        process.kill()
        process.wait()
        state = _read_state(folder)
        if state and state.pid == process.pid:  # else it is the cloud of somebody who was faster
            stop(folder)
        raise


def running(folder: Path = FOLDER) -> Cloud | None:
    """The cloud of a folder, if its process runs."""
    state = _read_state(folder.absolute())
    return state if state and processes.find_server(state.pid, state.started) else None


def refuse_second(folder: Path) -> None:
    """Raises an error when a folder has a cloud that runs: a second one would make the first impossible to find."""
    if found := running(folder):
        raise CloudError(f"the cloud in {found.folder} is up already: {found.endpoint}, process {found.pid}")


def stop(folder: Path = FOLDER) -> bool:
    """Stops the cloud of a folder and all processes that it started; tells whether a server ran."""
    folder = folder.absolute()
    state = _read_state(folder)
    if state is None:
        return False
    server = processes.find_server(state.pid, state.started)
    others = processes.started_by(server, folder, state.started)
    if server is not None:
        server.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT
        while server.is_running() and time.monotonic() < deadline:
            others |= processes.started_by(server, folder, state.started)  # what it starts while it goes down
            psutil.wait_procs([server], timeout=0.1)
        others.add(server)
    if left := processes.end(others, STOP_TIMEOUT):
        raise CloudError(f"processes {sorted(left)} of the cloud in {folder} don't end, even when killed")
    (folder / "cloud.json").unlink(missing_ok=True)
    return server is not None


def write_state(folder: Path, port: int) -> None:
    """Writes down which process serves a folder: this one."""
    state = {"pid": os.getpid(), "port": port, "started": psutil.Process().create_time()}
    written = folder / "cloud.json.new"
    written.write_text(json.dumps(state), encoding="utf-8")
    written.replace(folder / "cloud.json")


def _without_proxy() -> dict[str, str]:
    """The person's exceptions from the proxy, by both of their names, with this machine among them."""
    given = ",".join(os.environ.get(name, "") for name in ("NO_PROXY", "no_proxy"))
    hosts = ",".join(dict.fromkeys([*given.replace(",", " ").split(), "127.0.0.1"]))
    return {"NO_PROXY": hosts, "no_proxy": hosts}


def _read_state(folder: Path) -> Cloud | None:
    path = folder / "cloud.json"
    try:
        state = json.loads(path.read_bytes())
        return Cloud(folder, int(state["pid"]), int(state["port"]), float(state["started"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise CloudError(f"{path} can't be read ({error!r}): end its process yourself and delete the file") from error


def free_port(wanted: int | None = None) -> int:
    """A port of 127.0.0.1 that nobody listens on; an error when the wanted one is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted or 0))
        except (OSError, OverflowError) as error:
            raise CloudError(
                f"port {wanted} can't be used ({error}): give another with --port, or none to get a free one"
            ) from error
        return int(probe.getsockname()[1])


def _wait_until_healthy(process: subprocess.Popen[bytes], folder: Path) -> Cloud:
    """Waits for the answer of a server that starts; an error with the end of its log when it ends or takes too long."""
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            refuse_second(folder)
            raise CloudError(f"the server ended with code {process.returncode} while it started{_end_of_log(folder)}")
        state = _read_state(folder)
        if state and state.pid == process.pid and is_healthy(state.port):
            return state
        time.sleep(0.05)
    raise CloudError(f"the server didn't answer within {START_TIMEOUT:.0f} s{_end_of_log(folder)}")


def _end_of_log(folder: Path) -> str:
    log = folder / "server.log"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES_SHOWN:]
    return f"; the end of {log}:\n" + "\n".join(lines)
