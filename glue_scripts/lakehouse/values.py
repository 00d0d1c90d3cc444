"""Text to typed values: column functions for silver tables. What would lose something becomes null, and is rejected.

All of text trim white space first; blank text is null. None looks at the clock or at chance.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse.sql_text import literal

WHITE_SPACE = "".join(
    map(chr, [*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000])
)
"""Every character that Unicode calls white space."""
INTEGER = r"^[+-]?\d+$"
EXPONENT = r"^[+-]?(?=\.?\d)\d{0,9}(\.\d{0,9})?[eE][+-]?\d$"
"""A number with an exponent that has no more than 18 places before and behind the point."""
TIMESTAMP = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})$"
LAST_SECOND = 253_402_300_799
"""9999-12-31T23:59:59Z as seconds since 1970."""
MOMENTS = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z")


def text(value: str | Column) -> Column:
    """The field's text without white space around it; null when blank."""
    return F.nullif(_trimmed(value), F.lit(""))


def _trimmed(value: str | Column) -> Column:
    # Not a regular expression: this runs for every value of every record, and trimming is ten times as fast.
    return F.btrim(value, F.lit(WHITE_SPACE))


def integer(name: str, to: str = "bigint") -> Column:
    """A whole number; null for fractions and for numbers beyond the type."""
    value = _trimmed(name)
    number = value.try_cast(to)
    # Spark passes over control characters. The pattern is for the few numbers that aren't written as Spark does.
    return F.when((number.cast("string") == value) | value.rlike(INTEGER), number)


def decimal(name: str, precision: int, scale: int) -> Column:
    """A decimal number; null when it has more places that matter than `scale`: rounding would change it silently."""
    value, kind = _trimmed(name), f"decimal({precision},{scale})"
    fits = value.rlike(rf"^[+-]?(?=\.?\d)0*\d{{0,{precision - scale}}}(\.\d{{0,{scale}}}0*)?$")
    exact = F.when(value.rlike(EXPONENT), value.try_cast("decimal(38,18)"))
    return F.when(fits, value.try_cast(kind)).when(exact == exact.try_cast(kind), exact.try_cast(kind))


def date(name: str) -> Column:
    """A day that exists, written YYYY-MM-DD."""
    value = _trimmed(name)
    day = value.try_cast("date")
    # Spark also reads 2026-1-1, 2026-01-01T10:00, -2026-01-01, and 0000-01-01, a year that there wasn't.
    return F.when((day.cast("string") == value) & (value >= "0001"), day)


def timestamp(name: str) -> Column:
    """A moment in ISO 8601 with seconds and an offset or Z; null without one, since it could be any hour of a day."""
    value = _trimmed(name)
    moment = F.when(value.rlike(TIMESTAMP), value.try_cast("timestamp"))
    # On the first and last day, an offset can lead out of the years that readers know.
    known = moment.between(*(F.lit(each).cast("timestamp") for each in MOMENTS))
    return F.when(value.between("0001-01-02", "9999-12-31") | known, moment)


def epoch_seconds(name: str) -> Column:
    """A moment written as whole seconds since 1970; null beyond the years that readers know."""
    seconds = integer(name)
    return F.timestamp_seconds(F.when(seconds.between(0, LAST_SECOND), seconds))


def spelling(name: str) -> Column:
    """The text in lower case with single spaces: for looking it up among known spellings."""
    return F.regexp_replace(F.lower(text(name)), f"[{WHITE_SPACE}]+", " ")


def lookup(value: Column, names: Mapping[str, str]) -> Column:
    """The name that a spelling stands for; null when it is unknown."""
    # As one text of SQL: a column for each name would be as many conversations with Java.
    return F.expr(f"map({', '.join(literal(part) for pair in names.items() for part in pair)})")[value]


def ratio(total: Column, count: Column, to: str) -> Column:
    """The quotient for a gold table, rounded half away from zero; null when there is nothing to divide by."""
    return F.when(count != 0, total.cast("decimal(28,8)") / F.when(count != 0, count).cast("decimal(20,0)")).cast(to)
