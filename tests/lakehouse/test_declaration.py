"""A declaration has one spelling as JSON, and a script fits it or is refused."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from lakehouse.declaration import DeclarationError, Pipeline, check_functions
from lakehouse.reader import parse, read
from tests.lakehouse.shop import changed, declaration, history, partitioned, shop, with_arrival, with_person

PIPELINES = Path(__file__).resolve().parents[2] / "glue_scripts" / "pipelines"


def of(document: dict[str, Any], suffix: str = "json") -> Pipeline:
    """A declaration as the reader understands it."""
    dump = {"json": json.dumps, "yaml": yaml.safe_dump}[suffix]
    return parse("shop", dump(document), f"shop.{suffix}")


def streamed() -> dict[str, Any]:
    """A declaration whose records come through a stream, and whose layers run by the clock."""
    document = changed("orchestrator", "schedules")
    document["bronze"]["items"] |= {"format": "json", "stream": True}
    return document


VARIANTS = {
    "plain": declaration(),
    "lateness": changed("bronze.items.lateness_days", 7),
    "person": with_person("kind", "kind"),
    "archive": changed("bronze.items.archive_days", 365),
    "touched by all": changed("gold.items_by_kind.touched_by.items", "all"),
    "touched by several columns": changed("gold.items_by_kind.touched_by.items", {"kind": ["kind", "id"]}),
    "partitions": partitioned(),
    "arrival": with_arrival(),
    "no rules": changed("silver.items.rules", {}),
    "no newest_by": changed("silver.items.newest_by", []),
    "history": history(),
    "stream": streamed(),
    "other letters": changed("description", 'Läden "und" 店\\n.'),
}


@pytest.mark.parametrize("document", VARIANTS.values(), ids=VARIANTS)
def test_the_canonical_json_means_the_same(document: dict[str, Any]) -> None:
    pipeline = of(document)
    canonical = pipeline.canonical_json()
    assert parse("shop", canonical, "shop.json") == pipeline
    assert parse("shop", canonical, "shop.json").canonical_json() == canonical
    assert parse("shop", canonical, "shop.yaml") == pipeline  # JSON is YAML too


def test_the_movies_survive_as_json() -> None:
    movies = read(PIPELINES / "movies.yaml")
    canonical = movies.canonical_json()
    assert parse("movies", canonical, "movies.json") == movies
    assert list(json.loads(canonical)["gold"]) == list(movies.gold)


def turned_round(value: Any) -> Any:
    """The same document with the keys of every mapping in the other order, unless their order means something."""
    if isinstance(value, dict):
        ordered = set(value) & {"price_in_range", "items"}
        return {key: turned_round(value[key]) for key in (value if ordered else reversed(value))}
    return [turned_round(item) for item in value] if isinstance(value, list) else value


def test_there_is_one_spelling() -> None:
    canonical = shop().canonical_json()
    assert of(declaration(), "yaml").canonical_json() == canonical
    assert of(turned_round(declaration())).canonical_json() == canonical
    explicit = changed("silver.items.columns.1.required", False)
    assert of(explicit).canonical_json() == canonical
    assert of(changed("silver.items.history", False)).canonical_json() == canonical
    assert of(changed("bronze.items.stream", False)).canonical_json() == canonical
    assert json.loads(of(streamed()).canonical_json())["bronze"]["items"]["stream"] is True
    assert of(changed("orchestrator", "glue_workflow")).canonical_json() == canonical
    assert (
        json.loads(of(changed("orchestrator", "step_functions")).canonical_json())["orchestrator"] == "step_functions"
    )


def test_the_canonical_json_itself() -> None:
    document = json.loads(shop().canonical_json())
    expected = declaration()
    for column in (*expected["silver"]["items"]["columns"], *expected["gold"]["items_by_kind"]["columns"]):
        column.setdefault("required", False)
    for column in expected["gold"]["items_by_kind"]["columns"]:
        del column["required"]
    assert document == expected


def test_the_order_of_columns_fields_and_rules_is_kept() -> None:
    document = changed("silver.items.rules", {"z": "price > 1", "a": "price < 9"})
    document["bronze"]["items"]["fields"] = ["price", "id", "kind"]
    canonical = json.loads(of(document).canonical_json())
    assert list(canonical["silver"]["items"]["rules"]) == ["z", "a"]
    assert canonical["bronze"]["items"]["fields"] == ["price", "id", "kind"]
    assert [column["name"] for column in canonical["silver"]["items"]["columns"]] == ["id", "kind", "price"]


def test_letters_stay_letters() -> None:
    assert "Läden" in of(changed("description", "Läden.")).canonical_json()


def script(text: str) -> ModuleType:
    """A pipeline's script."""
    module = ModuleType("shop")
    exec(textwrap.dedent(text), vars(module))
    return module


GOOD = """
    import json
    from pathlib import Path

    def items(bronze): ...

    def items_by_kind(items): ...

    def _inner(anything): ...

    CONSTANT = dict(a=1)
    class Reader: ...
"""


def test_a_script_that_fits() -> None:
    check_functions(shop(), script(GOOD))


def test_functions_of_other_modules_do_not_count() -> None:
    check_functions(shop(), script(GOOD + "\n    from textwrap import dedent\n"))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            GOOD.replace("def items(bronze)", "def _items(bronze)"),
            "shop.py: items: shop.yaml declares this table, but the script has no function of that name",
        ),
        (
            GOOD.replace("def items_by_kind(items): ...", "items_by_kind = 5"),
            "shop.py: items_by_kind: shop.yaml declares this table, but the script has no function of that name",
        ),
        (
            GOOD + "\n    def items_by_price(items): ...",
            "shop.py: items_by_price: shop.yaml declares no table of that name; "
            "begin the name of an inner function with _",
        ),
        (
            GOOD.replace("(bronze)", "()"),
            "shop.py: items: has the parameters (), the declaration says (bronze)",
        ),
        (
            GOOD.replace("(bronze)", "(items)"),
            "shop.py: items: has the parameters (items), the declaration says (bronze)",
        ),
        (
            GOOD.replace("(items)", "(items, orders)"),
            "shop.py: items_by_kind: has the parameters (items, orders), the declaration says (items)",
        ),
    ],
)
def test_a_script_that_does_not_fit(text: str, error: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        check_functions(shop(), script(text))
    assert str(refused.value) == error


def test_parameters_may_stand_in_any_order() -> None:
    document = changed("silver.orders", declaration()["silver"]["items"])
    gold = document["gold"]["items_by_kind"]
    gold["reads"], gold["touched_by"] = ["items", "orders"], {"items": ["kind"], "orders": "all"}
    text = GOOD.replace("(items)", "(orders, items)") + "\n    def orders(bronze): ..."
    check_functions(of(document), script(text))
    with pytest.raises(DeclarationError, match=r"has the parameters \(items\), the declaration says \(items, orders\)"):
        check_functions(of(document), script(text.replace("(orders, items)", "(items)")))


def test_the_movies_fit() -> None:
    from pipelines import movies

    check_functions(read(PIPELINES / "movies.yaml"), movies)
