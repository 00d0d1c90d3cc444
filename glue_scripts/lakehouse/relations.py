"""What silver tables say of each other: whether their references fit, and in which order they can be filled."""

from __future__ import annotations

import graphlib
from collections.abc import Mapping

from lakehouse.declaration import SilverTable, Source

PERSONS = ("string", "int", "bigint")
"""Types of what tells persons apart."""


def check_reference(child: SilverTable, parent: str, silver: Mapping[str, SilverTable]) -> str:
    """What is wrong with a reference, in words; nothing when it is right."""
    if parent not in silver:
        return f"is no silver table; known: {', '.join(silver)}"
    if parent == child.name:
        return "a table can't reference itself: its records would wait for each other"
    referenced, names = silver[parent], child.references[parent]
    if referenced.history:
        return f"{parent} is a history: which of its versions a record needs can't be said"
    if names != referenced.key:
        return f"expected the key of {parent}, which is ({', '.join(referenced.key)}), found ({', '.join(names)})"
    here, there = ({column.name: column.type for column in table.columns} for table in (child, referenced))
    differing = [f"{name} is {here[name]} here and {there[name]} in {parent}" for name in names]
    return next((text for name, text in zip(names, differing, strict=True) if here[name] != there[name]), "")


def check_person(table: SilverTable, source: Source) -> str:
    """What is wrong with how a table says whose its rows are, in words; nothing when it is right."""
    if source.person and not table.person:
        return f"missing key: bronze table {source.name}, which it reads, says by {source.person} whose a record is"
    if table.person and not source.person:
        return f"bronze table {source.name}, which it reads, doesn't say whose a record is: it needs a person, too"
    kind = next((column.type for column in table.columns if column.name == table.person), PERSONS[0])
    return "" if kind in PERSONS else f"expected a column of type {', '.join(PERSONS)}; {table.person} is {kind}"


def parents_first(silver: Mapping[str, SilverTable]) -> dict[str, SilverTable] | str:
    """The tables, each after those that it references; or which of them reference each other in a circle."""
    graph: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter(dict.fromkeys(silver, ()))
    for table in silver.values():
        graph.add(table.name, *table.references)
    try:
        return {name: silver[name] for name in graph.static_order()}
    except graphlib.CycleError as error:
        return f"tables reference each other in a circle: {' -> '.join(reversed(error.args[1]))}"
