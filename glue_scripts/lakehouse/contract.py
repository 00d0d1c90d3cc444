"""Columns as they are stored against columns as they are declared: what becomes of each, in words."""

from __future__ import annotations

import re

from pyspark.sql.types import StructType

INTEGERS = ("tinyint", "smallint", "int", "bigint")
FRACTIONS = ("float", "double")
DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
MIGRATE = "; if the declaration is right, `make migrate PIPELINE=name` brings the lake's tables to it"

Columns = tuple[tuple[str, str], ...]
"""Names and types, in order."""


def described(schema: StructType) -> Columns:
    """The columns of a schema."""
    return tuple((field.name, field.dataType.simpleString()) for field in schema.fields)


def changes(before: Columns, now: Columns) -> list[str]:
    """What becomes of each column: added, widened, changed or dropped; nothing when they are alike."""
    old, new = dict(before), dict(now)
    both = [name for name in new if name in old]
    found = [f"added {name} {new[name]}" for name in new if name not in old]
    for name in both:
        if old[name] != new[name]:
            how = "widened" if _is_wider(old[name], new[name]) else "changed"
            found.append(f"{how} {name} {old[name]} -> {new[name]}")
    found += [f"dropped {name} {old[name]}" for name in old if name not in new]
    if both != [name for name in old if name in new]:
        found.append(f"another order: {', '.join(new)}")
    return found


def _is_wider(old: str, new: str) -> bool:
    """Whether each value of the old type is one of the new type."""
    for kinds in (INTEGERS, FRACTIONS):
        if old in kinds and new in kinds:
            return kinds.index(old) < kinds.index(new)
    before, now = DECIMAL.fullmatch(old), DECIMAL.fullmatch(new)
    if not now or not (before or old in DIGITS):
        return False
    whole, fraction = (int(before[1]) - int(before[2]), int(before[2])) if before else (DIGITS[old], 0)
    return int(now[1]) - int(now[2]) >= whole and int(now[2]) >= fraction
