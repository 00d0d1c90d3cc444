"""What tests start from: a run without a job around it, or a lake on its second day, at every stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lakehouse.lease import Lease
from lakehouse.session import open_session
from lakehouse.storage import FolderStorage
from lakehouse.tables import Run
from tests.conftest import Lake
from tests.lakehouse.films import film, jsonl


@contextmanager
def opened(root: Path) -> Iterator[Run]:
    """What a job gives its hops, over a lake in a folder."""
    storage = FolderStorage(root)
    with Lease(storage, "any", "gold", "test") as lease:
        yield Run(open_session(), storage, storage, lease, "test", "code")


@pytest.fixture
def run(tmp_path: Path, spark: SparkSession) -> Iterator[Run]:
    """A run over an empty lake."""
    with opened(tmp_path) as run:
        yield run


@pytest.fixture(scope="session")
def second_day(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> dict[str, Lake]:
    """A lake with one day loaded: before `bronze` and `silver` take the second day's file, and when all is `done`.

    The first day has 20 good records and one reject. The second has 13 records: two rejects, one duplicate, and of
    10 films 4 new, 5 newer and one older than before.
    """
    folder = tmp_path_factory.mktemp("second_day")
    lake = Lake(folder / "lake", spark)
    lake.land("movies/2026/11/01/films.jsonl", jsonl(*map(film, range(20)), film(30, genre="Opera")), at=1_790_000_000)
    lake.run()
    newer = [film(number, title="Newer", updated_at="2026-11-02T00:00:00Z") for number in range(5)]
    others = [*map(film, range(20, 24)), film(21, title="Twice"), film(6, updated_at="2026-10-01T00:00:00Z")]
    rejects = [film(31, title=""), "no json"]
    lake.land("movies/2026/11/02/films.jsonl", jsonl(*newer, *others, *rejects), at=1_790_000_001)
    stages = {"bronze": lake.copy(folder / "bronze")}
    lake.run("bronze")
    stages["silver"] = lake.copy(folder / "silver")
    lake.run("silver", "gold")
    return {**stages, "done": lake}
