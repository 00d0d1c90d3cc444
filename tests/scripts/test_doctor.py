"""The doctor finds what is missing and says how to get it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import doctor
import fetch_jars
import java_runtime

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
    assert doctor.check_java() == doctor.Check("Java", "17", "no Java", java_runtime.HOW_TO_GET_IT)


@pytest.mark.usefixtures("bare_machine")
def test_java_17_is_found_behind_another_java_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(make_java(tmp_path / "jdk-21", "21.0.8")))
    right = make_java(tmp_path / "jdk-17", "17.0.15")
    monkeypatch.setattr(java_runtime, "USUAL_PLACES", (f"{tmp_path}/jdk-*",))
    assert java_runtime.find_java() == java_runtime.Java(right, "17.0.15")
    assert doctor.check_java() == doctor.Check("Java", "17", f"17.0.15 in {right}")


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize("version", ["21.0.8", "11", "1.8.0_402"])
def test_another_java_is_named(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(make_java(tmp_path, version)))
    with pytest.raises(java_runtime.JavaNotFoundError, match="Java 17 is needed, found") as error:
        java_runtime.find_java()
    assert error.value.found == f"{version} in {tmp_path}"


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
    check = doctor.check_packages(make_venv(tmp_path, First_One="1.0", second="2.0", other="9"))
    assert check == doctor.Check("Packages", "2 packages in .venv", "2 as pinned")


def test_packages_of_other_versions_are_named(tmp_path: Path) -> None:
    check = doctor.check_packages(make_venv(tmp_path, second="2.1"))
    found = "first-one missing instead of 1.0, second 2.1 instead of 2.0"
    assert check == doctor.Check("Packages", "2 packages in .venv", found, "make setup")


def test_no_venv_yet(tmp_path: Path) -> None:
    check = doctor.check_packages(make_venv(tmp_path))
    assert check == doctor.Check("Packages", "2 packages in .venv", "no .venv", "make setup")


def test_missing_jars_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_jars, "JAR_FOLDER", tmp_path)
    found = ", ".join(sorted(fetch_jars.expected_jars())) + " missing"
    assert doctor.check_jars() == doctor.Check("Delta jars", "as in SHA256SUMS", found, "make setup")


def test_too_old_a_python_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.sys, "version_info", (3, 10, 14))
    monkeypatch.setattr(doctor.platform, "python_version", lambda: "3.10.14")
    check = doctor.check_python()
    assert (check.passed, check.found) == (False, "3.10.14")
    assert check.remedy == "install a newer Python and name it: make setup PYTHON=python3.11"


@pytest.mark.parametrize(("remedy", "exit_code"), [("", 0), ("do this", 1)])
def test_the_exit_code_tells_whether_something_is_missing(
    remedy: str, exit_code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("python", "java", "make", "packages", "jars", "disk"):
        monkeypatch.setattr(doctor, f"check_{name}", lambda: doctor.Check("thing", "2", "1", remedy))
    monkeypatch.setattr(sys, "argv", ["doctor.py"])
    assert doctor.main() == exit_code
    line = "MISSING  thing (needed: 2): found 1: do this" if remedy else "ok       thing (needed: 2): found 1"
    assert capsys.readouterr().out == f"{line}\n" * 6


def test_it_runs_without_any_package() -> None:
    """`-S` leaves out site-packages, as on a machine before `make setup`."""
    answer = subprocess.run(
        [sys.executable, "-S", "-E", str(ROOT / "scripts/doctor.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.stderr == ""
    assert len(answer.stdout.splitlines()) == 6
