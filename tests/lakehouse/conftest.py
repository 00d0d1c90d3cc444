"""What tests start from: a run without a job around it, or a lake on its second day, at every stage."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from pyspark.sql import SparkSession

from film_file import generate, key
from film_settings import Settings
from lakehouse.lease import Lease
from lakehouse.session import open_session
from lakehouse.storage import FolderStorage, S3Storage, Storage
from lakehouse.tables import Run
from tests.conftest import LAYERS, Lake
from tests.lakehouse.crashing_run import Writes
from tests.lakehouse.films import film, jsonl

FIRST = date(2026, 11, 1)
BUCKET = "oakvale-test"


@contextmanager
def opened(root: Path) -> Iterator[Run]:
    """What a job gives its hops, over a lake in a folder."""
    storage = FolderStorage(root)
    with Lease(storage, "any", "gold", "test") as lease:
        yield Run(open_session(), storage, storage, lease, "test", "code")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Storage]:
    """An empty bucket that exists in this process only."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield S3Storage(BUCKET)


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """An empty storage of each kind."""
    if request.param == "folder":
        return FolderStorage(tmp_path / "lake")
    bucket: S3Storage = request.getfixturevalue("bucket")
    return bucket


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
