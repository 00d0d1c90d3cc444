"""Rejects that are tried again: those that pass enter silver once, the others stay open, and all of it balances."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession

import quarantine
from lakehouse import accounting, job
from lakehouse.accounting import Unbalanced
from lakehouse.declaration import Pipeline
from lakehouse.lease import Lease
from lakehouse.silver_hop import silver_table
from lakehouse.storage import FolderStorage
from lakehouse.tables import Run, SkippedCommit, Table
from query import connect, query
from tests.conftest import Lake
from tests.lakehouse.films import changed_script, film, jsonl

pytestmark = pytest.mark.usefixtures("interpreted")
MOVIES: Pipeline = job.find_declaration("movies")
DAYS = (
    jsonl(film(1), film(2, genre="Opera"), film(3, genre="Opera", updated_at="2026-10-01T00:00:00Z"), "no json"),
    jsonl(film(3, title="Newer"), film(4, genre="Opera", title=""), film(5, rating="X")),
    jsonl(film(2, genre="Opera", title="Again", updated_at="2026-11-03T00:00:00Z"), film(6), film(7, title=" ")),
)
OPEN = {
    ("-", ("malformed_record",)),
    ("mv-0004", ("title_missing",)),
    ("mv-0005", ("rating_invalid",)),
    ("mv-0007", ("title_missing",)),
}
"""Films whose records stay open when operas are known, and what they fail then."""
FAIL_AGAIN = [("-", 1, "rejected", ["malformed_record"]), ("mv-0004", 1, "rejected", ["title_missing"])]
FAIL_AGAIN += [("mv-0005", 1, "rejected", ["rating_invalid"])]
READMIT = ("--mode", "readmit")


class Crash(Exception):
    """What ends a run at a chosen place."""


def land(lake: Lake, *days: int) -> None:
    """Lands files of some days."""
    for day in days:
        lake.land(f"movies/2026/11/0{day}/films.jsonl", DAYS[day - 1], at=1_790_000_000 + day)


def account(record: dict[str, Any]) -> dict[str, Any]:
    """What a run's only account says: its place, and both sides of each equation by their name."""
    (found,) = record["accounts"]
    sides = {each["name"]: (each["left"], each["right"]) for each in found["equations"]}
    return {name: found[name] for name in ("after", "to", "attempt")} | sides


def events(lake: Lake) -> list[tuple[Any, ...]]:
    """All events, each with the film of its record; `-` for a record that can't be read."""
    named = dict(lake.rows("quarantine/movies", "_record_id", "movie_id"))
    found = lake.rows("quarantine_events/movies", "_record_id", "attempt", "status", "_rules")
    return sorted((named[record] or "-", *event) for record, *event in found)


def open_rejects(lake: Lake) -> set[tuple[str, tuple[str, ...]]]:
    """The films of the rejects that `make quarantine` shows as open, each with the check that it is shown for."""
    sql = quarantine.samples("movies", MOVIES.bronze["movies"].fields)
    found = query(connect(lake.root), sql, "oakvale_silver")
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    return {(row["movie_id"] or "-", (row["rule"],)) for row in rows}


def everything(lake: Lake) -> dict[str, list[str]]:
    """All rows that silver's runs have written, with all columns."""
    return lake.content("silver", "quarantine", "quarantine_events", without=())


def run_until(fatal: str, lake: Lake, script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs silver until just before its commit to a table of this layer, or its verdict."""
    commit = Table.commit

    def crash(*arguments: Any) -> Any:
        if fatal in ("verdict", getattr(arguments[0], "layer", "")):
            raise Crash
        return commit(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(*((accounting, "silver_account") if fatal == "verdict" else (Table, "commit")), crash)
        with pytest.raises(Crash):
            lake.run("silver", script=script)


@pytest.fixture(scope="module")
def knows_operas(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The films' script with a genre more."""
    known = '    "Horror": ('
    return changed_script(tmp_path_factory.mktemp("operas"), (known, f'    "Opera": (),\n{known}'))


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, interpreted: None) -> Lake:
    """A lake after two days with the films' own script, and with a third day in bronze."""
    lake = Lake(tmp_path_factory.mktemp("readmission") / "lake", spark)
    for day in (1, 2):
        land(lake, day)
        lake.run("bronze", "silver")
    land(lake, 3)
    lake.run("bronze")
    return lake


