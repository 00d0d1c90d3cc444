"""Records whose parents aren't there wait in quarantine, and enter silver once, in the first run that finds these."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from tests.conftest import Lake

pytestmark = pytest.mark.usefixtures("interpreted")
ITEMS = "id,order_id,user_id,days_since_prior_order,product_id,add_to_cart_order,reordered,order_timestamp,date\n"
ORDERS = "order_num,order_id,user_id,order_timestamp,total_amount,date\n"
PRODUCTS = "product_id,department_id,department,product_name\n"
TABLE = "silver/order_items"


def item(number: int, order: int, product: int, place: int | str = 1) -> str:
    """One record of an order item."""
    return f"{number},{order},7,,{product},{place},0,2026-11-01T08:00:00Z,2026-11-01\n"


def product(number: int) -> str:
    """One record of a product."""
    return f"{number},4,produce,Product {number}\n"


def order(number: int) -> str:
    """One record of an order."""
    return f"1,{number},7,2026-11-01T08:00:00Z,1.00,2026-11-01\n"


def run(lake: Lake, *layers: str, options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Runs layers of retail, bronze and silver by default."""
    return lake.run(*layers or ("bronze", "silver"), pipeline="retail", options=options)


def account(record: dict[str, Any]) -> dict[str, Any]:
    """What a run's account of the items says: its attempt, and both sides of each equation by their name."""
    (found,) = (each for each in record["accounts"] if each["table"] == TABLE)
    return {"attempt": found["attempt"]} | {each["name"]: (each["left"], each["right"]) for each in found["equations"]}


def items(lake: Lake) -> list[tuple[int, int]]:
    """Items that silver holds, with their place in the cart."""
    return lake.rows(TABLE, "id", "add_to_cart_order")


def events(lake: Lake) -> list[tuple[Any, ...]]:
    """All events, each with the item of its record."""
    named = dict(lake.rows("quarantine/order_items", "_record_id", "id"))
    found = lake.rows("quarantine_events/order_items", "_record_id", "attempt", "status", "_rules")
    return sorted((attempt, named[record], status, rules) for record, attempt, status, rules in found)


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, interpreted: None) -> Lake:
    """A lake without orders: item 1 has come twice and item 2, of an unknown product, once; item 3 is a reject."""
    lake = Lake(tmp_path_factory.mktemp("waiting") / "lake", spark)
    content = ITEMS + item(1, 1, 1) + item(2, 2, 2) + item(3, 1, 1, "x")
    lake.land("retail/order_items/1.csv", content.encode(), at=1_790_000_000)
    lake.land("retail/order_items/2.csv", (ITEMS + item(1, 1, 1, 5)).encode(), at=1_790_000_001)
    lake.land("retail/products/1.csv", (PRODUCTS + product(1)).encode(), at=1_790_000_000)
    run(lake)
    return lake


