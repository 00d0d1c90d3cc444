"""Every type and value as Athena prints it; the expected texts are Trino's, and Java's for doubles."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import duckdb
import pytest

from local_cloud.athena_values import column_info, text


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (None, None),
        ("", ""),
        ("null", "null"),
        (True, "true"),
        (0, "0"),
        (Decimal("1E+3"), "1000"),
        (Decimal("6.50"), "6.50"),
        (dt.date(1, 2, 3), "0001-02-03"),
        (dt.datetime(2026, 11, 1), "2026-11-01 00:00:00.000"),
        (dt.datetime(1, 1, 1, 0, 0, 0, 999_999), "0001-01-01 00:00:00.999"),
        (dt.datetime(2026, 11, 1, 8, 5, tzinfo=dt.UTC), "2026-11-01 08:05:00.000 UTC"),
        (dt.time(10, 0, 0, 1500), "10:00:00.001"),
        (b"\x01\xff", "01 ff"),
        ([1, None, "b"], "[1, null, b]"),
        ([], "[]"),
        ({"k": [True], "n": None}, "{k=[true], n=null}"),
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (9999999.0, "9999999.0"),
        (10000000.0, "1.0E7"),
        (-123456789.125, "-1.23456789125E8"),
        (0.001, "0.001"),
        (0.00012, "1.2E-4"),
        (1e300, "1.0E300"),
        (5e-324, "5.0E-324"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_values(value: object, printed: str | None) -> None:
    assert text(value) == printed


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("true", ("boolean", 0, 0)),
        ("1::smallint", ("smallint", 5, 0)),
        ("1", ("integer", 10, 0)),
        ("sum(1::bigint)", ("bigint", 19, 0)),
        ("1.5::decimal(4, 2)", ("decimal", 4, 2)),
        ("1::float", ("float", 17, 0)),
        ("1::double", ("double", 17, 0)),
        ("'a'", ("varchar", 2147483647, 0)),
        ("date '2026-11-01'", ("date", 0, 0)),
        ("timestamp '2026-11-01'", ("timestamp", 3, 0)),
        ("timestamptz '2026-11-01 00:00:00+00'", ("timestamp with time zone", 3, 0)),
        ("time '10:00:00'", ("time", 3, 0)),
        ("'a'::blob", ("varbinary", 1073741824, 0)),
        ("[1.5::decimal(4, 2)]", ("array", 0, 0)),
        ("map {'k': [1]}", ("map", 0, 0)),
        ("{'f': 1}", ("row", 0, 0)),
    ],
)
def test_types(expression: str, expected: tuple[str, int, int]) -> None:
    found = column_info("a", str(duckdb.sql(f"select {expression}").types[0]))
    assert (found["Type"], found["Precision"], found["Scale"]) == expected
    assert found["Name"] == found["Label"] == "a"
    assert found["CaseSensitive"] == (expected[0] == "varchar")
