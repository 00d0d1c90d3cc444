"""A new dataset is two files and a case: another format, a compound key, two silver tables, a rejected row."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import LAYERS
from tests.pipelines import datasets

ROOT = Path(__file__).resolve().parents[2]
DATASET = datasets.SAMPLES / "parcels"
CASE = datasets.Case("parcels", DATASET / "one_day")


def run(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the dataset's script as a program of its own, as Glue does."""
    return subprocess.run(
        [sys.executable, str(package / "pipelines" / "parcels.py"), *arguments],
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of glue_scripts with the dataset's two files."""
    copy = tmp_path_factory.mktemp("package") / "glue_scripts"
    shutil.copytree(ROOT / "glue_scripts", copy, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("parcels.yaml", "parcels.py"):
        shutil.copy(DATASET / name, copy / "pipelines")
    return copy


def test_runs(package: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(CASE.folder / "raw", lake / "raw")
    for layer in LAYERS:
        # Glue adds arguments of its own.
        done = run(
            package,
            "--pipeline",
            "parcels",
            "--layer",
            layer,
            "--lake",
            str(lake),
            "--raw",
            str(lake),
            "--JOB_NAME",
            "j",
        )
        assert done.returncode == 0, done.stderr
    assert datasets.differences(CASE, lake) == {}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--pipeline", "parcels", "--layer", "gold", "--lake", "x"), "the following arguments are required: --raw"),
        (("--pipeline", "parcels", "--layer", "iron", "--lake", "x", "--raw", "x"), "invalid choice: 'iron'"),
        (("parcels", "--pipeline", "parcels", "--layer", "gold", "--lake", "x", "--raw", "x"), "unexpected argument"),
        (
            ("--pipeline", "parcels", "--layer", "gold", "--lake", "x", "--raw", "x", "--mode", "repair"),
            "repair silver",
        ),
    ],
)
def test_refuses_wrong_arguments(package: Path, arguments: tuple[str, ...], problem: str) -> None:
    done = run(package, *arguments)
    assert done.returncode == 2
    assert problem in done.stderr
