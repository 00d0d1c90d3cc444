"""The server process: MiniStack with our parts put into it, in the foreground."""

from __future__ import annotations

import fcntl
import importlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_cloud import control

# Each is a module of this package with `install() -> None`; in this order.
PARTS = (
    *("credentials", "access", "glue_jobs", "glue_workflows", "events", "schedules", "step_functions", "athena"),
    *("alarms", "firehose", "kinesis_streams", "object_versions", "queue_windows", "repeated_calls"),
)

# All that the server takes over from the environment it is started in. Neither the AWS account nor the proxy
# of the person at the keyboard may reach what runs here.
INHERITED = ("HOME", "JAVA_HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "TZ", "USER", "VIRTUAL_ENV")


def environment(folder: Path, port: int, *, cold: bool = False) -> dict[str, str]:
    """The environment of the server and, through it, of the functions that it runs."""
    return {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        "OAKVALE_CLOUD_FOLDER": str(folder),
        "OAKVALE_SPARK": "cold" if cold else "warm",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "AUTH": "true",
        # Either would open a port on all interfaces.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # Its process id file and its functions' code lie in the folder for temporary files.
        "TMPDIR": str(folder / "tmp"),
        "S3_DATA_DIR": str(folder / "tmp" / "s3"),
        "STATE_DIR": str(folder / "tmp" / "state"),
        "MINISTACK_REGION": control.REGION,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def serve(folder: Path, port: int, *, cold: bool = False) -> None:
    """Serves until it is told to stop; this process then belongs to the server, with the environment of one."""
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        _clean(folder)
        settings = environment(folder, port, cold=cold)
        os.environ.clear()
        os.environ.update(settings)
        control.write_state(folder, port)
        app = importlib.import_module("ministack.app")  # not at the top: it reads its settings when it is imported
        for part in PARTS:
            importlib.import_module(f"local_cloud.{part}").install()
        sys.argv[1:] = []  # MiniStack has a command line of its own
        app.main()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keeps other servers away from the folder. Raises CloudError when there is one."""
    with (folder / "lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise control.CloudError(
                f"another server has just been started in {folder}: ask `status` for it"
            ) from error
        yield


def _clean(folder: Path) -> None:
    """Ends and removes what a server that died has left: processes, files of jobs with keys in them, its log."""
    control.stop(folder)
    if (folder / "runs").exists():
        shutil.rmtree(folder / "runs")
    if (folder / "server.log").exists():
        os.truncate(folder / "server.log", 0)
