"""Each equation, broken in the data: the run fails and names it, a retry too, gold stays; a repair heals all.

No counter is touched: files, tables and functions are.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from delta.tables import DeltaTable

from lakehouse import accounting, bronze
from lakehouse.accounting import Unbalanced
from tests.conftest import Lake
from tests.lakehouse.films import changed_script, film, jsonl

pytestmark = pytest.mark.usefixtures("interpreted")
ALL = ("bronze", "silver", "quarantine", "gold")
SECOND = "movies/2026/11/02/films.jsonl"


class Crash(Exception):
    """What ends a run between its commit and its verdict."""


def assert_red(lake: Lake, layer: str, message: str, script: ModuleType | None = None) -> None:
    """The layer's run fails with this message each time, and nothing is published."""
    gate, gold = lake.gate(layer), (lake.versions(), lake.content("gold"))
    for _ in range(2):
        with pytest.raises(Unbalanced, match=message):
            lake.run(layer, script=script)
        record = lake.records(layer)[-1]
        assert (record["outcome"], record["error"].startswith(f"Unbalanced: {layer}/movies")) == ("failed", True)
        assert lake.gate(layer) == gate
    for record in lake.run("silver", "gold") if layer == "bronze" else lake.run("gold"):
        assert record["outcome"] == "idle"
    published = {table: version for table, version in gold[0].items() if table.startswith("gold/")}
    assert {table: lake.versions()[table] for table in published} == published
    assert lake.content("gold") == gold[1]


def assert_heals(lake: Lake, layer: str, second_day: dict[str, Lake]) -> None:
    """After a repair and a normal run all tables hold what they would without the tampering."""
    (record,) = lake.run(layer, options=("--mode", "repair"))
    assert [restored["table"] for restored in record["restored"]] == [f"{layer}/movies"]
    lake.run()
    assert lake.content(*ALL, without=()) == second_day["done"].content(*ALL, without=())


def crash_before_the_verdict(lake: Lake, layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a layer that ends after its commits and before their accounts."""

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(accounting, f"{layer}_account", crash)
        with pytest.raises(Crash):
            lake.run(layer)


def delete(lake: Lake, table: str, condition: str) -> None:
    """What somebody else does to a table of the lake."""
    DeltaTable.forPath(lake.spark, str(lake.root / table)).delete(condition)


def test_bronze_holds_fewer_rows_than_the_file_records(
    second_day: dict[str, Lake], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, load = second_day["bronze"].copy(tmp_path / "lake"), bronze.load
    file = lake.root / "raw" / SECOND
    content, time = file.read_bytes(), file.stat().st_mtime_ns
    other = content.replace(b"\n", b" ", 1)  # as long and as old, with a record less

    def write(content: bytes) -> None:
        file.write_bytes(content)
        os.utime(file, ns=(time, time))

    def after_inspection(*arguments: Any) -> None:
        write(other)
        load(*arguments)

    monkeypatch.setattr(bronze, "load", after_inspection)
    assert_red(
        lake, "bronze", r"^bronze/movies version 2 \(batches 2 to 2\): 33 bronze rows is not 21 rows before \+ 13 "
    )
    write(content)
    monkeypatch.setattr(bronze, "load", load)
    assert_heals(lake, "bronze", second_day)
    assert {record["outcome"] for record in lake.run()} == {"idle"}


def test_bronze_rows_deleted_before_the_verdict(
    second_day: dict[str, Lake], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verdict is on the commit, and published is no more than that; the next batch stands on the damage."""
    lake = second_day["bronze"].copy(tmp_path / "lake")
    crash_before_the_verdict(lake, "bronze", monkeypatch)
    delete(lake, "bronze/movies", "movie_id = 'mv-0003'")
    lake.run()
    assert lake.gate("bronze")["tables"]["movies"]["version"] == 2
    assert lake.content(without=()) == second_day["done"].content(without=())
    third = lake.land("movies/2026/11/03/films.jsonl", jsonl(film(50)), at=1_790_000_002)
    assert_red(
        lake, "bronze", r"^bronze/movies version 4 .*: 33 bronze rows is not 34 rows before \+ 1 records in files"
    )
    lake.run("bronze", options=("--mode", "repair"))
    third.unlink()
    lake.run()
    assert lake.content(*ALL, without=()) == second_day["done"].content(*ALL, without=())


def test_quarantined_rows_deleted_before_the_verdict(
    second_day: dict[str, Lake], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = second_day["silver"].copy(tmp_path / "lake")
    crash_before_the_verdict(lake, "silver", monkeypatch)
    delete(lake, "quarantine/movies", "movie_id = 'mv-0031'")
    assert_red(lake, "silver", r"^silver/movies version 2 \(batches 2 to 2\): 13 read is not 11 entered \+ 1 rejected")
    assert_heals(lake, "silver", second_day)
    assert {record["outcome"] for record in lake.run()} == {"idle"}


MISTAKES = {
    "drops rows": ("return bronze.select(", "return bronze.where(\"movie_id <> 'mv-0021'\").select("),
    "doubles a row": ("return bronze.select(", "return bronze.unionAll(bronze.limit(1)).select("),
    "accepts by chance": ('values.text("title").alias', 'F.when(_chance(), values.text("title")).alias'),
    "dates by chance": (
        'values.timestamp("updated_at").alias',
        '(values.timestamp("updated_at") + _days()).alias',
    ),
}


def mistaken(mistake: str, folder: Path) -> ModuleType:
    """The script with one of the mistakes, and what those by chance take."""
    # What differs each time the function is called, as rand() does, but not from one run of this test to the next: each
    # call accepts fewer films, or dates them earlier.
    calls = "import itertools\n_CALLS = itertools.count()\n"
    chance = 'def _chance():\n    return F.crc32("movie_id") % 8 >= next(_CALLS) % 8\n'
    days = "def _days():\n    return F.make_dt_interval(F.lit(-400 * next(_CALLS)))\n"
    return changed_script(folder, MISTAKES[mistake], ("\nGENRES = {", f"\n{calls}\n{chance}\n{days}\nGENRES = {{"))


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ("drops rows", "1 reopened is not 9 entered"),
        ("doubles a row", "1 reopened is not 1. entered"),
        ("accepts by chance", "entered is not .* keys"),
        ("dates by chance", "keys is not"),
    ],
)
def test_a_function_that_is_no_function(
    mistake: str, message: str, second_day: dict[str, Lake], tmp_path: Path
) -> None:
    lake = second_day["silver"].copy(tmp_path / "lake")
    assert_red(lake, "silver", f"^silver/movies version 2 .*{message}", mistaken(mistake, tmp_path))
    with pytest.raises(Unbalanced, match="silver/movies version 2 was written by other code than today's"):
        lake.run("silver")
    assert_heals(lake, "silver", second_day)


