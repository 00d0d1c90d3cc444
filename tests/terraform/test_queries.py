"""The example queries on gold: each says what it answers, and answers that, in Athena's SQL."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import deltalake
import duckdb
import pytest

import query
from lakehouse.reader import read
from tests.terraform.deployment import ROOT, TERRAFORM

FILES = sorted((TERRAFORM / "queries").glob("*/*.sql"))
FIRST, LAST = date(2026, 11, 1), date(2026, 12, 1)
# All columns of each table's rows.
GOLD: dict[str, list[tuple[Any, ...]]] = {
    "sales_by_day_and_department": [
        (FIRST, "dairy", 1, 2, Decimal(5), Decimal(5)),
        (date(2026, 11, 30), "dairy", 1, 1, Decimal(2), Decimal(2)),
        (FIRST, "produce", 1, 4, Decimal(9), Decimal(9)),
        (LAST, "dairy", 1, 1, Decimal(1), Decimal(1)),
    ],
    "product_performance": [
        (1, "Pear", "produce", 5, 1, Decimal("0.2"), Decimal(1)),
        (2, "Plum", "produce", 6, 3, Decimal("0.5"), Decimal(2)),
        (3, "Milk", "dairy", 4, 4, Decimal(1), Decimal(3)),
    ],
    "customer_behaviour": [
        (1, FIRST, date(2026, 11, 20), 2, Decimal(5), Decimal(9), Decimal("4.5")),
        (2, FIRST, date(2026, 11, 21), 2, Decimal(5), Decimal(8), Decimal(4)),
        (3, FIRST, date(2026, 11, 10), 3, Decimal(4), Decimal(30), Decimal(10)),
        (4, LAST, LAST, 1, None, Decimal(7), Decimal(7)),
    ],
    "events_by_day": [
        ("page", FIRST, "viewed", 9, 3),
        ("page", date(2026, 11, 2), "viewed", 4, 3),
        ("page", date(2026, 11, 3), "viewed", 2, 1),
        ("account", FIRST, "created", 1, 1),
        ("account", date(2026, 11, 2), "created", 3, 3),
    ],
    "funnel_by_day": [
        (date(2026, 11, 2), 1, "account:created", 6),
        (date(2026, 11, 2), 2, "lesson:started", 3),
        (date(2026, 11, 8), 1, "account:created", 2),
        (date(2026, 11, 8), 2, "lesson:started", 1),
        (date(2026, 11, 9), 1, "account:created", 1),
        (date(2026, 11, 9), 2, "lesson:started", 0),
    ],
}
ANSWERS: dict[str, list[tuple[Any, ...]]] = {
    "events/events_against_the_day_before": [(date(2026, 11, 2), "page", "viewed", 9, 4)],
    "events/funnel_by_week": [
        (date(2026, 11, 2), 1, "account:created", 8, 1.0),
        (date(2026, 11, 2), 2, "lesson:started", 4, 0.5),
        (date(2026, 11, 9), 1, "account:created", 1, 1.0),
        (date(2026, 11, 9), 2, "lesson:started", 0, 0.0),
    ],
    "retail/customers_overdue": [
        (3, date(2026, 11, 10), 21, Decimal(4), 3, Decimal(30)),
        (1, date(2026, 11, 20), 11, Decimal(5), 2, Decimal(9)),
    ],
    "retail/departments_by_month": [
        (2026, 11, 1, "produce", 4, Decimal(9)),
        (2026, 11, 2, "dairy", 3, Decimal(7)),
        (2026, 12, 1, "dairy", 1, Decimal(1)),
    ],
    "retail/products_bought_again": [
        ("Plum", "produce", 6, 3, Decimal("0.5"), Decimal(2)),
        ("Pear", "produce", 5, 1, Decimal("0.2"), Decimal(1)),
    ],
}


def name(file: Path) -> str:
    """The pipeline and the name of a query."""
    return f"{file.parent.name}/{file.stem}"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with a few rows of gold, written without Spark."""
    folder, connection = tmp_path_factory.mktemp("lake"), duckdb.connect()
    pipelines = [read(ROOT / "glue_scripts" / "pipelines" / f"{name}.yaml") for name in ("events", "retail")]
    declared = {table: each for pipeline in pipelines for table, each in pipeline.gold.items()}
    for table, rows in GOLD.items():
        columns = ", ".join(f"{column.name} {column.type}" for column in declared[table].columns)
        connection.execute(f"CREATE TABLE {table} ({columns})")
        for row in rows:
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
        deltalake.write_deltalake(str(folder / "gold" / table), connection.sql(f"FROM {table}"))
    return folder


def test_every_query_is_asked_here() -> None:
    assert [name(file) for file in FILES] == sorted(ANSWERS)


@pytest.mark.parametrize("file", FILES, ids=name)
def test_a_query_says_what_it_answers_and_answers_it(lake: Path, file: Path) -> None:
    sql = file.read_text(encoding="utf-8")
    assert sql.startswith("-- ")
    assert (ROOT / "glue_scripts" / "pipelines" / f"{file.parent.name}.yaml").exists()
    assert query.query(query.connect(lake), sql).rows == ANSWERS[name(file)]
