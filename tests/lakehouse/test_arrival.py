"""However files arrive, in any order and number of runs, late, twice or replaced: the same content in the end."""

from __future__ import annotations

import gzip
import itertools
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from lakehouse import bronze
from lakehouse.discovery import Ledger
from lakehouse.storage import FolderStorage, StoredObject
from tests.conftest import Lake
from tests.lakehouse.films import film, jsonl

pytestmark = pytest.mark.usefixtures("interpreted")
NOW = 1_790_000_000
LATE = 400
"""lateness_days of movies."""
LATE_FILE = jsonl(film(5, title="Newer", updated_at="2026-12-01T00:00:00Z"), film(10, release_date="x"), film(11))
FILES = (
    # (key, content, modification time): versions of the same films, with ties that the file's time or name decides
    ("2026/09/01/a.jsonl", jsonl(*map(film, range(6)), film(7, title=""), film(2, title="Twice in a file")), NOW + 3),
    ("2026/09/01/b.jsonl", jsonl(film(1, studio="Same time"), film(2, studio="Same time"), "no json"), NOW + 3),
    ("2026/09/02/c.jsonl", jsonl(film(1, genre="Crime"), film(3, updated_at="2026-12-01T00:00:00Z"), film(8)), NOW + 1),
    ("2026/09/03/d.jsonl", jsonl(film(0, updated_at="2026-10-01T00:00:00Z"), film(4, genre="x"), film(9)), NOW + 9),
    ("2025/12/24/e.jsonl.gz", gzip.compress(LATE_FILE, mtime=0), NOW + 4),
    ("2026/09/02/f.jsonl.gz", b"no gzip", NOW + 2),
)


def land(lake: Lake, number: int, later: int = 0) -> None:
    """Lands one of the files; again some seconds later."""
    key, content, at = FILES[number]
    lake.land(f"movies/{key}", content, at + later)


