"""Types and values as Athena's API and result files write them."""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal
from typing import Any

# DuckDB's name of a type -> Athena's name, precision and scale.
TYPES = {
    "BOOLEAN": ("boolean", 0, 0),
    "TINYINT": ("tinyint", 3, 0),
    "SMALLINT": ("smallint", 5, 0),
    "INTEGER": ("integer", 10, 0),
    "BIGINT": ("bigint", 19, 0),
    "HUGEINT": ("bigint", 19, 0),  # a sum of BIGINT: for Athena that is a bigint again
    "FLOAT": ("float", 17, 0),
    "DOUBLE": ("double", 17, 0),
    "VARCHAR": ("varchar", 2147483647, 0),
    "BLOB": ("varbinary", 1073741824, 0),
    "DATE": ("date", 0, 0),
    "TIME": ("time", 3, 0),
    "TIMESTAMP": ("timestamp", 3, 0),
    "TIMESTAMP WITH TIME ZONE": ("timestamp with time zone", 3, 0),
    "JSON": ("json", 0, 0),
}
DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")


def column_info(name: str, duckdb_type: str) -> dict[str, Any]:
    """A column as GetQueryResults describes it."""
    kind, precision, scale = _type(duckdb_type)
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": kind,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind == "varchar",
    }


def _type(duckdb_type: str) -> tuple[str, int, int]:
    if duckdb_type.endswith("]"):
        return "array", 0, 0
    if duckdb_type.startswith("MAP("):
        return "map", 0, 0
    if duckdb_type.startswith("STRUCT("):
        return "row", 0, 0
    if match := DECIMAL.fullmatch(duckdb_type):
        return "decimal", int(match[1]), int(match[2])
    return TYPES.get(duckdb_type, TYPES["VARCHAR"])


def text(value: object) -> str | None:
    """A value as Athena prints it; None for null."""
    return None if value is None else _text(value)


def _text(value: object) -> str:
    match value:
        case None:
            return "null"  # inside of an array, map or row
        case bool():
            return str(value).lower()
        case float():
            return _double(value)
        case Decimal():
            return f"{value:f}"
        case dt.datetime():
            moment = value.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")
            return moment if value.tzinfo is None else f"{moment} UTC"  # DuckDB's session runs in UTC
        case dt.time():
            return value.isoformat(timespec="milliseconds")
        case bytes():
            return value.hex(" ")
        case list():
            return f"[{', '.join(map(_text, value))}]"
        case dict():
            return "{" + ", ".join(f"{_text(key)}={_text(each)}" for key, each in value.items()) + "}"
        case _:
            return str(value)


def _double(value: float) -> str:
    """A double as Java writes it: with an exponent below 0.001 and from ten million on."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, _ = Decimal(repr(value)).normalize().as_tuple()
    mantissa = "".join(map(str, digits))
    exponent = Decimal(repr(value)).adjusted()
    return f"{'-' if sign else ''}{mantissa[0]}.{mantissa[1:] or '0'}E{exponent}"
