"""A rebuild from raw equals the served tables, tells which are damaged, and takes their place while others read."""

from __future__ import annotations

import re
import shutil
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession

import query
from lakehouse.accounting import Unbalanced
from lakehouse.bronze import SCHEME
from lakehouse.rebuilt import ReplayError
from tests.conftest import LAYERS, Lake
from tests.lakehouse.crashing_run import Writes
from tests.lakehouse.films import changed_script, film, jsonl

pytestmark = pytest.mark.usefixtures("interpreted")
REPLAY, SWITCH = ("--mode", "replay"), ("--mode", "switch")
FIRST, SECOND, LATE, AGAIN, THIRD, FOURTH = (
    ("2026/11/01", *map(film, range(1, 9)), film(20, genre="Opera"), "no json"),
    ("2026/11/03", film(1, title="Newer", updated_at="2026-11-03T00:00:00Z"), film(9), film(21, title="")),
    ("2026/10/20", film(2, title="Late", updated_at="2026-10-01T00:00:00Z"), film(10)),
    ("2026/11/03", film(1, title="Corrected", updated_at="2026-11-04T00:00:00Z"), film(9)),
    ("2026/11/05", film(22, genre="Opera", title=" "), film(3, studio="Other", updated_at="2026-11-05T00:00:00Z")),
    ("2026/11/06", film(4, title="Next", updated_at="2026-11-06T00:00:00Z"), film(11), film(23, rating="X")),
)
EQUAL = {
    "bronze/movies": (19, 19, "equal"),
    "silver/movies": (11, 11, "equal"),
    "quarantine/movies (open)": (3, 3, "equal"),
    "gold/movies_by_genre": (5, 5, "equal"),
    "gold/movies_by_studio": (4, 4, "equal"),
    "gold/movies_by_release_year": (5, 5, "equal"),
}


class Killed(BaseException):
    """What ends a run at a chosen write."""


def land(lake: Lake, day: tuple[Any, ...], at: int) -> None:
    """Lands a day's file; the same day again replaces it."""
    lake.land(f"movies/{day[0]}/films.jsonl", jsonl(*day[1:]), at=1_790_000_000 + at)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The films' script with a genre more: what the pipeline's code is from the third batch on."""
    known = '    "Horror": ('
    return changed_script(tmp_path_factory.mktemp("operas"), (known, f'    "Opera": (),\n{known}'))


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, interpreted: None, script: ModuleType
) -> Lake:
    """A lake that has seen a late file, a file that was replaced, a rule that changed, and a reject readmitted."""
    lake = Lake(tmp_path_factory.mktemp("replay") / "lake", spark)
    land(lake, FIRST, 1)
    land(lake, SECOND, 2)
    lake.run("bronze", "silver")
    land(lake, LATE, 3)
    lake.run("bronze", "silver")
    land(lake, AGAIN, 4)
    land(lake, THIRD, 5)
    silver = lake.run(script=script)[1]
    assert silver["accounts"][0]["equations"][1]["right"] == {"readmitted": 1, "rejected again": 2}
    return lake


@pytest.fixture(scope="module")
def replayed(served: Lake, script: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The lake with its tables rebuilt beside the served ones."""
    lake = served.copy(tmp_path_factory.mktemp("replayed") / "lake")
    lake.run(script=script, options=REPLAY)
    return lake


def proof(lake: Lake) -> dict[str, tuple[int | None, int, str]]:
    """What the last replay of each layer has proven of each table."""
    compared = [each for layer in LAYERS for each in lake.records(layer)[-1]["compared"]]
    return {each["table"]: (each["rows_served"], each["rows_rebuilt"], each["verdict"]) for each in compared}


def test_an_undamaged_lake_is_equal(served: Lake, replayed: Lake) -> None:
    assert proof(replayed) == EQUAL
    assert replayed.content("ledger", "bronze", "silver", "quarantine", "gold") == served.content(
        "ledger", "bronze", "silver", "quarantine", "gold"
    )
    assert [record["outcome"] for layer in LAYERS for record in replayed.records(layer)[-1:]] == ["succeeded"] * 3
    bronze = replayed.records("bronze")[-1]["compared"][0]
    assert bronze["reason"] == (
        "3 rows are taken over from bronze/movies, not rebuilt: "
        "raw/movies/2026/11/03/films.jsonl of batch 1 is replaced"
    )


