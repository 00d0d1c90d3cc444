"""What a table may say beside its columns is read strictly: partitions, arrival, and what touches a group."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lakehouse.declaration import Arrival, Expectation
from lakehouse.reader import parse
from tests.lakehouse.shop import changed, complaint, history, partitioned, with_arrival


def test_what_is_said() -> None:
    tables = parse("shop", json.dumps(partitioned()), "shop.json")
    assert tables.silver["items"].partition_by == tables.gold["items_by_kind"].partition_by == ("kind",)
    assert parse("shop", json.dumps(with_arrival()), "shop.json").silver["items"].arrival == Arrival("sold_at", 7)
    expected = parse("shop", json.dumps(changed("gold.items_by_kind.expect", {"hours": 26, "rows": 1})), "shop.json")
    assert expected.gold["items_by_kind"].expect == Expectation(26, 1)
    held = {"kind": ["kind", "id"]}
    touched = parse("shop", json.dumps(changed("gold.items_by_kind.touched_by.items", held)), "shop.json")
    assert touched.gold["items_by_kind"].touched_by == {"items": {"kind": ("kind", "id")}}


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("silver.items", ["colour"], "'colour' isn't one of: id, kind, price"),
        ("silver.items", [], "expected a list of names, found []"),
        ("silver.items", ["price"], "expected columns of type string, int, bigint, date; price is decimal(10,2)"),
        ("gold.items_by_kind", ["items"], "'items' isn't one of: kind"),
        ("gold.items_by_kind", ["kind", "kind"], "names repeat: kind, kind"),
    ],
)
def test_partitions_are_columns_that_can_be_folders(path: str, value: Any, problem: str) -> None:
    assert complaint(changed(f"{path}.partition_by", value)) == f"{path}.partition_by: {problem}"


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (with_arrival(days=0), ".days: expected a number of days from 1, found 0"),
        (with_arrival(days=True), ".days: expected a number of days from 1, found True"),
        (with_arrival(column="colour"), ".column: 'colour' isn't one of: id, kind, price, sold_at"),
        (with_arrival(column="kind"), ".column: expected a timestamp with `required: true`; kind is string"),
        (with_arrival("date"), ".column: expected a timestamp with `required: true`; sold_at is date"),
        (with_arrival(hours=1), ".hours: unknown key; known here: column, days"),
    ],
)
def test_an_arrival_is_of_a_moment_that_every_row_has(document: dict[str, Any], problem: str) -> None:
    assert complaint(document) == f"silver.items.arrival{problem}"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"hours": 169, "rows": 1}, ".hours: expected a whole number from 1 to 168, found 169"),
        ({"hours": 0, "rows": 1}, ".hours: expected a whole number from 1 to 168, found 0"),
        ({"hours": 26, "rows": 0}, ".rows: expected a whole number from 1, found 0"),
        ({"hours": 26, "rows": True}, ".rows: expected a whole number from 1, found True"),
        ({"hours": 26}, ".rows: missing key"),
    ],
)
def test_an_expectation_can_be_measured(value: Any, problem: str) -> None:
    assert complaint(changed("gold.items_by_kind.expect", value)) == f"gold.items_by_kind.expect{problem}"


def test_a_history_keeps_what_comes_late() -> None:
    moment = {"name": "since", "type": "timestamp", "required": True, "description": "F."}
    document = history(arrival={"column": "since", "days": 7})
    document["silver"]["items"]["columns"][1] = moment
    assert complaint(document) == (
        "silver.items.arrival: this is a history, which keeps versions however late they come: it can't have an arrival"
    )


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"items": ["id"]}, ": 'items' isn't one of: kind"),
        ({"kind": ["colour"]}, ".kind: 'colour' isn't one of: id, kind, price"),
        ({"kind": "id"}, ".kind: expected a list of names, found 'id'"),
        ({"kind": ["kind", "price"]}, ".kind: price is decimal(10,2) there, and string here"),
        ({}, ": expected a list of names, found []"),
    ],
)
def test_a_group_is_touched_by_columns_of_its_type(value: Any, problem: str) -> None:
    path = "gold.items_by_kind.touched_by.items"
    assert complaint(changed(path, value)) == f"{path}{problem}"
