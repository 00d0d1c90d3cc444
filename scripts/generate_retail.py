"""Invents a shop's files of products, orders and order items: the same bytes for the same day and settings.

Parents come late, versions come again or corrected, and some records are broken, each as often as asked.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

FIRST_DAY = date(2026, 11, 1)
LATEST = 3
"""Days that an order or a product comes after its items, at most."""
COLUMNS = {
    "products": ("product_id", "department_id", "department", "product_name"),
    "orders": ("order_num", "order_id", "user_id", "order_timestamp", "total_amount", "date"),
    "order_items": (
        *("id", "order_id", "user_id", "days_since_prior_order", "product_id", "add_to_cart_order", "reordered"),
        *("order_timestamp", "date"),
    ),
}
DEPARTMENTS = ("produce", "dairy eggs", "bakery", "beverages", "household, pets", "pâtes & riz")
NAMES = ("Bananas", 'The "Big" Cheese', "Bread,\nsliced", "Café crème", "Soap; 3 bars", "  Rice ")
Row = list[str]


@dataclass(frozen=True)
class Settings:
    """How much there is a day, and which share of records is late, corrected, sent twice or broken."""

    seed: int = 1
    orders: int = 100
    products: int = 10
    customers: int = 50
    late: float = 0.1
    corrections: float = 0.1
    duplicates: float = 0.05
    dirt: float = 0.05


def generate(day: date, how: Settings) -> dict[str, bytes]:
    """The files of a day by their keys below raw/."""
    number = (day - FIRST_DAY).days
    earlier = range(max(0, number - LATEST), number + 1)
    rows = {
        "products": [row for each in earlier for delay, row in _products(each, how) if each + delay == number],
        "orders": [row for each in earlier for delay, row in _orders(each, how) if each + delay == number],
        "order_items": list(_items(number, how)),
    }
    return {
        f"retail/{kind}/{day}.csv": _csv(kind, _dirty(found, _draw(how, number, f"dirt of {kind}"), how))
        for kind, found in rows.items()
    }


def _draw(how: Settings, day: int, what: str) -> random.Random:
    return random.Random(f"{how.seed} {day} {what}")


def _delays(draw: random.Random, how: Settings) -> Iterator[int]:
    """The days after which a row comes: at once or late, and maybe again with other values."""
    first = draw.randint(1, LATEST - 1) if draw.random() < how.late else 0
    yield first
    if draw.random() < how.corrections:
        yield draw.randint(first + 1, LATEST)


def _products(day: int, how: Settings) -> Iterator[tuple[int, Row]]:
    draw = _draw(how, day, "products")
    for number in range(1 + day * how.products, 1 + (day + 1) * how.products):
        for delay in _delays(draw, how):
            department = draw.randrange(len(DEPARTMENTS))
            yield delay, [str(number), str(department + 1), DEPARTMENTS[department], draw.choice(NAMES)]


def _orders(day: int, how: Settings) -> Iterator[tuple[int, Row]]:
    draw = _draw(how, day, "orders")
    for number in range(1 + day * how.orders, 1 + (day + 1) * how.orders):
        user, placed = _placed(number, day, how)
        for delay in _delays(draw, how):
            total = f"{draw.randrange(20_000) / 100:.2f}"
            yield delay, [str(day + 1), str(number), user, placed, total, placed[:10]]


def _placed(order: int, day: int, how: Settings) -> tuple[str, str]:
    """Who has placed an order, and when."""
    draw = _draw(how, day, f"order {order}")
    begin = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC) + timedelta(days=day)
    moment = begin + timedelta(seconds=draw.randrange(86_400))
    return str(draw.randint(1, how.customers)), f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _items(day: int, how: Settings) -> Iterator[Row]:
    draw = _draw(how, day, "items")
    for order in range(1 + day * how.orders, 1 + (day + 1) * how.orders):
        user, placed = _placed(order, day, how)
        for place in range(1, draw.randint(1, 5) + 1):
            product = draw.randint(1, (day + 1) * how.products)
            since = draw.choice(("", "7", "30.0"))
            values = [str(order * 100 + place), str(order), user, since, str(product), str(place)]
            yield [*values, str(draw.randint(0, 1)), placed, placed[:10]]


def _dirty(rows: list[Row], draw: random.Random, how: Settings) -> Iterator[Row]:
    """The rows, some of them twice, and some with a value that can't be."""
    for row in rows:
        if draw.random() < how.duplicates:
            yield row
        if draw.random() < how.dirt:
            place = draw.randrange(len(row))
            yield [*row[:place], draw.choice(("", "x", "-1", "2026-02-30")), *row[place + 1 :]]
        else:
            yield row


def _csv(kind: str, rows: Iterator[Row]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS[kind], *rows])
    return text.getvalue().encode()


def main() -> int:
    """Command line: puts the files of some days into a lake's folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lake", required=True, type=Path, help="the lake's folder")
    parser.add_argument("--start", type=date.fromisoformat, default=FIRST_DAY, help="first day, from 2026-11-01")
    parser.add_argument("--days", type=int, default=1, help="number of days")
    parser.add_argument("--seed", type=int, default=Settings.seed, help="another seed, other files")
    parser.add_argument("--orders", type=int, default=Settings.orders, help="orders a day")
    parser.add_argument("--dirt", type=float, default=Settings.dirt, help="share of broken records")
    options = parser.parse_args()
    if options.start < FIRST_DAY:
        parser.error(f"--start: the shop opened on {FIRST_DAY}")
    how = Settings(seed=options.seed, orders=options.orders, dirt=options.dirt)
    for number in range(options.days):
        for key, content in generate(options.start + timedelta(days=number), how).items():
            path = options.lake / "raw" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
