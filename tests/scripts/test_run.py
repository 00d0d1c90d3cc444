"""`make run LAKE=folder` runs the layers in their order; a pipeline with a mistake is refused before Spark starts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml
from tests.lakehouse.shop import changed, declaration

import run
import run_report

SCRIPT = """
from pyspark.sql import functions as F


def items(bronze):
    return bronze


def items_by_kind(items):
    return items.groupBy("kind").count()
"""
RULE = "silver.items.rules.price_in_range"
AGAIN = "gives another value in another run; take it from a field of the record"


@pytest.fixture
def layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The layers that have run, none of them really, of a shop in a folder with one raw file."""
    ran: list[str] = []
    (tmp_path / "lake" / "raw").mkdir(parents=True)
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump(declaration(), sort_keys=False))
    (tmp_path / "shop.py").write_text(SCRIPT)
    monkeypatch.setattr(run, "PIPELINES", tmp_path)
    monkeypatch.setattr(run, "prepare_spark", lambda **_: None)
    monkeypatch.setattr(run, "run_layer", lambda pipeline, layer, *_: ran.append(layer))
    monkeypatch.setattr(run_report, "show", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["run.py", "--pipeline", "shop", "--lake", str(tmp_path / "lake")])
    monkeypatch.setenv("COLUMNS", "500")
    return ran


def test_the_layers_run_in_their_order(layers: list[str]) -> None:
    assert run.main() == 0
    assert layers == ["bronze", "silver", "gold"]


def test_a_person_is_named_in_the_environment(
    layers: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What stands on a command line is seen by all who may list processes."""
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--erase"])
    monkeypatch.delenv("GIVEN_PERSON", raising=False)
    with pytest.raises(SystemExit):
        run.main()
    assert "--erase takes the person's id from the environment, as GIVEN_PERSON" in capsys.readouterr().err
    monkeypatch.setenv("GIVEN_PERSON", "123")
    assert run.main() == 0
    assert layers == ["bronze"]
    assert run.steps_of("erase", list_all=False) == [("bronze", ("--mode", "erase", "--person", "123"))]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("shop.yaml", yaml.safe_dump(changed(RULE, "prize >= 0")), f"shop.yaml: {RULE}: unknown column prize; known:"),
        ("shop.yaml", yaml.safe_dump(changed(RULE, "now() > 1")), f"shop.yaml: {RULE}: now() {AGAIN}"),
        (
            "shop.py",
            SCRIPT.replace("return bronze", 'return bronze.withColumn("at", F.now())'),
            f"shop.py: items: line 6: now() {AGAIN}",
        ),
    ],
    ids=["unknown column", "clock in a rule", "clock in a transform"],
)
def test_a_mistake_is_told_before_anything_runs(
    file: str, text: str, message: str, layers: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / file).write_text(text)
    assert run.main() == 1
    assert capsys.readouterr().out.startswith(f"error: DeclarationError: {message}")
    assert layers == []
