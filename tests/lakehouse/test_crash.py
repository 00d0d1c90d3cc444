"""kill -9 of a run and its JVM before each of its writes, then a rerun: the same content, nothing doubled or lost.

Each kill costs a JVM: `make test-crash` hits every gap, the suite one gap of each run, chosen by a seed.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from film_file import generate, key
from film_settings import Settings
from query import connect
from tests.conftest import LAYERS, Lake
from tests.lakehouse.crashing_run import Writes

pytestmark = pytest.mark.usefixtures("interpreted")
WRITES = {
    ("first", "bronze"): 9,
    ("first", "silver"): 9,
    ("first", "gold"): 9,
    ("later", "bronze"): 7,
    ("later", "silver"): 6,
    ("later", "gold"): 6,
}
"""How many writes a layer makes on a lake's first day, when tables are made and appended to, and on a later one, when
rows are merged. A test counts them, so no gap is left out."""
KILLS = [(*place, number + 1) for place, count in WRITES.items() for number in range(count)]
SEED = 4
PROGRAM = Path(__file__).with_name("crashing_run.py")
FIRST = date(2026, 11, 1)


@dataclass
class Stages:
    """Copies of one lake before each layer of its first and its second day's run, and after each day's last (`done`).

    `writes`: how many writes took it from each copy to the next.
    """

    lakes: dict[tuple[str, str], Path] = field(default_factory=dict)
    writes: dict[tuple[str, str], int] = field(default_factory=dict)


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, interpreted: None) -> Stages:
    """A lake of two days, at every stage."""
    folder, stages = tmp_path_factory.mktemp("stages"), Stages()
    lake = Lake(folder / "lake", spark)
    for number, when in enumerate(("first", "later")):
        day = FIRST + timedelta(days=number)
        body = generate(day, Settings(movies=150, corrections=0.3))
        lake.land(key(day).removeprefix("raw/"), body, at=1_790_000_000 + number)
        lake.land(f"movies/{day:%Y/%m/%d}/broken.jsonl.gz", b"no gzip", at=1_790_000_002)
        for layer in (*LAYERS, "done"):
            stages.lakes[when, layer] = folder / f"{when}-{layer}"
            shutil.copytree(lake.root, stages.lakes[when, layer])
            if layer != "done":
                stages.writes[when, layer] = count_writes(lambda layer=layer: lake.run(layer))
    return stages


def count_writes(run: Callable[[], object]) -> int:
    """How many writes a run in this process makes."""
    with pytest.MonkeyPatch.context() as patched:
        writes = Writes()
        writes.watch(patched.setattr)
        run()
        return writes.count


def content(lake: Path) -> dict[str, list[str]]:
    """All rows of all Delta tables, in an order of their own; only when a file was found may differ."""
    connection = connect(lake)
    tables = connection.execute(
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_name <> 'runs'"
    ).fetchall()
    found = {}
    for schema, table in sorted(tables):
        kept = "* EXCLUDE (found_at)" if table == "movies_files" else "*"
        found[table, schema] = sorted(
            map(repr, connection.execute(f'SELECT {kept} FROM {schema}."{table}"').fetchall())
        )
    return {f"{schema}.{table}": rows for (table, schema), rows in found.items()}


def run_apart(lake: Path, layer: str, fatal: int) -> subprocess.CompletedProcess[str]:
    """Runs a layer in a process group of its own that is killed before its n-th write; returns when all is gone."""
    command = [sys.executable, str(PROGRAM), str(lake), layer, str(fatal)]
    paths = [os.environ["PYTHONPATH"], str(PROGRAM.parents[2])]
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    out, errors = process.communicate(timeout=300)
    deadline = time.monotonic() + 60
    while alive := members(process.pid):
        assert time.monotonic() < deadline, f"processes {alive} outlived the kill"
        time.sleep(0.01)
    return subprocess.CompletedProcess(command, process.returncode, out, errors)


def members(group: int) -> list[int]:
    """Processes of a group that still run: the JVM among them isn't our child, so it can't be waited for."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, process_group = stat.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(process_group) == group and state not in "ZX":
            found.append(int(stat.parent.name))
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives the test of kills all of them, or one of each run."""
    if "fatal" in metafunc.fixturenames:
        chance = random.Random(SEED)
        sample = [(*place, chance.randint(1, count)) for place, count in WRITES.items()]
        every = metafunc.config.getoption("every_kill")
        metafunc.parametrize(("when", "layer", "fatal"), KILLS if every else sample)


def test_every_write_is_known(stages: Stages) -> None:
    assert stages.writes == WRITES


def test_heals_after_a_kill(
    when: str, layer: str, fatal: int, stages: Stages, tmp_path: Path, spark: SparkSession
) -> None:
    lake = Lake(tmp_path / "lake", spark)
    shutil.copytree(stages.lakes[when, layer], lake.root, dirs_exist_ok=True)
    killed = run_apart(lake.root, layer, fatal)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    lake.run()
    assert content(lake.root) == content(stages.lakes[when, "done"])
