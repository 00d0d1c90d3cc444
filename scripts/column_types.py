"""Proposes the type of a column from all its values, and writes typed values as a case's files have them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from lakehouse.values import TIMESTAMP
from sample import Number

INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
LEADING_ZERO_OR_PLUS = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT = re.compile(TIMESTAMP, re.ASCII)
LOCAL_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?")
BIGINT = range(-(1 << 63), 1 << 63)
PRECISION, MOST = 18, 38
"""Digits that a decimal is given, since they cost no more than fewer do, and how many it can have."""
FURTHEST = timedelta(hours=18)
"""Offsets beyond this aren't known to Spark."""


def propose_type(values: Iterable[str | None]) -> tuple[str, str]:
    """A type that holds all the values exactly, and a note where a person would expect another one."""
    found = {value for value in values if value is not None}
    if not found:
        return "string", "no value in the sample"
    if all(value.lower() in ("true", "false") for value in found):
        return "boolean", ""
    if all(map(DECIMAL.fullmatch, found)):
        return _number(found)
    if all(map(LEADING_ZERO_OR_PLUS.fullmatch, found)):
        return "string", "leading zeros or plus signs, which a number would lose"
    if all(map(_is_day, found)):
        return "date", ""
    if all(map(_is_moment, found)):
        return "timestamp", ""
    if all(map(LOCAL_TIME.fullmatch, found)):
        return "string", "times without seconds or an offset such as Z, which could be any hour of a day"
    return "string", ""


def _number(found: set[str]) -> tuple[str, str]:
    if all(map(INTEGER.fullmatch, found)):
        fits = all(int(value) in BIGINT for value in found)
        return ("bigint", "") if fits else ("string", "too many digits for a bigint")
    parts = [value.lstrip("-").partition(".") for value in found]
    scale = max(len(fraction) for _, _, fraction in parts)
    precision = max(PRECISION, scale + max(len(whole) for whole, _, _ in parts))
    if precision > MOST:
        return "string", "too many digits for a decimal"
    return f"decimal({precision},{scale})", ""


def _is_day(value: str) -> bool:
    return bool(DAY.fullmatch(value)) and _parses(date.fromisoformat, value)


def _is_moment(value: str) -> bool:
    return bool(MOMENT.fullmatch(value)) and value[11:13] != "24" and _parses(_moment, value)


def _parses(parse: Callable[[str], object], value: str) -> bool:
    try:
        parse(value)
    except (ValueError, OverflowError):
        return False
    return True


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if abs(moment.utcoffset() or timedelta()) > FURTHEST:
        raise ValueError(value)
    return moment.astimezone(UTC)


def typed(value: str | None, kind: str) -> str | None:
    """The value in a column of this type, in DuckDB's spelling."""
    if value is None:
        return None
    if kind == "timestamp":
        return _in_utc(value)
    if kind == "bigint":
        return str(int(value))
    if kind.startswith("decimal"):
        number, scale = Decimal(value), int(kind.rstrip(")").split(",")[1])
        return format(number if number else Decimal(0), f".{scale}f")
    if kind == "boolean":
        return value.lower()
    return value.plain() if isinstance(value, Number) else value


def _in_utc(value: str) -> str:
    text = _moment(value).replace(tzinfo=None).isoformat(sep=" ")
    return f"{text.rstrip('0') if '.' in text else text}+00"
