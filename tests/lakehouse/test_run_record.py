"""The record of a run tells what went in and came out, and is a row of a table with declared columns."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from operator import itemgetter
from types import SimpleNamespace
from typing import Any, cast

import pytest

import query
from json_tables import RUN_RECORD
from lakehouse.delta_log import Commit
from lakehouse.gold import GoldHop, changed_rows
from lakehouse.run_record import key, row_counts, run_id
from tests.conftest import LAYERS, Lake

COLUMNS = [each["name"] for each in json.loads(RUN_RECORD.read_text(encoding="utf-8"))]


def test_rows_in_and_out_of_two_days(second_day: dict[str, Lake]) -> None:
    lake = second_day["done"]
    counted = ("rows_in", "rows_out", "rows_rejected", "late_files")
    found = {layer: [tuple(record[name] for name in counted) for record in lake.records(layer)] for layer in LAYERS}
    gold = [record["refreshed"] for record in lake.records("gold")]
    # Each gold table takes what silver has got: 20 films, then 9. It has a row per genre, studio or year.
    assert [[table["rows_in"] for table in tables] for tables in gold] == [[20] * 3, [9] * 3]
    assert [[table["rows_out"] for table in tables] for tables in gold] == [[4, 3, 5]] * 2
    assert found == {
        "bronze": [(21, 21, 0, 0), (13, 13, 0, 0)],
        "silver": [(21, 20, 1, 0), (13, 9, 2, 0)],
        "gold": [(60, 12, 0, 0), (27, 12, 0, 0)],
    }


def test_every_record_is_a_row_of_the_declared_table(second_day: dict[str, Lake]) -> None:
    lake = second_day["done"]
    records = [record for layer in LAYERS for record in lake.records(layer)]
    assert [set(record) for record in records] == [set(COLUMNS)] * len(records)
    answer = query.query(query.connect(lake.root), "select * from oakvale_bronze.runs")
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    assert sorted(rows, key=itemgetter("run_id")) == sorted(records, key=itemgetter("run_id"))
    assert len(rows) == 6


def account(*equations: tuple[str, dict[str, int], dict[str, int]]) -> dict[str, Any]:
    """An account with these equations."""
    return {"equations": [{"name": name, "left": left, "right": right} for name, left, right in equations]}


@pytest.mark.parametrize(
    ("equations", "expected"),
    [
        ([], (0, 0, 0, 0)),
        # Records that are taken up again are read too.
        ([("read", {"read": 7, "reopened": 2}, {"entered": 6, "rejected": 3})], (9, 0, 3, 0)),
        ([("read", {"read": 7}, {"entered": 3, "rejected": 2, "waiting": 2})], (7, 0, 2, 2)),
        ([("keys", {"keys": 6}, {"inserted": 1, "updated": 2, "stale": 3})], (0, 3, 0, 0)),
        ([("bronze rows", {"bronze rows": 9}, {"rows before": 4, "records in files": 6})], (6, 5, 0, 0)),
    ],
)
def test_rows_follow_from_the_equations(equations: list[Any], expected: tuple[int, ...]) -> None:
    once, twice = (row_counts([account(*equations)] * times, []) for times in (1, 2))
    assert tuple(once.values()) == expected
    assert tuple(twice.values()) == tuple(2 * count for count in expected)


@pytest.mark.parametrize(
    ("operation", "metrics", "rows"),
    [
        ("WRITE", {"numOutputRows": 7}, 7),
        ("MERGE", {"numOutputRows": 9, "numTargetRowsInserted": 2, "numTargetRowsUpdated": 3}, 5),
        ("MERGE", {}, 0),
        ("CREATE TABLE", {}, 0),
    ],
)
def test_rows_that_a_commit_has_written(operation: str, metrics: dict[str, int], rows: int) -> None:
    assert Commit(1, operation, {}, metrics, {}, None).rows_written == rows


@pytest.mark.parametrize(
    ("before", "rows"),
    [
        (None, 7),  # the first time
        ({"movies": {"id": "a", "version": 1}}, 4),
        ({"movies": {"id": "a", "version": 2}}, 0),
        ({"movies": {"id": "another", "version": 2}}, 7),  # silver was built anew
    ],
)
def test_rows_that_an_input_has_got_since_the_hop_before(before: dict[str, Any] | None, rows: int) -> None:
    def hop(inputs: dict[str, Any]) -> Commit:
        return Commit(9, "MERGE", {}, {}, {"inputs": inputs}, None)

    written = [Commit(version, "WRITE", {}, {"numOutputRows": 2 + version}, {}, None) for version in (1, 2, 3)]
    table = SimpleNamespace(hops_after=lambda version: [commit for commit in written if commit.version > version])
    done = SimpleNamespace(inputs={"movies": table}, versions={"movies": 2})
    newest = hop(before) if before else None
    assert changed_rows(cast(GoldHop, done), newest, hop({"movies": {"id": "a", "version": 2}})) == rows


def test_names_of_a_run_and_its_record() -> None:
    began, ended = datetime(2026, 11, 1, 23, 59, 58, tzinfo=UTC), datetime(2026, 11, 2, 0, 1, tzinfo=UTC)
    name = run_id(began, "jr_1")
    assert name == "20261101T235958Z-02fe8c58"
    record = {"pipeline": "movies", "layer": "gold", "run_id": name}
    assert key(record, ended) == f"runs/movies/gold/2026/11/02/{name}.json"