def test_a_function_that_is_no_function_on_the_first_load(second_day: dict[str, Lake], tmp_path: Path) -> None:
    """Silver is appended then and not merged, and what is observed on the way goes into the accounts."""
    lake = second_day["silver"].copy(tmp_path / "lake")
    for layer in ("silver", "quarantine", "gold"):
        shutil.rmtree(lake.root / layer)
    (lake.root / "gates" / "movies" / "silver.json").unlink()
    message = r"^silver/movies version 1 \(batches 1 to 2\): 34 read is not 29 entered \+ 2 rejected"
    assert_red(lake, "silver", message, mistaken("drops rows", tmp_path))
    lake.run("silver", options=("--mode", "repair"))
    message = r"^silver/movies version 3 \(batches 1 to 2\): .* entered is not .* keys"
    assert_red(lake, "silver", message, mistaken("accepts by chance", tmp_path))
    assert_heals(lake, "silver", second_day)


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        (lambda silver: silver.delete("movie_id = 'mv-0010'"), r"23 silver rows is not 20 rows before \+ 4 inserted"),
        (lambda silver: silver.delete("movie_id = 'mv-0003'"), r"24 silver rows is not 20 rows before \+ 5 inserted"),
        (
            lambda silver: silver.toDF().limit(1).selectExpr("'mv-9999' movie_id", "* except (movie_id)"),
            r"25 silver rows is not 20 rows before \+ 4 inserted",
        ),
    ],
    ids=["row deleted", "row deleted that comes again", "row inserted"],
)
def test_silver_changed_by_somebody_else(
    tamper: Callable[[DeltaTable], Any], message: str, second_day: dict[str, Lake], tmp_path: Path
) -> None:
    lake = second_day["silver"].copy(tmp_path / "lake")
    path = str(lake.root / "silver/movies")
    if added := tamper(DeltaTable.forPath(lake.spark, path)):
        added.write.format("delta").mode("append").save(path)
    assert_red(lake, "silver", rf"^silver/movies version 3 \(batches 2 to 2\): {message}")
    assert_heals(lake, "silver", second_day)
