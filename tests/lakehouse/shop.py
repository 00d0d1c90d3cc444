"""A small declaration in which all is right, and how the reader complains when something isn't."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from lakehouse.declaration import DeclarationError, Pipeline
from lakehouse.reader import parse


def declaration() -> dict[str, Any]:
    """A declaration in which all is right."""
    return {
        "description": "Shop.",
        "bronze": {
            "items": {"description": "B.", "path": "shop/items", "format": "csv", "fields": ["id", "kind", "price"]},
        },
        "silver": {
            "items": {
                "description": "S.",
                "reads": "items",
                "key": ["id"],
                "newest_by": ["price"],
                "columns": [
                    {"name": "id", "type": "string", "required": True, "description": "I."},
                    {"name": "kind", "type": "string", "description": "K."},
                    {"name": "price", "type": "decimal(10,2)", "required": True, "description": "P."},
                ],
                "rules": {"price_in_range": "price >= 0"},
            },
        },
        "gold": {
            "items_by_kind": {
                "description": "G.",
                "reads": ["items"],
                "key": ["kind"],
                "touched_by": {"items": ["kind"]},
                "columns": [
                    {"name": "kind", "type": "string", "description": "K."},
                    {"name": "items", "type": "bigint", "description": "N."},
                ],
            },
        },
    }


NOTHING = object()
"""Set in place of a value: the key is taken away."""


def changed(path: str, value: Any) -> dict[str, Any]:
    """The declaration with another value at a path; digits are places in a list."""
    document = place = declaration()
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    for part in parents:
        place = place[part]
    if value is NOTHING:
        del place[last]  # type: ignore[arg-type]
    else:
        place[last] = value  # type: ignore[index]
    return document


def history(**changes: Any) -> dict[str, Any]:
    """The declaration with a history of the items, and some keys of that table otherwise."""
    document = changed(
        "silver.items.columns.1", {"name": "since", "type": "date", "required": True, "description": "F."}
    )
    document["gold"]["items_by_kind"]["touched_by"]["items"] = "all"
    document["silver"]["items"].update({"history": True, "newest_by": ["since"]} | changes)
    return document


def partitioned() -> dict[str, Any]:
    """The declaration with a silver and a gold table that are partitioned by kind."""
    document = declaration()
    document["silver"]["items"]["partition_by"] = document["gold"]["items_by_kind"]["partition_by"] = ["kind"]
    return document


def with_arrival(kind: str = "timestamp", **others: Any) -> dict[str, Any]:
    """The declaration with a moment of each item, of some type, and an arrival of it."""
    document = declaration()
    moment = {"name": "sold_at", "type": kind, "required": True, "description": "M."}
    document["silver"]["items"]["columns"].append(moment)
    document["silver"]["items"]["arrival"] = {"column": "sold_at", "days": 7} | others
    return document


def with_person(field: str | None, column: str | None) -> dict[str, Any]:
    """The declaration with the field and the column that say whose a record is; None: it doesn't say."""
    document = declaration()
    for layer, name in (("bronze", field), ("silver", column)):
        document[layer]["items"] |= {} if name is None else {"person": name}
    return document


def complaint(document: Any) -> str:
    """What the reader says, the same of YAML as of JSON."""
    errors = []
    for suffix, text in (("yaml", yaml.safe_dump(document, sort_keys=False)), ("json", json.dumps(document))):
        with pytest.raises(DeclarationError) as refused:
            parse("shop", text, f"shop.{suffix}")
        errors.append(str(refused.value))
    file, _, message = errors[0].partition(": ")
    assert file == "shop.yaml"
    assert errors[1] == f"shop.json: {message}"
    return message


def shop() -> Pipeline:
    """The declaration as the reader understands it."""
    return parse("shop", json.dumps(declaration()), "shop.json")
