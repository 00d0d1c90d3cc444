"""A declared column list is a contract: a function or a stored table that differs stops the run and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.tables import ContractError
from tests.conftest import LAYERS, Lake
from tests.lakehouse.films import changed_script

pytestmark = pytest.mark.usefixtures("interpreted")
BUDGET = 'values.integer("budget").alias("budget")'
BEST = 'best["title"].alias("best_movie"),'


def published(lake: Lake) -> tuple[dict[str, int], dict[str, object]]:
    """Versions of the tables that hold data, and the gates."""
    versions = {table: version for table, version in lake.versions().items() if not table.startswith("ledger/")}
    return versions, {layer: lake.gate(layer) for layer in LAYERS}


def assert_refused(lake: Lake, layer: str, message: str, script: object = None) -> None:
    """The layer's run fails with this message; no table and no gate changes, but for files noted in the ledger."""
    before = published(lake)
    with pytest.raises(ContractError, match=message):
        lake.run(layer, script=script)
    assert published(lake) == before
    assert lake.records(layer)[-1]["outcome"] == "failed"


@pytest.mark.parametrize(
    ("layer", "right", "wrong", "message"),
    [
        ("silver", f"{BUDGET},", "", r"^silver/movies: the function returns \(movie_id, .*\), expected \(movie_id"),
        ("silver", f"{BUDGET},", f'{BUDGET}, F.lit(1).alias("one"),', r"^silver/movies: .*budget, one, box_office"),
        ("silver", BUDGET, BUDGET.replace('"budget")', '"budget", "int")', 1), r"missing \[budget bigint\], not decl"),
        ("gold", BEST, "", r"^gold/movies_by_genre: .* missing \[best_movie string\], not declared \[\]"),
        ("gold", BEST, f'{BEST} F.lit(1).alias("one"),', r"missing \[\], not declared \[one int\]"),
        ("gold", "profit.alias", 'profit.cast("int").alias', r"missing \[profit bigint\], not declared \[profit int\]"),
    ],
    ids=["silver less", "silver more", "silver type", "gold less", "gold more", "gold type"],
)
def test_a_function_with_other_columns(
    layer: str, right: str, wrong: str, message: str, second_day: dict[str, Lake], tmp_path: Path
) -> None:
    stage = second_day["silver" if layer == "silver" else "done"]
    script = changed_script(tmp_path, (right, wrong))
    assert_refused(stage.copy(tmp_path / "lake"), layer, message, script)


@pytest.mark.parametrize(
    ("layer", "table"), [("bronze", "bronze/movies"), ("silver", "silver/movies"), ("silver", "quarantine/movies")]
)
def test_a_stored_table_with_other_columns(layer: str, table: str, second_day: dict[str, Lake], tmp_path: Path) -> None:
    lake = second_day[layer].copy(tmp_path / "lake")
    lake.spark.sql(f"ALTER TABLE delta.`{lake.root / table}` ADD COLUMN (note string)")
    assert_refused(lake, layer, rf"^{table}: the stored table .* missing \[\], not declared \[note string\]")
