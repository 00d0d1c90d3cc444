"""Every mistake of a pipeline is one error that names the file and the key, before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.lakehouse.shop import changed, declaration

import pipeline_checks
from lakehouse.declaration import DeclarationError

RULE = "silver.items.rules.price_in_range"
FIELDS = "_record.id, _record.kind, _record.price"
KNOWN = f"id, kind, price, {FIELDS}, _record._extra, _record._problem, _record._original, _record._record_id, "
KNOWN += "_record._file, _record._batch, _record._ingested_at"
AGAIN = "gives another value in another run; take it from a field of the record"
SCRIPT = """
from pyspark.sql import functions as F


def items(bronze):
    return bronze


def items_by_kind(items):
    return items.groupBy("kind").count()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good pipeline."""
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "__pycache__").mkdir()
    write(tmp_path, declaration())
    (tmp_path / "shop.py").write_text(SCRIPT)
    return tmp_path


def write(folder: Path, document: dict[str, Any]) -> None:
    """Writes the declaration."""
    (folder / "shop.yaml").write_text(yaml.safe_dump(document, sort_keys=False))


def complaint(folder: Path) -> str:
    """The one mistake that is found."""
    with pytest.raises(DeclarationError) as refused:
        pipeline_checks.check_all(folder)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_good_pipeline(folder: Path) -> None:
    assert [pipeline.name for pipeline in pipeline_checks.check_all(folder)] == ["shop"]


def test_pipelines_in_the_order_of_names(folder: Path) -> None:
    for name in ("a_shop", "z_shop"):
        document = changed("bronze.items.path", name)
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(document))
        (folder / f"{name}.py").write_text(SCRIPT)
    assert [pipeline.name for pipeline in pipeline_checks.check_all(folder)] == ["a_shop", "shop", "z_shop"]


GOOD_RULES = [
    "price >= 0",
    "price between 0 and 10 or kind = 'free'",
    "not (price is null)",
    "length(kind) > 1 and upper(kind) <> 'X'",
    "kind in ('a', 'b')",
    "kind rlike '^[a-z]+$'",
    "kind like 'a%'",
    "contains(kind, 'a')",
    "if(kind = 'free', price = 0, true)",
    "case when kind = 'free' then price = 0 else price > 0 end",
    "coalesce(price > 0, false)",
    "_record.price is not null",
    "try_cast(_record.price as decimal(10,2)) = price",
    "_record._extra['colour'] = 'red'",
    "cast(_record._ingested_at as date) > date'2020-01-01'",
    "try_to_date(kind, 'yyyy') is null",
    "unix_timestamp(kind) > 1",
    "true",
]


@pytest.mark.parametrize("rule", GOOD_RULES)
def test_a_good_rule(folder: Path, rule: str) -> None:
    write(folder, changed(RULE, rule))
    assert pipeline_checks.check_all(folder)[0].silver["items"].rules == {"price_in_range": rule}


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("price >", "not SQL near '>'"),
        ("price >= 0 price", "not SQL near 'price'"),
        ("(price >= 0", "not SQL near '0'"),
        ("kind = 'a", 'not SQL near "kind = \'a"'),
        ("select price > 0", "not SQL near 'select'"),
        ("drop table items", "not SQL near 'drop'"),
        ("price >= 0 as good", "not SQL near 'as'"),
        ("price > 0; price < 1", "not a condition on one record: price > 0; price < 1"),
        ("(select max(price) from items) > 1", "not a condition on one record: "),
        ("exists (select 1)", "not a condition on one record: "),
        ("price in (select 1)", "not a condition on one record: "),
        ("count(*) > 1", "not a condition on one record: COUNT(*)"),
        ("sum(price) over (partition by kind) > 1", "not a condition on one record: "),
        ("price > ?", "not a condition on one record: ?"),
        ("explode(_record._extra) = 1", "not a condition on one record: EXPLODE(_record._extra)"),
        ("prize > 0", f"unknown column prize; known: {KNOWN}"),
        ("Price > 0", f"unknown column Price; known: {KNOWN}"),
        ("items.price > 0", f"unknown column items.price; known: {KNOWN}"),
        ("_record.prize > 0", f"unknown column _record.prize; known: {KNOWN}"),
        ("_record is not null", f"unknown column _record; known: {KNOWN}"),
        ("_ingested_at > date'2020-01-01'", f"unknown column _ingested_at; known: {KNOWN}"),
        ("lenght(kind) > 1", "unknown function lenght()"),
        ("price", "expected a condition, found a value of type decimal(10, 2)"),
        ("price + 1", "expected a condition, found a value of type "),
        ("kind", "expected a condition, found a value of type string"),
        ("'true'", "expected a condition, found a value of type string"),
        ("upper(kind)", "expected a condition, found a value of type string"),
        ("now() > date'2020-01-01'", f"now() {AGAIN}"),
        ("price > 0 and current_date > date'2020-01-01'", f"current_date() {AGAIN}"),
        ("price > rand()", f"rand() {AGAIN}"),
        ("uuid() = kind", f"uuid() {AGAIN}"),
    ],
)
def test_a_bad_rule(folder: Path, rule: str, problem: str) -> None:
    write(folder, changed(RULE, rule))
    message = complaint(folder)
    if problem.endswith(" "):
        assert message.startswith(f"shop.yaml: {RULE}: {problem}")
    else:
        assert message == f"shop.yaml: {RULE}: {problem}"


@pytest.mark.parametrize("name", ["shop.yml", "shop.json", "notes.md", "other.txt"])
def test_a_file_that_nothing_reads(folder: Path, name: str) -> None:
    (folder / name).write_text("")
    assert complaint(folder) == f"{name}: a pipeline is a pair of files, <name>.yaml and <name>.py"


def test_a_declaration_without_script(folder: Path) -> None:
    (folder / "shop.py").unlink()
    assert complaint(folder) == "shop.yaml: there is no shop.py beside it"


def test_a_script_without_declaration(folder: Path) -> None:
    (folder / "shop.yaml").unlink()
    assert complaint(folder) == "shop.py: there is no shop.yaml beside it"


def test_a_mistake_in_the_declaration(folder: Path) -> None:
    write(folder, changed("gold.items_by_kind.colour", "red"))
    known = "columns, description, expect, key, partition_by, reads, touched_by"
    assert complaint(folder) == f"shop.yaml: gold.items_by_kind.colour: unknown key; known here: {known}"


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (SCRIPT.replace("(bronze)", "(bronze"), "line 5: not Python: '(' was never closed"),
        (SCRIPT.replace("pyspark.sql", "pyspark.sequel"), "top level: can't be imported: ModuleNotFoundError: "),
        (SCRIPT + "\nX = 1 / 0\n", "top level: can't be imported: ZeroDivisionError: division by zero"),
        (
            SCRIPT.replace("(items)", "(movies)"),
            "items_by_kind: has the parameters (movies), the declaration says (items)",
        ),
        (
            SCRIPT.replace("def items(", "def _items("),
            "items: shop.yaml declares this table, but the script has no function of that name",
        ),
        (SCRIPT.replace("return bronze", "return bronze.sample(0.5)"), f"items: line 6: sample() {AGAIN}"),
        (
            SCRIPT.replace(".count()", ".agg(F.max(F.expr('now()')))"),
            f"items_by_kind: line 10: now() {AGAIN}",
        ),
        ("import random\n" + SCRIPT, f"top level: line 1: import random {AGAIN}"),
    ],
)
def test_a_mistake_in_the_script(folder: Path, script: str, problem: str) -> None:
    (folder / "shop.py").write_text(script)
    message = complaint(folder)
    assert message.startswith(f"shop.py: {problem}")
    assert problem.endswith(" ") or message == f"shop.py: {problem}"