def damage(lake: Lake) -> None:
    """A stranger deletes a film of silver and a reject; a gold table loses its file, another one's is altered."""
    for table, where in (("silver/movies", "movie_id = 'mv-0005'"), ("quarantine/movies", "movie_id = 'mv-0021'")):
        DeltaTable.forPath(lake.spark, str(lake.root / table)).delete(where)
    live(lake, "gold/movies_by_studio").unlink()
    file = live(lake, "gold/movies_by_genre")
    other = file.with_suffix(".altered")
    duckdb.sql(f"SELECT * REPLACE (movies + 1 AS movies) FROM read_parquet('{file}')").write_parquet(str(other))
    other.replace(file)
    file.with_name(f".{file.name}.crc").unlink(missing_ok=True)


def live(lake: Lake, table: str) -> Path:
    """The only data file of a table's newest version."""
    (file,) = lake.spark.read.format("delta").load(str(lake.root / table)).inputFiles()
    return Path(re.sub(SCHEME, "/", file))


@pytest.fixture(scope="module")
def damaged(replayed: Lake, script: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The lake with some of its tables damaged, and silver and gold rebuilt beside them once more."""
    lake = replayed.copy(tmp_path_factory.mktemp("damaged") / "lake")
    damage(lake)
    lake.run("silver", "gold", script=script, options=REPLAY)
    return lake


def test_damage_is_found_and_named(damaged: Lake) -> None:
    reasons = {each["table"]: each["reason"] for layer in LAYERS for each in damaged.records(layer)[-1]["compared"]}
    assert proof(damaged) == EQUAL | {
        "silver/movies": (10, 11, "damaged"),
        "quarantine/movies (open)": (2, 3, "damaged"),
        "gold/movies_by_genre": (5, 5, "damaged"),
        "gold/movies_by_studio": (None, 4, "damaged"),
    }
    assert reasons["silver/movies"] == "version 4 of silver/movies is a DELETE that no run has written"
    assert reasons["quarantine/movies (open)"] == "version 4 of quarantine/movies is a DELETE that no run has written"
    assert re.fullmatch(
        r"the files of gold/movies_by_genre hold \d+ bytes, its log says \d+", reasons["gold/movies_by_genre"]
    )
    assert re.fullmatch(r"gold/movies_by_studio/part-\S+\.parquet is gone", reasons["gold/movies_by_studio"])


def test_other_code_is_told_from_damage(replayed: Lake, tmp_path: Path) -> None:
    """Silver has taken an opera in that today's code rejects; gold is what today's code makes of silver."""
    lake = replayed.copy(tmp_path / "lake")
    lake.run("silver", "gold")
    lake.run("silver", "gold", options=REPLAY)
    changed, follows = "code or rules changed", "follows"
    assert proof(lake) == EQUAL | {
        "silver/movies": (11, 10, changed),
        "quarantine/movies (open)": (3, 4, changed),
        "gold/movies_by_genre": (5, 4, follows),
        "gold/movies_by_studio": (4, 4, follows),
        "gold/movies_by_release_year": (5, 5, follows),
    }
    assert {each["reason"] for each in lake.records("silver")[-1]["compared"]} == {"since version 3"}


class Readers:
    """A reader that asks for each table again and again, and what it has seen of each, in order."""

    def __init__(self, lake: Lake, *tables: str) -> None:
        self.lake, self.tables = lake, tables
        self.seen: dict[str, list[list[str]]] = {table: [] for table in tables}
        self.stop, self.thread = threading.Event(), threading.Thread(target=self._read)

    def __enter__(self) -> Readers:
        self._look()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()
        self._look()

    def _read(self) -> None:
        while not self.stop.is_set():
            self._look()

    def _look(self) -> None:
        connection = query.open_duckdb("delta")
        for table in self.tables:
            try:
                rows = connection.execute(f"SELECT * FROM delta_scan('{self.lake.root / table}')").fetchall()
                seen = sorted(map(repr, rows))
            except duckdb.Error as error:
                seen = [f"error: {error}"]
            if self.seen[table][-1:] != [seen]:
                self.seen[table].append(seen)


def test_a_switch_is_seen_whole_and_the_next_run_goes_on(
    damaged: Lake, replayed: Lake, script: ModuleType, tmp_path: Path
) -> None:
    lake, undisturbed = damaged.copy(tmp_path / "lake"), replayed.copy(tmp_path / "undisturbed")
    before = lake.versions()
    with Readers(lake, "silver/movies", "gold/movies_by_genre", "gold/movies_by_release_year") as readers:
        bronze, silver, gold = lake.run(script=script, options=SWITCH)
    assert bronze["outcome"] == "idle"
    assert [each["equations"] for each in silver["accounts"]] == [
        [
            {"name": "switched rows", "left": {"rows switched": 11}, "right": {"rows rebuilt": 11}},
            {"name": "open rejects", "left": {"open rejects": 3}, "right": {"rebuilt": 3}},
        ]
    ]
    assert (silver["rows_out"], gold["rows_out"]) == (11, 14)
    written = {table: version - before[table] for table, version in lake.versions().items() if "/" in table}
    assert {table for table, count in written.items() if count} == {
        *("silver/movies", "quarantine/movies", "quarantine_events/movies"),
        *("gold/movies_by_genre", "gold/movies_by_studio", "gold/movies_by_release_year"),
    }
    assert set(written.values()) == {0, 1}
    rows = lake.content("silver", "gold", without=())
    assert rows == undisturbed.content("silver", "gold", without=())
    assert {table: (len(seen), seen[-1] == rows[table]) for table, seen in readers.seen.items()} == {
        "silver/movies": (2, True),
        "gold/movies_by_genre": (2, True),
        "gold/movies_by_release_year": (1, True),
    }
    for each in (lake, undisturbed):
        land(each, FOURTH, 6)
    _, silver, gold = lake.run(script=script)
    undisturbed.run(script=script)
    assert [(each["after"], each["to"], each["attempt"]) for each in silver["accounts"]] == [(3, 4, 0)]
    assert [each["computed"] for each in gold["refreshed"]] == [
        "2 touched groups",
        "2 touched groups",
        "2 touched groups",
    ]
    assert lake.content("bronze", "silver", "gold", without=()) == undisturbed.content(
        "bronze", "silver", "gold", without=()
    )
    assert [record["outcome"] for record in lake.run(script=script)] == ["idle"] * 3
    with pytest.raises(
        ReplayError, match=r"^silver/movies has taken batches up to 4 since it was rebuilt up to 3: run"
    ):
        lake.run("silver", script=script, options=SWITCH)
    lake.run("bronze", script=script, options=REPLAY)
    assert proof(lake)["bronze/movies"] == (22, 22, "equal")


def run_until(lake: Lake, script: ModuleType, fatal: int) -> None:
    """Switches silver, and dies before the n-th write."""

    def die() -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patched:
        Writes(fatal, die).watch(patched.setattr)
        with pytest.raises(Killed):
            lake.run("silver", script=script, options=SWITCH)
    shutil.rmtree(lake.root / "leases")  # its holder, this process, is alive


def test_a_switch_that_dies_is_finished_by_the_next(
    damaged: Lake, replayed: Lake, script: ModuleType, tmp_path: Path
) -> None:
    """Writes of silver: the lease, the table, the events, the rejects, the gate."""
    lake = damaged.copy(tmp_path / "lake")
    gate = lake.gate("silver")
    run_until(lake, script, 3)
    with pytest.raises(
        Unbalanced, match=r"2 open rejects is not 3 rebuilt\. Maybe a switch has ended early; then switch"
    ):
        lake.run("silver", script=script)
    for fatal, switched in ((4, 6), (5, 7)):
        run_until(lake, script, fatal)
        assert lake.versions()["silver/movies"] == switched
        assert lake.gate("silver") == gate
    lake.run("silver", script=script)  # an ordinary run finds what is whole, and publishes it
    assert lake.gate("silver")["tables"]["movies"]["version"] == 7
    assert lake.content("silver", without=()) == replayed.content("silver", without=())
    assert lake.rows("quarantine/movies", "movie_id") == [("mv-0021",), ("mv-0022",), (None,)]
    assert lake.rows("quarantine_events/movies") == []
