"""The parts of a declaration must fit each other; what doesn't gives one error that names the file and the key."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from lakehouse.declaration import Column
from lakehouse.reader import parse
from tests.lakehouse.shop import changed, complaint, declaration, history, shop, with_person

TYPES = "string, boolean, int, bigint, double, date, timestamp, decimal(p,s)"


def test_a_good_declaration_means_what_it_says() -> None:
    pipeline = shop()
    assert pipeline.name == "shop"
    assert pipeline.bronze["items"].fields == ("id", "kind", "price")
    assert pipeline.bronze["items"].lateness_days is None
    assert pipeline.bronze["items"].archive_days is None
    assert pipeline.silver["items"].columns[2] == Column("price", "decimal(10,2)", "P.", required=True)
    assert pipeline.silver["items"].rules == {"price_in_range": "price >= 0"}
    assert pipeline.gold["items_by_kind"].touched_by == {"items": ("kind",)}


GOOD_TYPES = ["string", "boolean", "int", "bigint", "double", "date", "timestamp"]
GOOD_TYPES += ["decimal(1,0)", "decimal(38,38)", "decimal(10,2)"]


@pytest.mark.parametrize("name", GOOD_TYPES)
def test_a_known_type(name: str) -> None:
    pipeline = parse("shop", json.dumps(changed("silver.items.columns.1.type", name)), "shop.json")
    assert pipeline.silver["items"].columns[1].type == name


BAD_TYPES = ["text", "String", "integer", "long", "float", "array<string>", "decimal", "decimal(10)", "decimal(39,2)"]
BAD_TYPES += ["decimal(2,3)", "decimal(0,0)", "decimal(10, 2)", "string ", "", None, 5, ["string"]]


@pytest.mark.parametrize("name", BAD_TYPES)
@pytest.mark.parametrize("table", ["silver.items", "gold.items_by_kind"])
def test_an_unknown_type(table: str, name: Any) -> None:
    column = "kind" if table == "silver.items" else "items"
    message = complaint(changed(f"{table}.columns.1.type", name))
    assert message == f"{table}.columns.{column}.type: unknown type {name!r}; known: {TYPES}"


@pytest.mark.parametrize("name", ["parquet", "CSV", "", None, ["csv"]])
def test_an_unknown_format(name: Any) -> None:
    message = complaint(changed("bronze.items.format", name))
    assert message == f"bronze.items.format: expected one of csv, json, found {name!r}"


def test_a_source_with_the_name_of_the_run_records() -> None:
    document = declaration()
    document["bronze"]["runs"] = {**document["bronze"]["items"], "path": "shop/runs"}
    assert complaint(document) == "bronze.runs: is what the table of run records is called; choose another name"


@pytest.mark.parametrize("name", ["airflow", None, ["glue_workflow"]])
def test_an_orchestrator_that_does_not_exist(name: Any) -> None:
    message = complaint(changed("orchestrator", name))
    assert message == f"orchestrator: expected one of glue_workflow, step_functions, schedules, found {name!r}"


@pytest.mark.parametrize("days", [0, -1, 1.5, "7", True, [7]])
@pytest.mark.parametrize("key", ["lateness_days", "archive_days"])
def test_what_is_no_number_of_days(key: str, days: Any) -> None:
    message = complaint(changed(f"bronze.items.{key}", days))
    assert message == f"bronze.items.{key}: expected a number of days from 1, found {days!r}"


def test_numbers_of_days() -> None:
    document = changed("bronze.items.lateness_days", 1)
    document["bronze"]["items"]["archive_days"] = 365
    items = parse("shop", json.dumps(document), "shop.json").bronze["items"]
    assert (items.lateness_days, items.archive_days) == (1, 365)


@pytest.mark.parametrize(
    ("form", "value", "said"),
    [
        ("json", "yes", "expected true or false, found 'yes'"),
        ("json", None, "expected true or false, found None"),
        (
            *("csv", True),
            "a stream's records are written one a line, without a header: needs format json, found csv",
        ),
    ],
)
def test_a_stream_that_can_not_be(form: str, value: Any, said: str) -> None:
    document = changed("bronze.items.stream", value)
    document["bronze"]["items"]["format"] = form
    assert complaint(document) == f"bronze.items.stream: {said}"


BAD_PATHS = ["Shop", "/shop", "shop/", "shop//items", "shop/../gold", "shop/a b", "shop/é", "shop/*", "s3://shop"]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_path_that_could_lead_elsewhere(path: str) -> None:
    message = complaint(changed("bronze.items.path", path))
    assert message == f"bronze.items.path: expected a path below raw/ such as retail/orders, found {path!r}"


@pytest.mark.parametrize("path", ["items", "shops/items", "raw/shop/items", "items/shop"])
def test_a_path_that_does_not_begin_with_the_pipelines_name(path: str) -> None:
    message = complaint(changed("bronze.items.path", path))
    assert message == "bronze.items.path: must begin with the pipeline's name: shop/..."


@pytest.mark.parametrize(
    ("first", "second", "inner"),
    [
        ("shop/items", "shop/items", "items"),
        ("shop/items", "shop/items/old", "others"),
        ("shop/items", "shop", "items"),
        ("shop", "shop/items/old", "others"),
    ],
)
def test_paths_that_overlap(first: str, second: str, inner: str) -> None:
    document = changed("bronze.items.path", first)
    document["bronze"]["others"] = {**document["bronze"]["items"], "path": second}
    message = complaint(document)
    assert message == (f"bronze.{inner}.path: lies inside another source's path: its files would be read twice")


def test_paths_with_a_common_beginning_do_not_overlap() -> None:
    document = changed("bronze.others", {**declaration()["bronze"]["items"], "path": "shop/items_old"})
    assert list(parse("shop", json.dumps(document), "shop.json").bronze) == ["items", "others"]


def test_a_source_that_is_unknown() -> None:
    assert complaint(changed("silver.items.reads", "orders")) == "silver.items.reads: 'orders' isn't one of: items"


@pytest.mark.parametrize("key", ["key", "newest_by"])
def test_a_key_that_is_no_column(key: str) -> None:
    message = complaint(changed(f"silver.items.{key}", ["number"]))
    assert message == f"silver.items.{key}: 'number' isn't one of: id, kind, price"


@pytest.mark.parametrize("key", ["key", "newest_by"])
@pytest.mark.parametrize("required", [False, None])
def test_a_key_that_is_not_required(key: str, required: bool | None) -> None:
    document = changed(f"silver.items.{key}", ["kind"])
    if required is not None:
        document["silver"]["items"]["columns"][1]["required"] = required
    message = complaint(document)
    assert message == "silver.items.columns.kind: is part of key or newest_by, so it needs `required: true`"


@pytest.mark.parametrize("value", ["yes", "true", 2, None, []])
def test_required_is_true_or_false(value: Any) -> None:
    message = complaint(changed("silver.items.columns.1.required", value))
    assert message == f"silver.items.columns.kind.required: expected true or false, found {value!r}"


def test_gold_columns_know_no_required() -> None:
    message = complaint(changed("gold.items_by_kind.columns.0.required", True))
    assert message == "gold.items_by_kind.columns.kind.required: unknown key; known here: description, name, type"


@pytest.mark.parametrize("kind", ["date", "timestamp"])
def test_a_history(kind: str) -> None:
    document = history()
    document["silver"]["items"]["columns"][1]["type"] = kind
    items = parse("shop", json.dumps(document), "shop.json").silver["items"]
    assert (items.history, items.identity) == (True, ("id", "since"))
    assert (shop().silver["items"].history, shop().silver["items"].identity) == (False, ("id",))


@pytest.mark.parametrize("value", ["yes", "true", 1, None, []])
def test_history_is_true_or_false(value: Any) -> None:
    assert complaint(history(history=value)) == f"silver.items.history: expected true or false, found {value!r}"


MOMENT = "silver.items.newest_by: is the moment from which a version holds, since this is a history;"


@pytest.mark.parametrize(("newest_by", "found"), [([], "none"), (["since", "price"], "since, price")])
def test_a_history_without_its_one_moment(newest_by: list[str], found: str) -> None:
    assert complaint(history(newest_by=newest_by)) == f"{MOMENT} expected exactly one column, found {found}"


def test_a_history_whose_moment_is_no_time() -> None:
    expected = f"{MOMENT} expected a date or timestamp, found price of type decimal(10,2)"
    assert complaint(history(newest_by=["price"])) == expected


def test_a_history_whose_moment_is_part_of_the_key() -> None:
    expected = f"{MOMENT} since can't be part of the key too: each version would have a key of its own"
    assert complaint(history(key=["id", "since"])) == expected


def related(**references: Any) -> dict[str, Any]:
    """The declaration with a table of kinds, and what tables reference."""
    document = changed("silver.kinds", declaration()["silver"]["items"] | {"key": ["kind"], "newest_by": []})
    document["silver"]["kinds"]["columns"][1]["required"] = True
    for table, named in references.items():
        document["silver"][table]["references"] = named
    return document


def test_references_put_parents_first() -> None:
    assert list(parse("shop", json.dumps(related()), "shop.json").silver) == ["items", "kinds"]
    pipeline = parse("shop", json.dumps(related(items={"kinds": ["kind"]})), "shop.json")
    assert list(pipeline.silver) == ["kinds", "items"]
    assert pipeline.silver["items"].references == {"kinds": ("kind",)}
    assert parse("shop", pipeline.canonical_json(), "shop.json") == pipeline
    assert "references" not in shop().canonical_json()


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        (["kinds"], ": expected a mapping of a silver table to the columns that are its key, found ['kinds']"),
        ({"kind": ["kind"]}, ".kind: is no silver table; known: items, kinds"),
        ({"items": ["id"]}, ".items: a table can't reference itself: its records would wait for each other"),
        ({"kinds": "kind"}, ".kinds: expected a list of names, found 'kind'"),
        ({"kinds": ["sort"]}, ".kinds: 'sort' isn't one of: id, kind, price"),
        ({"kinds": ["id"]}, ".kinds: expected the key of kinds, which is (kind), found (id)"),
        ({"kinds": ["kind", "id"]}, ".kinds: expected the key of kinds, which is (kind), found (kind, id)"),
    ],
)
def test_a_reference_that_does_not_fit(named: Any, problem: str) -> None:
    assert complaint(related(items=named)) == f"silver.items.references{problem}"


def test_a_reference_of_another_type() -> None:
    document = related(items={"kinds": ["kind"]})
    document["silver"]["items"]["columns"][1]["type"] = "int"
    expected = "silver.items.references.kinds: kind is int here and string in kinds"
    assert complaint(document) == expected


def test_a_reference_to_a_history() -> None:
    document = history()
    document["silver"]["kinds"] = declaration()["silver"]["items"] | {"references": {"items": ["id"]}}
    expected = "silver.kinds.references.items: items is a history: which of its versions a record needs can't be said"
    assert complaint(document) == expected


def test_references_in_a_circle() -> None:
    document = related(items={"kinds": ["kind"]}, kinds={"items": ["id"]})
    assert complaint(document) == "silver: tables reference each other in a circle: items -> kinds -> items"


@pytest.mark.parametrize("table", ["silver.items", "gold.items_by_kind"])
def test_a_repeated_column(table: str) -> None:
    column = declaration()["gold"]["items_by_kind"]["columns"][0]
    assert complaint(changed(f"{table}.columns.1", [column, column])) == f"{table}.columns.kind: stands twice"


@pytest.mark.parametrize("value", [None, [], "price >= 0"])
def test_rules_that_are_no_mapping(value: Any) -> None:
    message = complaint(changed("silver.items.rules", value))
    assert message == "silver.items.rules: expected a mapping of rule name to SQL condition (or {})"


def test_no_rules() -> None:
    assert parse("shop", json.dumps(changed("silver.items.rules", {})), "shop.json").silver["items"].rules == {}


@pytest.mark.parametrize(
    "name",
    [
        *("price_missing", "price_invalid", "price", "id_missing", "price_invalid_missing", "waits_for_x"),
        *("price_too_old", "id_in_future"),
    ],
)
def test_a_rule_with_a_reserved_name(name: str) -> None:
    message = complaint(changed(f"silver.items.rules.{name}", "price >= 0"))
    assert message == f"silver.items.rules.{name}: is a name that the engine gives by itself; choose another"


@pytest.mark.parametrize(
    "name",
    [
        "malformed_record",
        "several_records",
        "repeated_field",
        "record_too_large",
        "invalid_utf8",
        "column_count",
        "repeated_header",
    ],
)
def test_a_rule_with_the_name_of_a_reading_problem(name: str) -> None:
    message = complaint(changed(f"silver.items.rules.{name}", "price >= 0"))
    assert message == f"silver.items.rules.{name}: is a name that the engine gives by itself; choose another"


@pytest.mark.parametrize("name", ["Price", "price-range", "price,range", ""])
def test_a_bad_rule_name(name: str) -> None:
    message = complaint(changed("silver.items.rules", {name: "price >= 0"}))
    assert message.startswith(f"silver.items.rules.{name}: expected a name ")


def test_gold_reads_silver() -> None:
    document = changed("gold.items_by_kind.reads", ["items", "orders"])
    assert complaint(document) == "gold.items_by_kind.reads: 'orders' isn't one of: items"


def test_a_gold_key_that_is_no_column() -> None:
    document = changed("gold.items_by_kind.key", ["id"])
    assert complaint(document) == "gold.items_by_kind.key: 'id' isn't one of: kind, items"


def test_touched_by_is_needed_for_each_table_read() -> None:
    assert complaint(changed("gold.items_by_kind.touched_by", {})) == (
        "gold.items_by_kind.touched_by.items: missing key"
    )
    assert complaint(changed("gold.items_by_kind.touched_by", {"items": ["kind"], "orders": "all"})) == (
        "gold.items_by_kind.touched_by.orders: unknown key; known here: items"
    )


def test_touched_by_lies_in_the_key() -> None:
    document = changed("gold.items_by_kind.touched_by.items", ["price"])
    assert complaint(document) == "gold.items_by_kind.touched_by.items: 'price' isn't one of: kind"


def test_touched_by_lies_in_the_silver_columns() -> None:
    document = changed("gold.items_by_kind.key", ["kind", "items"])
    document["gold"]["items_by_kind"]["touched_by"]["items"] = ["items"]
    assert complaint(document) == "gold.items_by_kind.touched_by.items: 'items' isn't one of: id, kind, price"


def test_touched_by_all() -> None:
    document = changed("gold.items_by_kind.touched_by.items", "all")
    gold = parse("shop", json.dumps(document), "shop.json").gold["items_by_kind"]
    assert gold.touched_by == {"items": None}
    assert complaint(changed("gold.items_by_kind.touched_by.items", "every")) == (
        "gold.items_by_kind.touched_by.items: expected a list of names, found 'every'"
    )


def test_one_name_for_silver_and_gold() -> None:
    document = declaration()
    document["gold"]["items"] = document["gold"].pop("items_by_kind")
    assert complaint(document) == "gold.items: a silver table has this name, and both are functions of one script"


def test_an_alias_among_columns() -> None:
    shared = "[&kind [{name: kind, type: string, description: K.}], {name: items, type: bigint, description: N.}]"
    document = declaration()
    document["gold"]["items_by_kind"]["columns"] = "COLUMNS"
    document["gold"]["items_again"] = {**document["gold"]["items_by_kind"], "columns": "AGAIN"}
    text = yaml.safe_dump(document, sort_keys=False)
    text = text.replace("COLUMNS", shared).replace("AGAIN", "[*kind, {name: price, type: int, description: P.}]")
    gold = parse("shop", text, "shop.yaml").gold
    assert [column.name for column in gold["items_by_kind"].columns] == ["kind", "items"]
    assert [column.name for column in gold["items_again"].columns] == ["kind", "price"]
    assert gold["items_again"].columns[0] == shop().gold["items_by_kind"].columns[0]


SAYS_NOT = "bronze table items, which it reads, doesn't say whose a record is: it needs a person, too"
SAYS = "missing key: bronze table items, which it reads, says by id whose a record is"


@pytest.mark.parametrize(
    ("field", "column", "message"),
    [
        (None, "id", f"silver.items.person: {SAYS_NOT}"),
        ("id", None, f"silver.items.person: {SAYS}"),
        ("id", "price", "silver.items.person: expected a column of type string, int, bigint; price is decimal(10,2)"),
        ("id", "ids", "silver.items.person: 'ids' isn't one of: id, kind, price"),
        ("ids", "id", "bronze.items.person: 'ids' isn't one of: id, kind, price"),
    ],
)
def test_a_table_and_its_source_both_say_whose_a_record_is(field: str | None, column: str | None, message: str) -> None:
    assert complaint(with_person(field, column)) == message
