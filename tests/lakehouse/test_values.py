"""What each text becomes: one table a function, by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from lakehouse import values

Texts = dict[str | None, Any]

WHITE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2007\u200a\u2028\u2029\u202f\u205f\u3000"
BLANK: Texts = dict.fromkeys([None, "", " ", "\t\r\n", "\xa0\u3000", WHITE])
"""No value, whatever the function."""
TEXT: Texts = {
    "a": "a",
    " a  b ": "a  b",
    f"{WHITE}a{WHITE}": "a",
    "a\nb\n": "a\nb",
    "\u200b": "\u200b",  # a zero-width space isn't white space, says Unicode
    "\ufeffa": "\ufeffa",
    "\x1ca\x00": "\x1ca\x00",
    "NULL": "NULL",
    "0": "0",
    "é😀": "é😀",
}
NO_NUMBER: Texts = {
    **dict.fromkeys(["x", "-", "+", "--1", "+-1", "- 1", "1 2", "1,000", "1_000", "0x1F", "1L", "1d", "1f", "true"]),
    **dict.fromkeys(["NaN", '"NaN"', "nan", "Infinity", "-Infinity", "inf", "\u0663", "\uff11", "\xbd", "\u221e"]),
    **dict.fromkeys(["\ufeff1", "\x001", "1\x00", "1\x1f", "\x011", "\x7f1"]),
    **dict.fromkeys([".", "1.2.3", "$1", "1%", "(1)", "1-", "1e", "e1"]),
}
INTEGER: Texts = {
    "0": 0,
    "-0": 0,
    "7": 7,
    "+7": 7,
    "-7": -7,
    "007": 7,
    " 7 ": 7,
    "\xa07\u3000": 7,
    "2147483647": 2147483647,
    "-2147483648": -2147483648,
    **dict.fromkeys(["1.0", "1.", ".5", "1.5", "1e2", "1E2", "0.0"]),
    **dict.fromkeys(["99999999999999999999", "-99999999999999999999", "9" * 1000]),
    **NO_NUMBER,
}
BIGINT: Texts = {
    **INTEGER,
    "2147483648": 2147483648,
    "9223372036854775807": 9223372036854775807,
    "-9223372036854775808": -9223372036854775808,
    "9223372036854775808": None,
    "-9223372036854775809": None,
}
INT: Texts = {**INTEGER, "2147483648": None, "-2147483649": None}
DECIMAL: Texts = {
    "7": Decimal("7.00"),
    "7.4": Decimal("7.40"),
    "7.40": Decimal("7.40"),
    "7.40000": Decimal("7.40"),
    "+7.4": Decimal("7.40"),
    "-7.45": Decimal("-7.45"),
    "007.4": Decimal("7.40"),
    "7.": Decimal("7.00"),
    ".5": Decimal("0.50"),
    "7.4e0": Decimal("7.40"),
    "74E-1": Decimal("7.40"),
    "9e1": Decimal("90.00"),
    "0e9": Decimal("0.00"),
    ".5E-0": Decimal("0.50"),
    " 7.4 ": Decimal("7.40"),
    "99.99": Decimal("99.99"),
    "-99.99": Decimal("-99.99"),
    f"7.4{'0' * 40}": Decimal("7.40"),
    **dict.fromkeys(["7.405", "7.401", "0.001", "-7.405", "99.995", "99.999", "740.5e-2"]),
    **dict.fromkeys(["100", "-100", "100.0", "1e2", "1e30", "1e999", "9" * 1000]),
    **dict.fromkeys(["7.4000000000000000001", f"7.4{'0' * 40}1", "1e-30"]),
    **NO_NUMBER,
}
WIDE: Texts = {
    "12345678901234567890123456789012345678": Decimal("12345678901234567890123456789012345678"),
    "-99999999999999999999999999999999999999": Decimal("-99999999999999999999999999999999999999"),
    "123456789012345678901": Decimal("123456789012345678901"),
    "123456789012345678901.0": Decimal("123456789012345678901"),
    "123456789012345678901.5": None,
    "123456789012345678901234567890123456789": None,
}
FINE: Texts = {
    "0.12345678901234567890123456789012345678": Decimal("0.12345678901234567890123456789012345678"),
    "0.000000000000000000000000000000000000001": None,
    "1": None,
}
DATE: Texts = {
    "2026-11-01": "2026-11-01",
    " 2026-11-01 ": "2026-11-01",
    "2024-02-29": "2024-02-29",
    "0001-01-01": "0001-01-01",
    "1582-10-04": "1582-10-04",
    "1582-10-10": "1582-10-10",
    "9999-12-31": "9999-12-31",
    **dict.fromkeys(["2026-02-30", "2023-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "0000-00-00", "0000-01-01"]),
    **dict.fromkeys(["2026-1-1", "26-01-01", "2026-11", "2026", "20261101", "2026/11/01", "01.11.2026", "11-01-2026"]),
    **dict.fromkeys(
        ["2026-11-01T00:00:00Z", "2026-11-01 10:00", "2026-11-01x", "+2026-11-01", "-2026-11-01", "+12026-11-01"]
    ),
    **dict.fromkeys(
        ["12026-11-01", "2026-11-1", "\uff12026-11-01", "2026-11-01\x00", "\x012026-11-01", "today", "now", "epoch"]
    ),
}


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


TIMESTAMP: Texts = {
    "2026-11-01T03:12:45Z": at("2026-11-01T03:12:45"),
    " 2026-11-01T03:12:45Z ": at("2026-11-01T03:12:45"),
    "2026-11-01T03:12:45.5Z": at("2026-11-01T03:12:45.500000"),
    "2026-11-01T03:12:45.123456Z": at("2026-11-01T03:12:45.123456"),
    "2026-11-01T03:12:45+00:00": at("2026-11-01T03:12:45"),
    "2026-11-01T03:12:45-00:00": at("2026-11-01T03:12:45"),
    "2026-11-01T03:12:45+02:00": at("2026-11-01T01:12:45"),
    "2026-11-01T03:12:45-05:30": at("2026-11-01T08:42:45"),
    "2026-11-01T03:12:45+14:00": at("2026-10-31T13:12:45"),
    "2026-03-29T02:30:00Z": at("2026-03-29T02:30:00"),
    "0001-01-01T00:00:00Z": at("0001-01-01T00:00:00"),
    **dict.fromkeys(["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"]),
    "9999-12-31T23:59:59.999999Z": at("9999-12-31T23:59:59.999999"),
    **dict.fromkeys(
        ["2026-11-01T03:12:45", "2026-11-01 03:12:45Z", "2026-11-01T03:12Z", "2026-11-01", "2026-11-01T03:12:45z"]
    ),
    **dict.fromkeys(["2026-11-01T24:00:00Z", "2026-11-01T23:60:00Z", "2026-11-01T23:59:60Z", "2026-02-30T00:00:00Z"]),
    **dict.fromkeys(["2026-11-01T03:12:45.1234567Z", "2026-11-01T03:12:45.Z", "2026-11-01T03:12:45,5Z"]),
    **dict.fromkeys(
        [
            "2026-11-01T03:12:45+2:00",
            "2026-11-01T03:12:45+0200",
            "2026-11-01T03:12:45+02:60",
            "2026-11-01T03:12:45+24:00",
        ]
    ),
    **dict.fromkeys(
        [
            "2026-11-01T03:12:45 Z",
            "2026-11-01T03:12:45UTC",
            "2026-11-01T03:12:45[UTC]",
            "T03:12:45Z",
            "1793502765",
            "now",
        ]
    ),
    **dict.fromkeys(
        ["2026-11-01T03:12:45Z\x00", "\x012026-11-01T03:12:45Z", "0000-01-01T00:00:00Z", "12026-11-01T03:12:45Z"]
    ),
}
SPELLING: Texts = {
    "Drama": "drama",
    "  SCIENCE \t\xa0 Fiction ": "science fiction",
    "sci-fi": "sci-fi",
    "ÉTÉ": "été",
    "a\u200bb": "a\u200bb",
}
NAMES = {"drama": "Drama", "darma": "Drama", "": "Nothing", "a'b\\": "Quoted"}
LOOKUP: Texts = {
    "drama": "Drama",
    "darma": "Drama",
    "Drama": None,
    " drama": None,
    "": "Nothing",
    "x": None,
    "a'b\\": "Quoted",
}


def tables() -> dict[str, tuple[Column, Texts]]:
    """Every function with its texts; made when Spark is there."""
    return {
        "trimmed": (values.text("text"), {**BLANK, **TEXT}),
        "trimmed column": (values.text(F.upper("text")), {**BLANK, " a ": "A"}),
        "bigint": (values.integer("text"), {**BLANK, **BIGINT}),
        "int": (values.integer("text", "int"), {**BLANK, **INT}),
        "decimal": (values.decimal("text", 4, 2), {**BLANK, **DECIMAL}),
        "wide decimal": (values.decimal("text", 38, 0), {**BLANK, **WIDE}),
        "fine decimal": (values.decimal("text", 38, 38), {**BLANK, **FINE}),
        "date": (values.date("text").cast("string"), {**BLANK, **DATE}),
        "timestamp": (F.unix_micros(values.timestamp("text")), {**BLANK, **TIMESTAMP}),
        "spelling": (values.spelling("text"), {**BLANK, **SPELLING}),
        "lookup": (values.lookup(F.col("text"), NAMES), {None: None, **LOOKUP}),
    }


@pytest.fixture(scope="module")
def found(spark: SparkSession) -> dict[str, Texts]:
    """What every function makes of every text, in one Spark job."""
    columns = {name: column for name, (column, _) in tables().items()}
    texts = {text for _, expected in tables().values() for text in expected}
    frame = spark.createDataFrame([(text,) for text in texts], "text string")
    rows = frame.select("text", *(column.alias(name) for name, column in columns.items())).collect()
    return {name: {row["text"]: row[name] for row in rows} for name in columns}


NAMES_OF_TABLES = [
    "trimmed",
    "trimmed column",
    "bigint",
    "int",
    "decimal",
    "wide decimal",
    "fine decimal",
    "date",
    "timestamp",
    "spelling",
    "lookup",
]


@pytest.mark.parametrize("name", NAMES_OF_TABLES)
def test_values(found: dict[str, Texts], name: str) -> None:
    expected = tables()[name][1]
    if name == "timestamp":
        expected = {
            text: at and (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
            for text, at in expected.items()
        }
    actual = {text: found[name][text] for text in expected}
    assert {
        text: (actual[text], expected[text]) for text in expected if repr(actual[text]) != repr(expected[text])
    } == {}
