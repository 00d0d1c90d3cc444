"""Every mistake in the form of a declaration gives one error that names the file and the key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from lakehouse.declaration import DeclarationError
from lakehouse.reader import parse, read
from tests.lakehouse.shop import NOTHING, changed, complaint, declaration

ROOT = Path(__file__).resolve().parents[2]
NAME_RULE = "expected a name (lower case, digits, underscores; at most 63), found"
TABLES = ("bronze.items", "silver.items", "gold.items_by_kind")


LEVELS = [
    ("", "bronze, description, gold, orchestrator, silver"),
    ("bronze.items.", "archive_days, description, fields, format, lateness_days, path, person, stream"),
    (
        "silver.items.",
        "arrival, columns, description, history, key, newest_by, partition_by, person, reads, references, rules",
    ),
    ("silver.items.columns.0.", "description, name, required, type"),
    ("gold.items_by_kind.", "columns, description, expect, key, partition_by, reads, touched_by"),
    ("gold.items_by_kind.columns.0.", "description, name, type"),
]


OPTIONAL = {
    "archive_days",
    "lateness_days",
    "required",
    "name",
    "history",
    "references",
    "orchestrator",
    "person",
    "stream",
}
OPTIONAL |= {"arrival", "expect", "partition_by"}


def shown(path: str) -> str:
    """A path as errors write it: columns by name."""
    return path.replace("silver.items.columns.0", "silver.items.columns.id").replace("columns.0", "columns.kind")


@pytest.mark.parametrize(("level", "known"), LEVELS)
def test_an_unknown_key(level: str, known: str) -> None:
    message = complaint(changed(f"{level}colour", "red"))
    assert message == f"{shown(level)}colour: unknown key; known here: {known}"


@pytest.mark.parametrize(
    ("level", "key"),
    [(level, key) for level, known in LEVELS for key in known.split(", ") if key not in OPTIONAL],
)
def test_a_missing_key(level: str, key: str) -> None:
    assert complaint(changed(f"{level}{key}", NOTHING)) == f"{shown(level)}{key}: missing key"


@pytest.mark.parametrize("table", ["silver.items", "gold.items_by_kind"])
def test_a_column_without_name_is_named_by_its_place(table: str) -> None:
    assert complaint(changed(f"{table}.columns.1.name", NOTHING)) == f"{table}.columns.[1].name: missing key"


@pytest.mark.parametrize(
    ("path", "value"),
    [(table, value) for table in TABLES for value in (None, [], "text", 5)]
    + [("silver.items.columns.1", value) for value in (None, "text", 5, [["kind"]])],
)
def test_something_else_than_a_mapping(path: str, value: Any) -> None:
    message = complaint(changed(path, value))
    assert message.startswith(f"{path.replace('columns.1', 'columns.[1]')}: expected a mapping with ")
    assert message.endswith(f", found {value if value != [['kind']] else ['kind']!r}")


@pytest.mark.parametrize("document", [None, [], "shop", 5])
def test_a_file_without_mapping(document: Any) -> None:
    expected = f"top level: expected a mapping with bronze, description, gold, silver, found {document!r}"
    assert complaint(document) == expected


@pytest.mark.parametrize("value", [{}, None, []])
@pytest.mark.parametrize("section", ["bronze", "silver", "gold"])
def test_a_section_without_tables(section: str, value: Any) -> None:
    assert complaint(changed(section, value)) == f"{section}: expected at least one table"


BAD_NAMES = ["Items", "9items", "_items", "it-ems", "it ems", "", "ä", "x" * 64, "items\n", 5, None, True]


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("table", TABLES)
def test_a_bad_table_name(table: str, name: Any) -> None:
    section, _, old = table.partition(".")
    document = declaration()
    document[section][name] = document[section].pop(old)
    with pytest.raises(DeclarationError) as refused:
        parse("shop", yaml.safe_dump(document), "shop.yaml")
    assert str(refused.value) == f"shop.yaml: {section}.{name}: {NAME_RULE} {name!r}"


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_bad_column_name(name: Any) -> None:
    message = complaint(changed("silver.items.columns.1.name", name))
    assert message == f"silver.items.columns.{name}: {NAME_RULE} {name!r}"


LISTS = [
    ("bronze.items.fields", "id"),
    ("silver.items.key", "id"),
    ("silver.items.newest_by", "price"),
    ("gold.items_by_kind.key", "kind"),
    ("gold.items_by_kind.reads", "items"),
    ("gold.items_by_kind.touched_by.items", "kind"),
]


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize(("path", "good"), LISTS)
def test_a_bad_name_in_a_list(path: str, good: str, name: Any) -> None:
    assert complaint(changed(path, [good, name])) == f"{path}: {NAME_RULE} {name!r}"


@pytest.mark.parametrize(("path", "good"), LISTS)
def test_a_repeated_name(path: str, good: str) -> None:
    assert complaint(changed(path, [good, good])) == f"{path}: names repeat: {good}, {good}"


@pytest.mark.parametrize(
    ("path", "value"),
    [(path, value) for path, _ in LISTS for value in ("id", None, 5)]
    + [(path, {"id": 1}) for path, _ in LISTS if "touched_by" not in path],
)
def test_something_else_than_a_list(path: str, value: Any) -> None:
    assert complaint(changed(path, value)) == f"{path}: expected a list of names, found {value!r}"


@pytest.mark.parametrize(("path", "good"), [each for each in LISTS if "newest_by" not in each[0]])
def test_an_empty_list(path: str, good: str) -> None:
    assert complaint(changed(path, [])) == f"{path}: expected a list of names, found []"


def test_newest_by_may_be_empty() -> None:
    pipeline = parse("shop", json.dumps(changed("silver.items.newest_by", [])), "shop.json")
    assert pipeline.silver["items"].newest_by == ()


@pytest.mark.parametrize("value", [[], None, "id", {}])
@pytest.mark.parametrize("table", ["silver.items", "gold.items_by_kind"])
def test_a_table_without_columns(table: str, value: Any) -> None:
    expected = f"{table}.columns: expected a list of columns; the order is part of the contract"
    assert complaint(changed(f"{table}.columns", value)) == expected


@pytest.mark.parametrize(
    ("path", "value"),
    [(f"{table}.description", value) for table in TABLES for value in ("", " ", None, 5, ["B."])]
    + [("description", ""), ("silver.items.columns.1.description", " "), ("silver.items.rules.price_in_range", "")],
)
def test_a_text_that_is_none(path: str, value: Any) -> None:
    place = path.replace("columns.1", "columns.kind")
    assert complaint(changed(path, value)) == f"{place}: expected a text, found {value!r}"


@pytest.mark.parametrize("name", ["9", "x" * 64])
def test_a_bad_file_name(name: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        parse(name, json.dumps(changed("bronze.items.path", f"{name}/items")), f"{name}.json")
    assert str(refused.value) == f"{name}.json: name: {NAME_RULE} {name!r}"


def test_no_json() -> None:
    with pytest.raises(DeclarationError, match=r"shop\.json: top level: not JSON: "):
        parse("shop", "{", "shop.json")


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "\t- x", "a: &b *b", "!!python/object:os.system {}", "a: \x07"])
def test_no_yaml(text: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        parse("shop", text, "shop.yaml")
    assert str(refused.value).startswith("shop.yaml: top level: not YAML: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_file(text: str) -> None:
    with pytest.raises(DeclarationError, match=r"shop\.yaml: top level: expected a mapping with .*, found None"):
        parse("shop", text, "shop.yaml")


REPEATED = {
    "description: Shop.\ndescription: Shop.\n": "description",
    "silver:\n  items: {}\n  items: {}\n": "items",
    "bronze: {items: {path: a, path: b}}\n": "path",
    "silver: {items: {columns: [{name: a, name: b}]}}\n": "name",
}


@pytest.mark.parametrize(("text", "key"), REPEATED.items())
def test_a_repeated_key(text: str, key: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        parse("shop", text, "shop.yaml")
    assert str(refused.value).startswith(f"shop.yaml: top level: not YAML: key '{key}' stands twice in ")


def test_the_movies_are_read_from_their_file() -> None:
    movies = read(ROOT / "glue_scripts" / "pipelines" / "movies.yaml")
    assert movies.name == "movies"
    assert list(movies.gold) == ["movies_by_genre", "movies_by_studio", "movies_by_release_year"]