@pytest.fixture(scope="module")
def landed(waiting: Lake, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The lake with both orders in bronze, and no further item."""
    lake = waiting.copy(tmp_path_factory.mktemp("landed") / "lake")
    lake.land("retail/orders/1.csv", (ORDERS + order(1) + order(2)).encode(), at=1_790_000_002)
    run(lake, "bronze")
    return lake


@pytest.fixture(scope="module")
def arrived(landed: Lake, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The lake after silver has taken both orders."""
    lake = landed.copy(tmp_path_factory.mktemp("arrived") / "lake")
    run(lake, "silver")
    return lake


def test_records_without_parents_wait(waiting: Lake) -> None:
    (record,) = waiting.records("silver", "retail")
    assert account(record)["read"] == ({"read": 4}, {"entered": 0, "rejected": 1, "waiting": 3})
    assert (record["rows_rejected"], record["rows_waiting"]) == (1, 3)
    assert waiting.rows("quarantine/order_items", "id", "_rules") == [
        ("1", ["waits_for_orders"]),
        ("1", ["waits_for_orders"]),
        ("2", ["waits_for_orders", "waits_for_products"]),
        ("3", ["add_to_cart_order_invalid"]),
    ]
    assert items(waiting) == []


def test_nothing_is_tried_while_no_parent_has_come(waiting: Lake, tmp_path: Path) -> None:
    lake = waiting.copy(tmp_path / "lake")
    before = lake.files()
    assert [record["outcome"] for record in run(lake)] == ["idle"] * 2
    assert lake.files() == before
    lake.land("retail/products/2.csv", (PRODUCTS + product(8)).encode(), at=1_790_000_002)
    assert {each["table"] for each in run(lake)[1]["accounts"]} == {"silver/products"}


def test_the_newest_version_enters_and_what_still_waits_tells_for_what(arrived: Lake) -> None:
    """The reject isn't tried: its wait isn't what keeps it out."""
    assert account(arrived.records("silver", "retail")[-1]) == {
        "attempt": 1,
        "read": (
            {"read": 0, "reopened": 3},
            {"entered": 2, "rejected": 0, "waiting": 0, "rejected again": 0, "waiting again": 1},
        ),
        "reopened": ({"reopened": 3}, {"readmitted": 2, "rejected again": 0, "waiting again": 1}),
        "entered": ({"entered": 2}, {"keys": 1, "duplicates": 1}),
        "keys": ({"keys": 1}, {"inserted": 1, "updated": 0, "stale": 0}),
        "silver rows": ({"silver rows": 1}, {"rows before": 0, "inserted": 1}),
    }
    assert items(arrived) == [(1, 5)]
    assert events(arrived) == [
        *[(1, "1", "readmitted", [])] * 2,
        (1, "2", "waiting", ["waits_for_products"]),
    ]


def test_heals_after_a_crash_before_the_commit(
    landed: Lake, arrived: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events are written by then, and the orders are in silver."""
    from lakehouse.tables import Table

    lake, commit = landed.copy(tmp_path / "lake"), Table.commit

    def crash(table: Table, *arguments: Any) -> Any:
        if table.key == TABLE:
            raise InterruptedError
        return commit(table, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Table, "commit", crash)
        with pytest.raises(InterruptedError):
            run(lake, "silver")
    assert len(events(lake)) == 3
    (record,) = run(lake, "silver")
    assert account(record) == account(arrived.records("silver", "retail")[-1])
    all_layers = ("silver", "quarantine", "quarantine_events")
    assert lake.content(*all_layers, without=()) == arrived.content(*all_layers, without=())


def test_all_open_rejects_when_a_person_asks(arrived: Lake, tmp_path: Path) -> None:
    lake = arrived.copy(tmp_path / "lake")
    (record,) = run(lake, "silver", options=("--mode", "readmit"))
    assert account(record)["reopened"] == (
        {"reopened": 2},
        {"readmitted": 0, "rejected again": 1, "waiting again": 1},
    )
    assert events(lake)[3:] == [
        (2, "2", "waiting", ["waits_for_products"]),
        (2, "3", "rejected", ["add_to_cart_order_invalid"]),
    ]


def test_a_wait_ends_beside_a_new_batch(arrived: Lake, tmp_path: Path) -> None:
    """Of two new records, one is a version of item 1 from an older file."""
    lake = arrived.copy(tmp_path / "lake")
    lake.land("retail/products/2.csv", (PRODUCTS + product(2)).encode(), at=1_790_000_003)
    content = ITEMS + item(1, 1, 1, 9) + item(4, 2, 1)
    lake.land("retail/order_items/3.csv", content.encode(), at=1_780_000_000)
    (_, record) = run(lake)
    found = account(record)
    assert found["read"] == (
        {"read": 2, "reopened": 1},
        {"entered": 3, "rejected": 0, "waiting": 0, "rejected again": 0, "waiting again": 0},
    )
    assert found["keys"] == ({"keys": 3}, {"inserted": 2, "updated": 0, "stale": 1})
    assert items(lake) == [(1, 5), (2, 1), (4, 1)]
    assert [record["outcome"] for record in run(lake)] == ["idle"] * 2


def test_a_rebuild_has_the_same_waits_and_they_end_after_a_switch(arrived: Lake, tmp_path: Path) -> None:
    lake = arrived.copy(tmp_path / "lake")
    (_, silver) = run(lake, options=("--mode", "replay"))
    assert {each["table"]: each["verdict"] for each in silver["compared"]} == {
        f"{layer}/{table}{note}": "equal"
        for table in ("products", "orders", "order_items")
        for layer, note in (("silver", ""), ("quarantine", " (open)"))
    }
    DeltaTable.forPath(lake.spark, str(lake.root / TABLE)).delete("id = 1")
    run(lake, options=("--mode", "switch"))
    assert items(lake) == [(1, 5)]
    lake.land("retail/products/2.csv", (PRODUCTS + product(2)).encode(), at=1_790_000_003)
    run(lake)
    assert items(lake) == [(1, 5), (2, 1)]
