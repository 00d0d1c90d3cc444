"""retail against the oracle: silver and gold after ten days whose files come in any order, row for row."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from generate_retail import FIRST_DAY, Settings, generate
from query import connect
from tests.conftest import Lake
from tests.oracles import retail as oracle

pytestmark = pytest.mark.usefixtures("interpreted")
SHOP = Settings(seed=5, orders=12, products=4, customers=9, late=0.3, corrections=0.2, duplicates=0.1, dirt=0.03)
DAYS = 10
SILVER = ("products", "orders", "order_items")
GOLD = ("sales_by_day_and_department", "product_performance", "customer_behaviour", "order_checks_by_day")


def files(days: int, how: Settings) -> list[tuple[str, bytes, int]]:
    """The files of some days: key, content, and the time that is theirs whenever they come."""
    generated = [generate(FIRST_DAY + timedelta(days=day), how) for day in range(days)]
    return [(key, body, 1_790_000_000 + day) for day, found in enumerate(generated) for key, body in found.items()]


def rows(connection: duckdb.DuckDBPyConnection, table: str, columns: str) -> Counter[str]:
    """All rows of a table, with times in UTC."""
    found = connection.execute(f"SELECT {columns} FROM {table}").fetchall()
    return Counter(repr(tuple(map(_in_utc, row))) for row in found)


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC).replace(tzinfo=None) if getattr(value, "tzinfo", None) else value


def differences(lake: Path) -> dict[str, tuple[list[str], list[str]]]:
    """For each table the rows that only the oracle has, and those that only the lake has."""
    expected, actual, found = oracle.compute(lake), connect(lake), {}
    for layer, tables in (("silver", SILVER), ("gold", GOLD)):
        for table in tables:
            columns = ", ".join(row[0] for row in expected.execute(f"DESCRIBE {layer}_{table}").fetchall())
            left = rows(expected, f"{layer}_{table}", columns)
            right = rows(actual, f"oakvale_{layer}.{table}", columns)
            assert len(left) > 5, table
            found[table] = (list(left - right), list(right - left))
    return found


def test_shuffled_days_equal_the_oracle(lake: Lake) -> None:
    """Thirty files in three runs: late parents, corrections from older files, duplicates, broken records."""
    landing = files(DAYS, SHOP)
    random.Random(3).shuffle(landing)
    waited = 0
    for begin in range(0, len(landing), 10):
        for key, content, time in landing[begin : begin + 10]:
            lake.land(key, content, at=time)
        waited += lake.run(pipeline="retail")[1]["rows_waiting"]
    assert differences(lake.root) == {table: ([], []) for table in (*SILVER, *GOLD)}
    assert waited > 50
    attempts = [each["attempt"] for record in lake.records("silver", "retail") for each in record["accounts"]]
    assert max(attempts) > 1
    total = connect(lake.root).execute(
        "SELECT (SELECT sum(revenue) FROM oakvale_gold.sales_by_day_and_department) = sum(total_amount) "
        "FROM oakvale_silver.orders"
    )
    assert total.fetchall() == [(True,)]