@pytest.fixture(scope="module")
def in_one_run(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> dict[str, list[str]]:
    """The content when all files come together."""
    lake = Lake(tmp_path_factory.mktemp("arrival") / "lake", spark)
    for number in range(len(FILES)):
        land(lake, number)
    lake.run()
    return lake.content()


def listed_twice(found: Callable[..., Iterator[StoredObject]]) -> Callable[..., Iterator[StoredObject]]:
    """A listing that shows every raw file two times."""

    def listing(self: FolderStorage, prefix: str, after: str = "") -> Iterator[StoredObject]:
        for stored in found(self, prefix, after):
            yield stored
            if prefix.startswith("raw/"):
                yield stored

    return listing


# The same few examples each time (derandomize); without that setting, `pytest --hypothesis-seed=N` gives others.
# A failing example isn't shrunk: it is small, and each try takes seconds.
@settings(
    max_examples=2,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    order=st.permutations(range(len(FILES))),
    cuts=st.sets(st.integers(1, len(FILES) - 1), min_size=1),
    again=st.sets(st.integers(0, len(FILES) - 1), min_size=1),
)
@example(order=[3, 5, 1, 4, 0, 2], cuts=set(range(1, len(FILES))), again={1, 3})  # one file a run
def test_order_and_splits_do_not_matter(
    order: list[int],
    cuts: set[int],
    again: set[int],
    in_one_run: dict[str, list[str]],
    spark: SparkSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(FolderStorage, "list", listed_twice(FolderStorage.list))
        lake = Lake(Path(tempfile.mkdtemp(dir=tmp_path)), spark)
        bounds = [0, *sorted(cuts), len(FILES)]
        for run, (first, last) in enumerate(itertools.pairwise(bounds)):
            for number in again & set(order[:first]):  # loaded before: its bytes come once more, with another time
                land(lake, number, later=100 + run)
            for number in order[first:last]:
                land(lake, number)
            lake.run()
    assert lake.content() == in_one_run


def test_a_file_loads_once_per_content(lake: Lake) -> None:
    lake.land("movies/2026/09/01/a.jsonl", jsonl(film(1), film(2)), NOW)
    assert lake.run("bronze")[0]["files"] == {"read": 1}
    lake.land("movies/2026/09/01/a.jsonl", jsonl(film(1), film(2)), NOW + 1)
    assert lake.run("bronze")[0]["files"] == {"repeated": 1}
    lake.land("movies/2026/09/01/a.jsonl", jsonl(film(1, title="New")), NOW + 2)
    assert lake.run("bronze")[0]["files"] == {"read": 1}
    assert lake.rows("bronze/movies", "title", "_batch") == [("Film 1", 1), ("Film 2", 1), ("New", 3)]
    outcomes = lake.rows("ledger/movies", "batch", "outcome", "records")
    assert outcomes == [(1, "read", 2), (2, "repeated", 2), (3, "read", 1)]
    lake.run("silver")
    assert lake.rows("silver/movies", "title") == [("Film 2",), ("New",)]


def between_listing_and_reading(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Lets something happen to a file in the next run, after it has been listed."""
    discover = Ledger.discover

    def interrupted(self: Ledger, covered: int, *, everything: bool) -> int:
        found = discover(self, covered, everything=everything)
        monkeypatch.setattr(Ledger, "discover", discover)
        happens()
        return found

    monkeypatch.setattr(Ledger, "discover", interrupted)


def test_a_file_replaced_before_it_is_read_loads_with_the_next_batch(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "movies/2026/09/01/a.jsonl"
    lake.land(key, jsonl(film(1, title="Old")), NOW)
    lake.land("movies/2026/09/01/b.jsonl", jsonl(film(2)), NOW)
    between_listing_and_reading(monkeypatch, lambda: lake.land(key, jsonl(film(1, title="New")), NOW + 1))
    assert lake.run("bronze")[0]["files"] == {"replaced": 1, "read": 1}
    assert lake.rows("bronze/movies", "title", "_batch") == [("Film 2", 1)]
    assert lake.run("bronze")[0]["files"] == {"read": 1}
    assert lake.rows("bronze/movies", "title", "_batch") == [("Film 2", 1), ("New", 2)]


def test_a_file_replaced_while_it_is_read_loads_with_the_next_batch(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its records were counted in the old version, so nothing of the new one may come into this batch."""
    key, load = "movies/2026/09/01/a.jsonl", bronze.load
    lake.land(key, jsonl(film(1, title="Old")), NOW)

    def replaced_before(*arguments: Any) -> None:
        lake.land(key, jsonl(film(1, title="A newer one")), NOW + 1)
        load(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(bronze, "load", replaced_before)
        with pytest.raises(Py4JJavaError, match=f"raw/{key} was replaced while it was read"):
            lake.run("bronze")
    assert lake.rows("bronze/movies") == []
    assert lake.run("bronze")[0]["files"] == {"replaced": 1, "read": 1}
    assert lake.rows("bronze/movies", "title", "_batch") == [("A newer one", 2)]


def test_a_vanished_file_loads_when_it_is_back(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "movies/2026/09/01/a.jsonl"
    path = lake.land(key, jsonl(film(1)), NOW)
    between_listing_and_reading(monkeypatch, path.unlink)
    assert lake.run("bronze")[0]["files"] == {"vanished": 1}
    assert lake.run("bronze")[0]["outcome"] == "idle"
    assert lake.rows("bronze/movies") == []
    lake.land(key, jsonl(film(1)), NOW)  # key, bytes and time as before: its ETag is the one in the ledger
    assert lake.run("bronze")[0]["files"] == {"read": 1}
    assert lake.rows("bronze/movies", "title", "_batch") == [("Film 1", 2)]


def land_day(lake: Lake, day: date, number: int, at: date | None = None) -> None:
    """Lands a file of one film in a day's folder; written on that day or on another."""
    at = at or day
    moment = datetime(at.year, at.month, at.day, 12, tzinfo=UTC)
    lake.land(f"movies/{day:%Y/%m/%d}/films.jsonl", jsonl(film(number)), int(moment.timestamp()))


def test_listing_reaches_back_as_far_as_declared(lake: Lake) -> None:
    newest = date(2026, 9, 1)
    land_day(lake, newest, 0)
    lake.run("bronze")
    land_day(lake, newest - timedelta(days=LATE), 1, at=newest)
    land_day(lake, newest - timedelta(days=LATE + 1), 2, at=newest)
    (record,) = lake.run("bronze")
    assert (record["files"], record["late_files"]) == ({"read": 1}, 1)
    assert lake.run("bronze")[0]["outcome"] == "idle"
    assert lake.rows("bronze/movies", "movie_id") == [("mv-0000",), ("mv-0001",)]
    assert lake.run("bronze", options=("--listing", "all"))[0]["files"] == {"read": 1}
    assert lake.rows("bronze/movies", "movie_id") == [("mv-0000",), ("mv-0001",), ("mv-0002",)]
    assert lake.run("bronze", options=("--listing", "all"))[0]["outcome"] == "idle"


def test_a_file_of_a_day_to_come_hides_no_other(lake: Lake) -> None:
    land_day(lake, date(2999, 1, 1), 0, at=date(2026, 9, 1))
    assert lake.run("bronze")[0]["files"] == {"read": 1}
    land_day(lake, date(2026, 9, 2), 1)
    land_day(lake, date(2026, 9, 1) - timedelta(days=LATE), 2, at=date(2026, 9, 2))
    (record,) = lake.run("bronze")
    assert (record["files"], record["late_files"]) == ({"read": 2}, 1)
    assert lake.run("bronze")[0]["outcome"] == "idle"
