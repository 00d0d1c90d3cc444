"""Reads what a table may say beside its columns: lateness, partitions, what touches a group, what is expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lakehouse.declaration import Arrival, Column, Expectation, TouchedBy
from lakehouse.place import Place

PARTITION_TYPES = ("string", "int", "bigint", "date")
"""Types whose values name folders, and that Athena reads from such names."""
MOST_HOURS = 168
"""As far back as gold is looked at (lambda/check_gold.py)."""


def read_days(place: Place, value: Any) -> int:
    """A number of days."""
    if type(value) is not int or value < 1:
        raise place.error(f"expected a number of days from 1, found {value!r}")
    return value


def read_arrival(place: Place, value: Any, columns: Mapping[str, Column], *, history: bool) -> Arrival:
    """How late records of a silver table may come."""
    body = place.mapping(value, {"column", "days"})
    (name,) = place.at("column").names([body["column"]], columns)
    column = columns[name]
    if column.type != "timestamp" or not column.required:
        raise place.at("column").error(f"expected a timestamp with `required: true`; {name} is {column.type}")
    if history:
        raise place.error("this is a history, which keeps versions however late they come: it can't have an arrival")
    return Arrival(name, read_days(place.at("days"), body["days"]))


def read_expectation(place: Place, value: Any) -> Expectation:
    """What is expected of a gold table."""
    body = place.mapping(value, {"hours", "rows"})
    for name, most in (("hours", MOST_HOURS), ("rows", None)):
        if type(body[name]) is not int or body[name] < 1 or (most and body[name] > most):
            wanted = f"a whole number from 1{f' to {most}' if most else ''}"
            raise place.at(name).error(f"expected {wanted}, found {body[name]!r}")
    return Expectation(body["hours"], body["rows"])


def read_partition_by(place: Place, value: Any, columns: Mapping[str, Column], among: Iterable[str]) -> tuple[str, ...]:
    """The columns, of some, by which a table is partitioned."""
    names = place.names(value, dict.fromkeys(among))
    for name in names:
        if columns[name].type not in PARTITION_TYPES:
            expected = ", ".join(PARTITION_TYPES)
            raise place.error(f"expected columns of type {expected}; {name} is {columns[name].type}")
    return names


def read_touched_by(
    place: Place, value: Any, key: Mapping[str, Column], columns: Mapping[str, Column]
) -> TouchedBy | None:
    """Which groups of a gold table with this key a changed row touches. `columns`: those of the row's table."""
    if value == "all":
        return None
    if not isinstance(value, dict):
        names = place.names(value, key)
        return place.names(list(names), columns)
    place.names(list(value), key)
    held = {name: place.at(name).names(sources, columns) for name, sources in value.items()}
    for name, sources in held.items():
        for source in sources:
            if columns[source].type != key[name].type:
                raise place.at(name).error(f"{source} is {columns[source].type} there, and {key[name].type} here")
    return held
