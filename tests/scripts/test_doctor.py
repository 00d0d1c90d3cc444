"""The doctor finds what is missing and says how to get it."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.scripts.conftest import FakeTerraform

import artifacts
import doctor
import fetch_jars
import java_runtime
import machine_checks
import project_checks
import terraform_program
import terraform_provider
from machine_checks import Check

ROOT = Path(__file__).resolve().parents[2]


def make_java(home: Path, version: str) -> Path:
    """A folder that looks like a Java runtime."""
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").touch()
    (home / "release").write_text(f'IMPLEMENTOR="Oakvale"\nJAVA_VERSION="{version}"\n')
    return home


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which no Java is to be found."""
    for name in ("JAVA_HOME", "JAVA_HOME_17_X64", "JAVA_HOME_17_arm64"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(java_runtime.shutil, "which", lambda name: None)
    monkeypatch.setattr(java_runtime, "USUAL_PLACES", ())


@pytest.mark.usefixtures("bare_machine")
def test_no_java_at_all() -> None:
    assert machine_checks.check_java() == Check("Java", "17", "no Java", java_runtime.HOW_TO_GET_IT)


@pytest.mark.usefixtures("bare_machine")
def test_java_17_is_found_behind_another_java_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(make_java(tmp_path / "jdk-21", "21.0.8")))
    right = make_java(tmp_path / "jdk-17", "17.0.15")
    monkeypatch.setattr(java_runtime, "USUAL_PLACES", (f"{tmp_path}/jdk-*",))
    assert java_runtime.find_java() == java_runtime.Java(right, "17.0.15")
    assert machine_checks.check_java() == Check("Java", "17", f"17.0.15 in {right}")


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize("version", ["21.0.8", "11", "1.8.0_402"])
def test_another_java_is_named(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(make_java(tmp_path, version)))
    with pytest.raises(java_runtime.JavaNotFoundError, match="Java 17 is needed, found") as error:
        java_runtime.find_java()
    assert error.value.found == f"{version} in {tmp_path}"
    assert machine_checks.check_java() == Check("Java", "17", error.value.found, java_runtime.HOW_TO_GET_IT)


def make_venv(root: Path, **versions: str) -> Path:
    """A project folder whose .venv holds these packages, and whose requirements ask for three."""
    (root / "requirements-dev.txt").write_text(
        "# made by a test\n"
        "first-one==1.0 \\\n    --hash=sha256:00\n"
        "second[extra]==2.0 \\\n    --hash=sha256:00\n"
        "windows-only==3.0 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"
    )
    for name, version in versions.items():
        folder = root / f".venv/lib/python3.11/site-packages/{name}-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return root


def test_packages_as_pinned(tmp_path: Path) -> None:
    check = project_checks.check_packages(make_venv(tmp_path, First_One="1.0", second="2.0", other="9"))
    assert check == Check("Packages", "2 packages in .venv", "2 as pinned")


def test_packages_of_other_versions_are_named(tmp_path: Path) -> None:
    check = project_checks.check_packages(make_venv(tmp_path, second="2.1"))
    found = "first-one missing instead of 1.0, second 2.1 instead of 2.0"
    assert check == Check("Packages", "2 packages in .venv", found, "make setup")


def test_no_venv_yet(tmp_path: Path) -> None:
    check = project_checks.check_packages(make_venv(tmp_path))
    assert check == Check("Packages", "2 packages in .venv", "no .venv", "make setup")


def test_missing_jars_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_jars, "JAR_FOLDER", tmp_path)
    found = ", ".join(sorted(fetch_jars.expected_jars())) + " missing"
    assert project_checks.check_jars() == Check("Delta jars", "as in SHA256SUMS", found, "make setup")


def test_too_old_a_python_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_checks.sys, "version_info", (3, 10, 14))
    monkeypatch.setattr(machine_checks.platform, "python_version", lambda: "3.10.14")
    check = machine_checks.check_python()
    assert (check.passed, check.found) == (False, "3.10.14")
    assert check.remedy == "install a newer Python and name it: make setup PYTHON=python3.11"


