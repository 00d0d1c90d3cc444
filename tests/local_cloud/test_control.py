"""Starting, finding and stopping the cloud."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from local_cloud import control, processes, server
from tests.local_cloud.glue_resources import LASTS, make_job, wait_for

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The folder of a cloud that doesn't outlive the test."""
    yield tmp_path / "cloud"
    control.stop(tmp_path / "cloud")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with any cloud."""
    process = subprocess.Popen(SLEEPER)
    yield process
    process.kill()
    process.wait()


def test_starts_is_found_and_stops(folder: Path) -> None:
    cloud = control.start(folder, cold=True)
    assert control.running(folder) == cloud
    assert cloud.client("sts").get_caller_identity()["Account"] == "000000000000"
    assert control.stop(folder) is True
    assert not psutil.pid_exists(cloud.pid)
    assert control.running(folder) is None
    assert control.stop(folder) is False
    assert sorted(path.name for path in folder.iterdir()) == ["access.jsonl", "lock", "server.log", "tmp"]


def test_listens_on_this_machine_alone(cloud: control.Cloud) -> None:
    listening = [
        connection.laddr
        for connection in psutil.Process(cloud.pid).net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert [(address.ip, address.port) for address in listening] == [("127.0.0.1", cloud.port)]


def test_a_second_start_says_that_it_is_up(cloud: control.Cloud) -> None:
    with pytest.raises(control.CloudError, match=rf"is up already: {cloud.endpoint}, process {cloud.pid}"):
        control.start(cloud.folder, cold=True)


def test_two_clouds_in_two_folders(cloud: control.Cloud, folder: Path) -> None:
    other = control.start(folder, cold=True)
    assert other.port != cloud.port
    other.client("s3").create_bucket(Bucket="only-in-the-other")
    names = [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]]
    assert "only-in-the-other" not in names
    control.stop(folder)
    assert control.running(cloud.folder) == cloud


def test_a_port_in_use_is_an_error(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(control.CloudError, match=f"port {port} can't be used"):
            control.start(folder, port=port, cold=True)


def test_a_server_that_ends_while_it_starts_is_noticed_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = folder.parent / "scripts" / control.PACKAGE.name
    shutil.copytree(control.PACKAGE.parent, package.parent)
    (package / "access.py").write_text("def install(): raise SystemExit('MiniStack has changed inside')\n")
    monkeypatch.setattr(control, "PACKAGE", package)
    before = time.monotonic()
    with pytest.raises(
        control.CloudError, match=r"(?s)ended with code 1 while it started.*MiniStack has changed inside"
    ):
        control.start(folder, cold=True)
    assert time.monotonic() - before < control.START_TIMEOUT / 2
    assert control.running(folder) is None


def test_notices_a_dead_server(folder: Path) -> None:
    cloud = control.start(folder, cold=True)
    psutil.Process(cloud.pid).kill()
    wait_for("the server's death", lambda: control.running(folder) is None)
    assert control.start(folder, cold=True).pid != cloud.pid


def test_a_start_that_another_is_faster_than_leaves_that_one_alone(folder: Path) -> None:
    both = threading.Barrier(2)

    def start() -> control.Cloud | control.CloudError:
        both.wait()
        try:
            return control.start(folder, cold=True)
        except control.CloudError as error:
            return error

    with ThreadPoolExecutor(2) as threads:
        results = [future.result() for future in [threads.submit(start) for _ in range(2)]]
    (cloud,) = [result for result in results if isinstance(result, control.Cloud)]
    (error,) = [result for result in results if isinstance(result, control.CloudError)]
    assert re.search(f"is up already: {cloud.endpoint}|another server has just been started in {folder}", str(error))
    assert control.running(folder) == cloud
    assert cloud.client("sts").get_caller_identity()["Account"] == "000000000000"


def test_a_cloud_is_found_after_the_clock_was_set(folder: Path) -> None:
    cloud = control.start(folder, cold=True)
    state = json.loads((folder / "cloud.json").read_bytes())
    for seconds in (3, -3):
        shifted = dataclasses.replace(cloud, started=cloud.started + seconds)
        (folder / "cloud.json").write_text(json.dumps({**state, "started": shifted.started}))
        assert control.running(folder) == shifted
    assert control.stop(folder) is True
    assert not psutil.pid_exists(cloud.pid)


def test_what_a_dead_server_started_is_found_after_the_clock_was_set(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    started = psutil.Process(sleeper.pid).create_time()
    marked = subprocess.Popen(SLEEPER, env={"OAKVALE_CLOUD_FOLDER": str(tmp_path)})
    found = [processes.started_by(None, tmp_path, started + later) for later in (3, 30)]
    marked.kill()
    marked.wait()
    assert [[process.pid for process in each] for each in found] == [[marked.pid], []]


@pytest.mark.parametrize("earlier", [0, 100])
def test_a_process_that_has_got_the_number_of_a_dead_server_lives_on(
    folder: Path, sleeper: subprocess.Popen[bytes], earlier: float
) -> None:
    folder.mkdir()
    state = {"pid": sleeper.pid, "port": 1, "started": psutil.Process(sleeper.pid).create_time() - earlier}
    (folder / "cloud.json").write_text(json.dumps(state))
    assert control.running(folder) is None
    assert control.stop(folder) is False
    assert sleeper.poll() is None
    assert not (folder / "cloud.json").exists()


def test_a_state_file_that_cannot_be_read_is_named(folder: Path) -> None:
    folder.mkdir()
    (folder / "cloud.json").write_text("{")
    with pytest.raises(control.CloudError, match=r"cloud\.json can't be read"):
        control.running(folder)
    (folder / "cloud.json").unlink()


@pytest.mark.parametrize("server_dies_first", [False, True])
def test_what_the_server_started_ends_with_it(
    folder: Path, server_dies_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "STOP_TIMEOUT", 2.0)
    cloud = control.start(folder, cold=True)
    environment = {**os.environ, "OAKVALE_CLOUD_FOLDER": str(folder)}
    deaf = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    # Not a child of the server any more, in a session of its own, and deaf to a polite request.
    child = subprocess.Popen(
        [sys.executable, "-c", deaf], env=environment, start_new_session=True, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.readline()
    if server_dies_first:
        psutil.Process(cloud.pid).kill()
        wait_for("the server's death", lambda: control.running(folder) is None)
    assert control.stop(folder) is not server_dies_first
    assert not psutil.pid_exists(child.pid)
    child.wait()
    child.stdout.close()


@pytest.mark.parametrize(
    "ended_by", [control.stop, lambda folder: control.start(folder, cold=True)], ids=["down", "up"]
)
def test_the_job_of_a_dead_server_ends(folder: Path, ended_by: Callable[[Path], object]) -> None:
    cloud = control.start(folder, cold=True)
    job = make_job(cloud.client, "outlives", LASTS)
    cloud.client("glue").start_job_run(JobName=job)
    children = psutil.Process(cloud.pid).children
    wait_for("the job's process", lambda: any("--JOB_RUN_ID" in child.cmdline() for child in children()))
    (process,) = children()
    assert (folder / "runs").exists()
    psutil.Process(cloud.pid).kill()
    wait_for("the server's death", lambda: control.running(folder) is None)
    assert process.is_running()
    ended_by(folder)
    assert not process.is_running()


def test_nothing_of_a_dead_servers_jobs_is_left_in_the_folder(folder: Path) -> None:
    (folder / "runs" / "job").mkdir(parents=True)
    (folder / "runs" / "job" / "spark.properties").write_text("spark.hadoop.fs.s3a.secret.key secret\n")
    (folder / "server.log").write_text("of the dead server\n")
    cloud = control.start(folder, cold=True)
    assert not (folder / "runs").exists()
    assert "of the dead server" not in cloud.log.read_text()


def test_a_function_runs_with_the_server_and_ends_with_it(folder: Path, zipped: Callable[[str], bytes]) -> None:
    cloud = control.start(folder, cold=True)
    code = "import os\ndef handler(event, context): return [os.getpid(), os.environ['AWS_ENDPOINT_URL']]\n"
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = cloud.client("iam").create_role(RoleName="f", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    functions = cloud.client("lambda")
    functions.create_function(
        FunctionName="f", Runtime="python3.13", Role=role, Handler="f.handler", Code={"ZipFile": zipped(code)}
    )
    functions.get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig={"Delay": 1})
    pid, endpoint = json.loads(functions.invoke(FunctionName="f")["Payload"].read())
    assert endpoint == cloud.endpoint
    assert psutil.pid_exists(pid)
    control.stop(folder)
    assert not psutil.pid_exists(pid)


def test_the_server_takes_nothing_of_the_persons_own_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "HTTP_PROXY", "PERSIST_STATE"):
        monkeypatch.setenv(name, "of the person")
    made = server.environment(tmp_path, 4321, cold=True)
    assert {name: value for name, value in made.items() if name not in server.INHERITED} == {
        "OAKVALE_CLOUD_FOLDER": str(tmp_path),
        "OAKVALE_SPARK": "cold",
        "GATEWAY_PORT": "4321",
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": "us-east-1",
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "TMPDIR": f"{tmp_path}/tmp",
        "S3_DATA_DIR": f"{tmp_path}/tmp/s3",
        "STATE_DIR": f"{tmp_path}/tmp/state",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4321",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def test_commands(cloud: control.Cloud, tmp_path: Path) -> None:
    def run(*arguments: str, **more: str) -> tuple[int, str]:
        command, output = [sys.executable, str(control.PACKAGE), *arguments], subprocess.PIPE
        environment = {**os.environ, **more}
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, text=True, env=environment, check=False)
        return done.returncode, done.stdout

    up = f"up already: {cloud.endpoint}, process {cloud.pid}, log {cloud.log}\n"
    assert run("up", "--folder", str(cloud.folder)) == (0, up)
    code, said = run("status", "--folder", str(cloud.folder))
    assert code == 0
    assert f"  export AWS_ENDPOINT_URL={cloud.endpoint}\n" in said
    assert run("status", "--folder", str(tmp_path)) == (1, "down; start it with `up`\n")
    assert run("down", "--folder", str(tmp_path)) == (0, "it was down already\n")
    used = f"error: port {cloud.port} can't be used"
    code, said = run("up", "--folder", str(tmp_path), "--port", str(cloud.port))
    assert (code, said[: len(used)]) == (1, used)
    code, said = run("up", "--folder", str(tmp_path), GATEWAY_PORT=str(cloud.port))
    assert (code, said[: len(used)]) == (1, used)
    code, said = run("serve", "--folder", str(cloud.folder))
    second = f"error: the cloud in {cloud.folder} is up already: {cloud.endpoint}, process {cloud.pid}\n"
    assert (code, said) == (1, second)
    assert "nothing survives `down`" in run("--help")[1]


def test_no_proxy_of_the_person_is_between_a_client_and_the_cloud(
    cloud: control.Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "oakvale.example, localhost")
    monkeypatch.setenv("no_proxy", "localhost")
    assert cloud.client("sts").get_caller_identity()["Account"] == "000000000000"
    variables = cloud.environment()
    expected = "oakvale.example,localhost,127.0.0.1"
    assert (variables["NO_PROXY"], variables["no_proxy"]) == (expected, expected)
    command = [sys.executable, "-c", "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"]
    assert subprocess.check_output(command, env={**os.environ, **variables}, text=True) == "000000000000\n"


def test_environment_is_that_of_root(cloud: control.Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert cloud.environment() == {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{cloud.port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    assert dataclasses.replace(cloud, port=1).endpoint == "http://127.0.0.1:1"
    with urllib.request.urlopen(f"{cloud.endpoint}/_ministack/health") as answer:
        assert json.load(answer)["auth"] == "enabled"
