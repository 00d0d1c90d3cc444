"""A new dataset is two files and sample rows: another format, a compound key, two silver tables, a rejected row."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from query import connect
from tests.conftest import LAYERS

ROOT = Path(__file__).resolve().parents[2]
DATASET = ROOT / "tests" / "pipelines" / "parcels"


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
    shutil.copytree(DATASET / "raw", lake / "raw")
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
    answer = connect(lake)
    assert answer.execute("SELECT * FROM oakvale_gold.depot_loads ORDER BY depot_id").fetchall() == [
        ("D1", "Hull, Yorks", 2, Decimal("5.100")),
        ("D9", None, 1, Decimal("0.001")),
    ]
    legs = "SELECT parcel_id, leg_number, depot_id, weight_kg FROM oakvale_silver.legs ORDER BY parcel_id, leg_number"
    assert answer.execute(legs).fetchall() == [
        ("P1", 1, "D1", Decimal("2.500")),
        ("P1", 2, "D1", Decimal("2.600")),
        ("P3", 1, "D9", Decimal("0.001")),
    ]
    rejects = "SELECT parcel_id, weight_kg, _extra['courier'], _rules FROM oakvale_silver.legs_quarantine"
    assert answer.execute(rejects).fetchall() == [("P2", "-1", "Bo", ["weight_is_positive"])]
    assert answer.execute("SELECT count(*) FROM oakvale_silver.depots").fetchall() == [(2,)]


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