@pytest.mark.parametrize("remedy", ["", "do this"])
def test_the_exit_code_tells_whether_something_is_missing(
    remedy: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = (lambda: Check("one", "2", "1"), lambda: Check("thing", "2", "1", remedy))
    monkeypatch.setattr(doctor, "CHECKS", checks)
    monkeypatch.setattr(sys, "argv", ["doctor.py"])
    assert doctor.main() == (1 if remedy else 0)
    line = "MISSING  thing (needed: 2): found 1: do this" if remedy else "ok       thing (needed: 2): found 1"
    assert capsys.readouterr().out == f"ok       one (needed: 2): found 1\n{line}\n"


def test_it_runs_without_any_package(tmp_path: Path) -> None:
    """`-S` leaves out site-packages, as on a machine before `make setup`; with no Terraform, so nothing is asked."""
    variables = {name: value for name, value in os.environ.items() if name != "PATH"}
    answer = subprocess.run(
        [sys.executable, "-S", "-E", str(ROOT / "scripts/doctor.py")],
        env={**variables, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.stderr == ""
    names = ("Python", "Java", "make", "Terraform", "AWS provider", "Disk", "Packages", "Delta jars", "Build")
    lines = answer.stdout.splitlines()
    assert [line[9:].partition(" (")[0] for line in lines] == [*names, "Laptop cloud"]
    assert lines[3].startswith("MISSING  Terraform (needed: 1.11 or newer): found no Terraform: install Terraform 1.11")


def test_a_jar_that_is_broken_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = next(iter(fetch_jars.expected_jars()))
    (tmp_path / name).write_bytes(b"half a jar")
    monkeypatch.setattr(fetch_jars, "JAR_FOLDER", tmp_path)
    check = project_checks.check_jars()
    assert (check.passed, check.found) == (False, "something else")
    digest = hashlib.sha256(b"half a jar").hexdigest()
    assert check.remedy.startswith(f"{tmp_path / name}: SHA-256 is {digest}, expected ")
    assert "; delete it, and what Ivy's cache" in check.remedy


@pytest.mark.parametrize(
    ("answer", "found", "passed"),
    [
        ("GNU Make 3.81\n", "GNU Make 3.81", True),
        ("GNU Make 3.80\n", "GNU Make 3.80", False),
        ("bmake\n", "another make", False),
    ],
)
def test_make(answer: str, found: str, passed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "make").write_text(f"#!/bin/sh\nprintf '{answer}'\n")
    (tmp_path / "make").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    check = machine_checks.check_make()
    assert (check.found, check.passed) == (found, passed)


def test_no_make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    remedy = "install GNU make, for example: sudo apt install make"
    assert machine_checks.check_make() == Check("make", "GNU make 3.81 or newer", "nothing", remedy)


@pytest.mark.parametrize(("free", "passed"), [(4_000_000_000, True), (3_900_000_000, False)])
def test_a_full_disk(free: int, passed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_checks.shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    check = machine_checks.check_disk()
    assert (check.needed, check.found) == ("4 GB free, writable", f"{free / 1e9:.1f} GB free in {ROOT}")
    assert check.remedy == ("" if passed else "free some space, or clone to another disk")


def test_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_checks.os, "access", lambda path, mode: False)
    check = machine_checks.check_disk()
    assert (check.found, check.remedy) == (f"{ROOT} can't be written", "get write access, or clone elsewhere")


def test_terraform(terraform: FakeTerraform) -> None:
    assert machine_checks.check_terraform() == Check("Terraform", "1.11 or newer", f"1.11.4 in {terraform.program}")
    terraform.answers("version", '{"terraform_version": "1.10.5"}')
    found = f"1.10.5 in {terraform.program}"
    assert machine_checks.check_terraform() == Check(
        "Terraform", "1.11 or newer", found, terraform_program.HOW_TO_GET_IT
    )


def test_no_terraform_means_no_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine_checks.check_terraform().found == "no Terraform"
    check = machine_checks.check_provider()
    assert (check.found, check.remedy) == ("no Terraform that could look for it", "get Terraform first")


PROVIDER = ("AWS provider", "the registry, or a mirror")


@pytest.mark.usefixtures("project")
def test_a_registry_that_has_answered_before_is_asked_again(
    terraform: FakeTerraform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert terraform_provider.remembered() == (True, None)
    terraform.answers("init", error=f"Error: {terraform_provider.REACHED}\n", code=1)
    assert machine_checks.check_provider() == Check(*PROVIDER, "Terraform finds it by itself")
    terraform.answers("init", error="Error: no such host\n", code=1)
    monkeypatch.setattr(terraform_provider, "mirrors", lambda: iter([tmp_path]))
    assert machine_checks.check_provider() == Check(*PROVIDER, f"a mirror in {tmp_path}")
    monkeypatch.setattr(terraform_provider, "mirrors", lambda: iter(()))
    found = "Terraform can't get the AWS provider (Error: no such host), and there is no mirror here"
    assert machine_checks.check_provider() == Check(*PROVIDER, found, terraform_provider.HOW_TO_GET_IT)


@pytest.mark.usefixtures("project")
def test_a_mirror_that_has_worked_before_is_enough(terraform: FakeTerraform, tmp_path: Path) -> None:
    (tmp_path / "registry" / "hashicorp" / "aws").mkdir(parents=True)
    terraform_provider.remember(tmp_path)
    assert machine_checks.check_provider() == Check(*PROVIDER, f"what worked before: a mirror in {tmp_path}")
    assert terraform.calls() == []


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A repository with one source and its build."""
    (tmp_path / "lambda").mkdir()
    (tmp_path / "lambda" / "greet.py").write_text("x = 1\n")
    (tmp_path / artifacts.PACKAGE).mkdir(parents=True)
    (tmp_path / artifacts.PACKAGE / "greet.zip").write_text("zip")
    artifact = artifacts.Artifact("greet.zip", "build/package/greet.zip", hashlib.sha256(b"zip").hexdigest())
    artifacts.write_manifest(tmp_path, [artifact])
    return tmp_path


def test_a_build_of_the_sources(built: Path) -> None:
    needed = "none, or of these sources"
    assert project_checks.check_build(built) == Check("Build", needed, "1 artefacts of these sources")
    shutil.rmtree(built / "build")
    assert project_checks.check_build(built) == Check("Build", needed, "none; make apply builds it")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("lambda/greet.py", "changed since: lambda/greet.py"),
        ("lambda/new.py", "changed since: lambda/new.py"),
        ("build/package/greet.zip", "isn't the file that build/package/manifest.json names"),
        ("build/package/manifest.json", "manifest.json can't be read"),
    ],
)
def test_a_stale_build(built: Path, change: str, found: str) -> None:
    (built / change).write_text("changed")
    check = project_checks.check_build(built)
    assert check.found.endswith(found)
    assert check.remedy == "make package"


def test_of_many_changes_some_are_named(built: Path) -> None:
    for number in range(7):
        (built / "lambda" / f"new{number}.py").touch()
    found = "changed since: lambda/new0.py, lambda/new1.py, lambda/new2.py, lambda/new3.py, lambda/new4.py and 2 more"
    assert project_checks.check_build(built).found == found


class Answer(http.server.BaseHTTPRequestHandler):
    """What holds a port: the cloud, which knows its health, or a program that doesn't."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/_ministack/health" else 500)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    """A port that is held."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def cloud_at(root: Path, port: int, pid: int) -> Check:
    """What is found of a cloud whose state says this."""
    (root / "build" / "cloud").mkdir(parents=True, exist_ok=True)
    (root / "build" / "cloud" / "cloud.json").write_text(json.dumps({"pid": pid, "port": port, "started": 1.0}))
    return project_checks.check_cloud(root)


def ended_process() -> int:
    """The number of a process that is gone."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize("wanted", [None, "", "0"])
def test_no_cloud(tmp_path: Path, wanted: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEWAY_PORT", raising=False)
    if wanted is not None:
        monkeypatch.setenv("GATEWAY_PORT", wanted)
    expected = Check("Laptop cloud", "none, or one that answers", "none; make up starts one")
    assert project_checks.check_cloud(tmp_path) == expected


def test_no_cloud_and_none_can_be_started_at_the_wanted_port(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    remedy = "give another port in GATEWAY_PORT, or unset it: make up then takes a free one"
    monkeypatch.setenv("GATEWAY_PORT", str(port))
    found = f"none, and port {port}, which GATEWAY_PORT names, is another program's"
    assert project_checks.check_cloud(tmp_path) == Check("Laptop cloud", "none, or one that answers", found, remedy)
    monkeypatch.setenv("GATEWAY_PORT", "70000")
    found = "none, and GATEWAY_PORT is '70000', which is no port"
    assert project_checks.check_cloud(tmp_path) == Check("Laptop cloud", "none, or one that answers", found, remedy)


def test_a_cloud_that_answers(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    check = cloud_at(tmp_path, port, os.getpid())
    assert (check.found, check.remedy) == (f"process {os.getpid()} at http://127.0.0.1:{port}", "")


def test_a_port_that_another_program_has_taken(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answer, "status", 404)
    pid = ended_process()
    check = cloud_at(tmp_path, port, pid)
    assert check.found == f"process {pid} is gone, and port {port} is another program's"
    assert check.remedy == "make down, which clears up what is left, then make up, which takes a free port"


@pytest.mark.parametrize("gone", [True, False])
def test_a_cloud_that_no_longer_answers(tmp_path: Path, gone: bool) -> None:
    pid = ended_process() if gone else os.getpid()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        port = taken.getsockname()[1]
        check = cloud_at(tmp_path, port, pid)
    assert check.found == f"process {pid}{' is gone' if gone else ''}, and nothing answers on port {port}"
    assert check.remedy.startswith("make down")


def test_a_state_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "build" / "cloud").mkdir(parents=True)
    (tmp_path / "build" / "cloud" / "cloud.json").write_text("{}")
    check = project_checks.check_cloud(tmp_path)
    assert check.found == f"{tmp_path / 'build/cloud/cloud.json'}, which can't be read"
    assert check.remedy == "end its process yourself and delete the file"
