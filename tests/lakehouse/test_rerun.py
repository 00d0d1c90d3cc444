"""Running again: no commit, no file, and the run record says so; also after batches that leave no row behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import LAYERS, Lake
from tests.lakehouse.films import film, jsonl

pytestmark = pytest.mark.usefixtures("interpreted")
THIRD = "movies/2026/11/03"


def run_idly(lake: Lake) -> None:
    """Runs all layers and checks that none did anything."""
    before = lake.versions(), lake.files(), {layer: lake.gate(layer) for layer in LAYERS}
    for record in lake.run():
        assert record["outcome"] == "idle"
        assert lake.records(record["layer"])[-1] == record
    assert (lake.versions(), lake.files(), {layer: lake.gate(layer) for layer in LAYERS}) == before


def moved(lake: Lake, before: dict[str, int]) -> dict[str, int]:
    """How many versions each table is ahead of before."""
    return {table: version - before[table] for table, version in lake.versions().items() if version > before[table]}


def outcomes(records: list[dict[str, Any]]) -> dict[str, str]:
    """Each layer's outcome."""
    return {record["layer"]: record["outcome"] for record in records}


def test_a_second_run_is_idle(second_day: dict[str, Lake], tmp_path: Path) -> None:
    run_idly(second_day["done"].copy(tmp_path / "lake"))


def test_idle_after_a_batch_of_rejects_only(second_day: dict[str, Lake], tmp_path: Path) -> None:
    lake = second_day["done"].copy(tmp_path / "lake")
    before, content = lake.versions(), lake.content("silver", "gold")
    lake.land(f"{THIRD}/films.jsonl", jsonl(film(1, title=" "), film(20, genre="Opera"), "no json"))
    records = lake.run()
    assert outcomes(records) == dict.fromkeys(LAYERS, "succeeded")
    assert {table: count for table, count in moved(lake, before).items() if not table.startswith("gold/")} == {
        "ledger/movies": 2,
        "bronze/movies": 1,
        "quarantine/movies": 1,
        "silver/movies": 1,
    }
    assert [done["computed"] for done in records[2]["refreshed"]] == ["0 touched groups"] * 3
    assert lake.content("silver", "gold") == content
    assert len(lake.rows("quarantine/movies")) == 3 + 3
    assert lake.gate("silver")["batch"] == 3
    run_idly(lake)


def test_idle_after_a_batch_of_unreadable_files(second_day: dict[str, Lake], tmp_path: Path) -> None:
    lake = second_day["done"].copy(tmp_path / "lake")
    before, content = lake.versions(), lake.content("bronze", "silver", "quarantine", "gold")
    lake.land(f"{THIRD}/broken.jsonl.gz", b"no gzip")
    lake.land(f"{THIRD}/utf16.jsonl", '{"movie_id": "mv-1"}\n'.encode("utf-16"))
    records = lake.run()
    assert outcomes(records) == dict.fromkeys(LAYERS, "succeeded")
    assert records[0]["files"] == {"unreadable": 2}
    assert moved(lake, before)["bronze/movies"] == moved(lake, before)["silver/movies"] == 1
    assert lake.content("bronze", "silver", "quarantine", "gold") == content
    assert [lake.gate(layer)["batch"] for layer in ("bronze", "silver")] == [3, 3]
    run_idly(lake)


def test_the_first_batch_may_hold_nothing_good(lake: Lake) -> None:
    lake.land("movies/2026/11/01/films.jsonl", jsonl("no json", film(1, release_date="1700-01-01")))
    lake.land("movies/2026/11/01/broken.jsonl.gz", b"no gzip")
    assert outcomes(lake.run()) == dict.fromkeys(LAYERS, "succeeded")
    assert {table: len(rows) for table, rows in lake.content().items()} == {
        "silver/movies": 0,
        "quarantine/movies": 2,
        "gold/movies_by_genre": 0,
        "gold/movies_by_release_year": 0,
        "gold/movies_by_studio": 0,
    }
    run_idly(lake)
