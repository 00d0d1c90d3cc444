"""kill -9 of a run and its JVM before each of its writes, then a rerun: the same content, nothing doubled or lost.

Each kill costs a JVM: `make test-crash` hits every gap, the suite one gap of each run, chosen by a seed.
"""

from __future__ import annotations

import random
import shutil
import signal
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from query import connect
from tests.conftest import Lake
from tests.lakehouse import crashing_run
from tests.lakehouse.conftest import Stages

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
    run = crashing_run.start(str(lake.root), str(lake.root), layer, fatal=fatal)
    errors = crashing_run.wait(run)
    assert run.returncode == -signal.SIGKILL, errors
    lake.run()
    assert content(lake.root) == content(stages.lakes[when, "done"])