@pytest.fixture(scope="module")
def three_days(two_days: Lake, knows_operas: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The lake after an ordinary run that knows operas has taken the third day and tried all rejects before it."""
    lake = two_days.copy(tmp_path_factory.mktemp("three") / "lake")
    lake.run("silver", "gold", script=knows_operas)
    return lake


@pytest.fixture(scope="module")
def anew(knows_operas: ModuleType, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake built from the same files at once, by the script that knows operas."""
    lake = Lake(tmp_path_factory.mktemp("anew") / "lake", spark)
    land(lake, 1, 2, 3)
    lake.run(script=knows_operas)
    return lake


def test_other_code_readmits_what_it_accepts_beside_a_new_batch(three_days: Lake, anew: Lake) -> None:
    """Film 2 has come twice, film 3 is older than what silver holds, and three of five rejects fail again."""
    assert account(three_days.records("silver")[-1]) == {
        **{"after": 2, "to": 3, "attempt": 1},
        "read": ({"read": 3, "reopened": 5}, {"entered": 4, "rejected": 1, "rejected again": 3}),
        "reopened": ({"reopened": 5}, {"readmitted": 2, "rejected again": 3}),
        "entered": ({"entered": 4}, {"keys": 3, "duplicates": 1}),
        "keys": ({"keys": 3}, {"inserted": 2, "updated": 0, "stale": 1}),
        "silver rows": ({"silver rows": 4}, {"rows before": 2, "inserted": 2}),
    }
    accepted = [("mv-0002", 1, "readmitted", []), ("mv-0003", 1, "readmitted", [])]
    assert events(three_days) == sorted(FAIL_AGAIN + accepted)
    assert len(three_days.rows("quarantine/movies")) == 6
    assert three_days.content("silver", "gold") == anew.content("silver", "gold")
    rejected = anew.rows("quarantine/movies", "movie_id", "_rules")
    assert open_rejects(three_days) == OPEN == {(name or "-", tuple(rules)) for name, rules in rejected}


def test_a_try_happens_once_and_again_when_a_person_asks(
    three_days: Lake, knows_operas: ModuleType, tmp_path: Path
) -> None:
    lake = three_days.copy(tmp_path / "lake")
    before, content = lake.files(), lake.content("silver")
    assert [record["outcome"] for record in lake.run(script=knows_operas)] == ["idle"] * 3
    assert lake.files() == before
    (record,) = lake.run("silver", script=knows_operas, options=READMIT)
    assert account(record) == {
        **{"after": 3, "to": 3, "attempt": 2},
        "read": ({"read": 0, "reopened": 4}, {"entered": 0, "rejected": 0, "rejected again": 4}),
        "reopened": ({"reopened": 4}, {"readmitted": 0, "rejected again": 4}),
        "entered": ({"entered": 0}, {"keys": 0, "duplicates": 0}),
        "keys": ({"keys": 0}, {"inserted": 0, "updated": 0, "stale": 0}),
        "silver rows": ({"silver rows": 4}, {"rows before": 4, "inserted": 0}),
    }
    assert [event[:2] for event in events(lake)].count(("mv-0004", 1)) == 1
    assert [event for event in events(lake) if event[1] == 2] == [
        ("-", 2, "rejected", ["malformed_record"]),
        ("mv-0004", 2, "rejected", ["title_missing"]),
        ("mv-0005", 2, "rejected", ["rating_invalid"]),
        ("mv-0007", 2, "rejected", ["title_missing"]),
    ]
    assert lake.content("silver") == content
    assert lake.run("silver", script=knows_operas)[0]["outcome"] == "idle"


@pytest.mark.parametrize("fatal", ["silver", "verdict"])
def test_heals_after_a_crash(
    fatal: str,
    two_days: Lake,
    three_days: Lake,
    knows_operas: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between the events and silver's commit, or after it: the rerun has the same content."""
    lake = two_days.copy(tmp_path / "lake")
    run_until(fatal, lake, knows_operas, monkeypatch)
    lake.run("silver", script=knows_operas)
    assert everything(lake) == everything(three_days)
    assert account(lake.records("silver")[-1]) == account(three_days.records("silver")[-1])
    assert lake.run("silver", script=knows_operas)[0]["outcome"] == "idle"


def test_an_attempt_that_has_begun_is_finished_by_other_code_too(
    two_days: Lake, knows_operas: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events of a run that didn't come to its commit say what isn't so; its successor replaces them."""
    lake = two_days.copy(tmp_path / "lake")
    run_until("silver", lake, knows_operas, monkeypatch)
    assert {status for _, _, status, _ in events(lake)} == {"readmitted", "rejected"}
    lake.run("silver")
    assert [event[:3] for event in events(lake)] == [
        (film_id, 1, "rejected") for film_id in ("-", "mv-0002", "mv-0003", "mv-0004", "mv-0005")
    ]
    assert lake.rows("silver/movies", "movie_id") == [("mv-0001",), ("mv-0003",), ("mv-0006",)]


def test_events_deleted_before_the_verdict(
    two_days: Lake, three_days: Lake, knows_operas: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = two_days.copy(tmp_path / "lake")
    gate = lake.gate("silver")
    run_until("verdict", lake, knows_operas, monkeypatch)
    table = DeltaTable.forPath(lake.spark, str(lake.root / "quarantine_events/movies"))
    version = lake.versions()["quarantine_events/movies"]
    for status, message in (
        ("readmitted", "5 reopened is not 1 readmitted + 3 rejected again"),
        ("rejected", "3 read + 5 reopened is not 4 entered + 1 rejected + 2 rejected again"),
    ):
        found = lake.rows("quarantine_events/movies", "_record_id", "status")
        table.delete(f"_record_id = '{next(record for record, of in found if of == status)}'")
        with pytest.raises(Unbalanced) as red:
            lake.run("silver", script=knows_operas)
        assert f"silver/movies version 3 (batches 3 to 3, attempt 1): {message}. Nothing of it is " in str(red.value)
        assert lake.gate("silver") == gate
        table.restoreToVersion(version)
    lake.run("silver", options=("--mode", "repair"))
    lake.run("silver", script=knows_operas)
    assert everything(lake) == everything(three_days)


def test_deleted_tables_are_built_anew(three_days: Lake, anew: Lake, knows_operas: ModuleType, tmp_path: Path) -> None:
    """The events of their former records are still there, and go."""
    lake = three_days.copy(tmp_path / "lake")
    for layer in ("silver", "quarantine"):
        shutil.rmtree(lake.root / layer / "movies")
    lake.run("silver", script=knows_operas)
    assert lake.content("silver", "quarantine") == anew.content("silver", "quarantine")
    assert events(lake) == []
    assert lake.run("silver", script=knows_operas)[0]["outcome"] == "idle"


def test_a_record_that_is_readmitted_twice_enters_once(
    three_days: Lake, knows_operas: ModuleType, tmp_path: Path
) -> None:
    """Whoever deletes the events opens all rejects again; what silver holds of them already is stale."""
    lake = three_days.copy(tmp_path / "lake")
    content = lake.content("silver")
    shutil.rmtree(lake.root / "quarantine_events/movies")
    (record,) = lake.run("silver", script=knows_operas, options=READMIT)
    assert account(record)["reopened"] == ({"reopened": 6}, {"readmitted": 2, "rejected again": 4})
    assert account(record)["keys"] == ({"keys": 2}, {"inserted": 0, "updated": 0, "stale": 2})
    assert lake.content("silver") == content


def test_readmission_into_an_empty_table_by_its_own_code(
    lake: Lake, knows_operas: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when something else than the code has changed; gold then takes the change feed."""
    monkeypatch.setattr(job, "code_of", lambda *_: "code")
    lake.land("movies/2026/11/01/films.jsonl", jsonl(film(2, genre="Opera")))
    lake.run()
    assert lake.run("silver", script=knows_operas)[0]["outcome"] == "idle"
    (silver,) = lake.run("silver", script=knows_operas, options=READMIT)
    assert account(silver)["silver rows"] == ({"silver rows": 1}, {"rows before": 0, "inserted": 1})
    lake.run("gold", script=knows_operas)
    assert lake.rows("gold/movies_by_genre", "genre", "movies") == [("Opera", 1)]
    assert lake.rows("quarantine_events/movies", "attempt", "status", "code") == [(1, "readmitted", "code")]


@pytest.mark.parametrize(("to", "attempts"), [(3, 1), (2, 2), (4, 0)])
def test_a_commit_that_moves_nothing_on_or_something_back_is_refused(
    to: int, attempts: int, three_days: Lake, spark: SparkSession
) -> None:
    storage = FolderStorage(three_days.root)
    before = three_days.versions()
    with Lease(storage, "movies", "silver", "late") as lease:
        table = silver_table(Run(spark, storage, storage, lease, "late", "code"), MOVIES.silver["movies"])
        with pytest.raises(SkippedCommit, match=r"^silver/movies holds to 3, attempts 1 already, from run "):
            table.commit({"hop": "silver", "to": to, "attempts": attempts}, lambda: pytest.fail("it was let in"))
    assert three_days.versions() == before


@pytest.mark.parametrize("layer", ["bronze", "gold"])
def test_only_silver_readmits(layer: str, lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        lake.run(layer, options=READMIT)
    assert f"--mode readmit goes with --layer silver, not {layer}" in capsys.readouterr().err
