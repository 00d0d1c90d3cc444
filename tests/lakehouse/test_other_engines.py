"""Every table that Spark wrote is the same to engines that aren't Spark: rows, values and schema."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import deltalake
import pytest

import query
from tests.conftest import Lake

TABLES = (
    "ledger/movies",
    "bronze/movies",
    "silver/movies",
    "quarantine/movies",
    "quarantine_events/movies",
    "gold/movies_by_genre",
    "gold/movies_by_studio",
    "gold/movies_by_release_year",
)


def in_order(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Rows as text, in an order of their own."""
    return sorted(map(repr, rows))


def test_these_are_all_tables(second_day: dict[str, Lake]) -> None:
    assert sorted(second_day["done"].versions()) == sorted(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_delta_rs_and_duckdb_read_what_spark_wrote(name: str, second_day: dict[str, Lake]) -> None:
    path = str(second_day["done"].root / name)
    frame = second_day["done"].spark.read.format("delta").load(path)
    written = in_order(frame.toArrow().to_pylist())
    delta_rs = deltalake.DeltaTable(path)
    assert json.loads(delta_rs.schema().to_json()) == json.loads(frame.schema.json())
    assert in_order(delta_rs.to_pyarrow_table().to_pylist()) == written
    duckdb = query.open_duckdb("delta")
    found = duckdb.execute("FROM delta_scan(?)", [path]).to_arrow_table()
    assert found.column_names == frame.columns
    assert in_order(found.to_pylist()) == written
