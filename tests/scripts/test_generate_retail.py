"""The files of the invented shop: the same bytes for the same day and settings, with all that is asked for in them."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import generate_retail
from generate_retail import COLUMNS, FIRST_DAY, Settings, generate

ROOT = Path(__file__).resolve().parents[2]


def records(days: int, how: Settings) -> dict[str, list[dict[str, str]]]:
    """All records of some days by their kind."""
    found: dict[str, list[dict[str, str]]] = {kind: [] for kind in COLUMNS}
    for day in range(days):
        for key, content in generate(FIRST_DAY + timedelta(days=day), how).items():
            found[key.split("/")[1]] += csv.DictReader(io.StringIO(content.decode(), newline=""))
    return found


def test_the_same_bytes_again_and_others_for_another_seed() -> None:
    day = FIRST_DAY + timedelta(days=4)
    assert generate(day, Settings()) == generate(day, Settings())
    assert generate(day, Settings()) != generate(day, Settings(seed=2))


def test_a_shop_without_dirt_is_consistent() -> None:
    clean = Settings(orders=20, late=0, corrections=0, duplicates=0, dirt=0)
    found = records(3, clean)
    assert {kind: len({row[COLUMNS[kind][0]] for row in rows}) for kind, rows in found.items()}["products"] == 30
    orders = {row["order_id"]: row for row in found["orders"]}
    assert len(orders) == len(found["orders"]) == 60
    products = {row["product_id"] for row in found["products"]}
    for row in found["order_items"]:
        assert row["product_id"] in products
        order = orders[row["order_id"]]
        assert {name: order[name] for name in ("user_id", "order_timestamp", "date")}.items() <= row.items()


def test_what_is_asked_for_occurs() -> None:
    found = records(4, Settings(late=0.3, corrections=0.3, duplicates=0.2, dirt=0.1))
    ids = [row["order_id"] for row in found["orders"]]
    assert len(ids) - len(set(ids)) > 100
    first_day = {row["order_id"] for row in records(1, Settings(late=0.3, dirt=0))["orders"]}
    assert 10 < len({str(number) for number in range(1, 101)} - first_day) < 50
    assert any("\n" in row["product_name"] for row in found["products"])
    assert sum(row["date"] == "2026-02-30" for row in found["orders"]) > 0


def test_the_command_line(tmp_path: Path) -> None:
    command = [sys.executable, generate_retail.__file__, "--lake", str(tmp_path), "--days", "2", "--orders", "3"]
    subprocess.run(command, check=True, cwd=ROOT)
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.csv"))
    assert files == [f"raw/retail/{kind}/2026-11-0{day}.csv" for kind in sorted(COLUMNS) for day in (1, 2)]
    expected = generate(FIRST_DAY, Settings(orders=3))["retail/orders/2026-11-01.csv"]
    assert (tmp_path / "raw/retail/orders/2026-11-01.csv").read_bytes() == expected
