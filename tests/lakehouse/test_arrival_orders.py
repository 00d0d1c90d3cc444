"""Three related tables, each landed in a run of its own: all six orders of arrival end in the same rows.

Six shops share a lake and nothing else: ids, days and departments are their own. In each of three runs each shop lands
the files of one table, and no two shops land them in the same order.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from pyspark.sql import SparkSession

import query
from tests.conftest import Lake
from tests.lakehouse.test_references import ITEMS, ORDERS, PRODUCTS, TABLE, account, run

pytestmark = pytest.mark.usefixtures("interpreted")
SHOPS = dict(enumerate(permutations(("products", "orders", "order_items")), start=1))
"""Each shop's number, with the tables in the order in which its files land. Its ids are 100 times that, and a place."""
OPEN = """
    WITH tried AS (
        SELECT _record_id, max_by(status, attempt) AS status, max_by(_rules, attempt) AS rules
        FROM oakvale_silver.{0}_quarantine_events GROUP BY _record_id
    )
    SELECT cast({1} AS int) // 100, cast({1} AS int) % 100, coalesce(rules, _rules)
    FROM oakvale_silver.{0}_quarantine LEFT JOIN tried USING (_record_id)
    WHERE status IS DISTINCT FROM 'readmitted' ORDER BY ALL
"""
READMITTED = """
    SELECT cast(id AS int) // 100, count(*), count(DISTINCT _record_id)
    FROM oakvale_silver.order_items_quarantine_events JOIN oakvale_silver.order_items_quarantine USING (_record_id)
    WHERE status = 'readmitted' GROUP BY 1
"""


def files(shop: int) -> dict[str, tuple[str, str]]:
    """The two files of each of a shop's tables; a row of the second is newer than one of the first with its key."""
    ids, day, other_day = [shop * 100 + place for place in range(10)], f"2026-11-0{shop}", "2026-11-30"

    def product(number: int, name: str) -> str:
        return f"{ids[number]},{shop},Department {shop},{name}\n"

    def order(number: int, total: str, date: str = day) -> str:
        return f"1,{ids[number]},{ids[7]},{day}T08:00:00Z,{total},{date}\n"

    def item(number: int, order: int, product: int, place: int | str) -> str:
        return f"{ids[number]},{ids[order]},{ids[7]},,{ids[product]},{place},0,{day}T08:00:00Z,{day}\n"

    return {
        "products": (PRODUCTS + product(1, "Pear") + product(2, "Old"), PRODUCTS + product(2, "Plum")),
        # The third order is a reject, so what references it waits for good.
        "orders": (
            ORDERS + order(1, "5.00") + order(2, "1.00"),
            ORDERS + order(1, "9.00") + order(3, "1.00", other_day),
        ),
        # Item 1 has three versions, item 3 is of no known product, and item 5 is a reject.
        "order_items": (
            ITEMS + item(1, 1, 1, 7) + item(2, 2, 2, 1),
            ITEMS + item(1, 1, 1, 8) + item(1, 1, 1, 9) + item(3, 1, 9, 1) + item(4, 3, 1, 1) + item(5, 1, 1, "x"),
        ),
    }


@pytest.fixture(scope="module")
def arrived(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, interpreted: None) -> Lake:
    """The lake after three runs, and one of gold."""
    lake = Lake(tmp_path_factory.mktemp("arrived") / "lake", spark)
    for step in range(3):
        for shop, tables in SHOPS.items():
            for number, content in enumerate(files(shop)[tables[step]]):
                lake.land(f"retail/{tables[step]}/{shop}-{number}.csv", content.encode(), at=1_790_000_000 + number)
        run(lake)
    run(lake, "gold")
    return lake


def answer(lake: Lake, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    return query.connect(lake.root).execute(sql).fetchall()


def of_each(*rows: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """These rows once for each shop, after its number."""
    return [(shop, *row) for shop in SHOPS for row in rows]


@pytest.mark.parametrize(
    ("table", "columns", "expected"),
    [
        ("silver.products", "product_id // 100, product_id % 100, product_name", of_each((1, "Pear"), (2, "Plum"))),
        ("silver.orders", "order_id // 100, order_id % 100, total_amount", of_each((1, Decimal(9)), (2, Decimal(1)))),
        (
            "silver.order_items",
            "id // 100, id % 100, order_id % 100, product_id % 100, add_to_cart_order",
            of_each((1, 1, 1, 9), (2, 2, 2, 1)),
        ),
        (
            "gold.sales_by_day_and_department",
            "day(date), department[-1], orders, items, revenue",
            [(shop, str(shop), 2, 2, Decimal(10)) for shop in SHOPS],
        ),
        ("gold.product_performance", "product_id // 100, product_id % 100, units", of_each((1, 1), (2, 1))),
        ("gold.customer_behaviour", "user_id // 100, user_id % 100, orders, value", of_each((7, 2, Decimal(10)))),
        (
            "gold.order_checks_by_day",
            "day(date), orders, complete_orders, orders_without_items, total_amount, stray_items",
            of_each((2, 1, 0, Decimal(10), 0)),
        ),
    ],
)
def test_all_orders_end_in_the_same_rows(
    arrived: Lake, table: str, columns: str, expected: list[tuple[Any, ...]]
) -> None:
    assert answer(arrived, f"SELECT {columns} FROM oakvale_{table} ORDER BY ALL") == expected


def test_the_same_rejects_stay_open_for_the_same_reasons(arrived: Lake) -> None:
    assert answer(arrived, OPEN.format("orders", "order_id")) == of_each((3, ["date_of_timestamp"]))
    assert answer(arrived, OPEN.format("order_items", "id")) == of_each(
        (3, ["waits_for_products"]), (4, ["waits_for_orders"]), (5, ["add_to_cart_order_invalid"])
    )


def test_what_has_waited_is_admitted_once(arrived: Lake) -> None:
    """Four records of each shop enter, by themselves or out of the quarantine; not one does so again when asked."""
    late = [(shop, 4, 4) for shop, tables in SHOPS.items() if tables[-1] != "order_items"]
    assert sorted(answer(arrived, READMITTED)) == late
    entered = Counter[str]()
    for record in arrived.records("silver", "retail"):
        _, judged = account(record)["read"]
        entered["entered"] += judged["entered"]
        entered["readmitted"] += account(record).get("reopened", ({}, {"readmitted": 0}))[1]["readmitted"]
    assert entered == {"entered": 24, "readmitted": 16}
    before = arrived.rows(TABLE)
    (again,) = run(arrived, "silver", options=("--mode", "readmit"))
    assert account(again)["reopened"][1] == {"readmitted": 0, "rejected again": 6, "waiting again": 12}
    assert arrived.rows(TABLE) == before
    assert sorted(answer(arrived, READMITTED)) == late
