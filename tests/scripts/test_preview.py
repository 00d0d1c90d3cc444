"""`make preview` tells which gold rows other code would change, and changes none."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from rich.console import Console
from tests.conftest import Lake
from tests.lakehouse.films import changed_script

import preview
from preview import SAMPLES, Change

pytestmark = pytest.mark.usefixtures("interpreted")


def test_rows_that_appear_vanish_and_change(
    second_day: dict[str, Lake], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Horror is called Terror, and an opera, a reject so far, is a film."""
    lake = second_day["done"]
    horror = '    "Horror": ("horor", "horrror"),'
    script = changed_script(tmp_path, (horror, '    "Opera": (),\n    "Terror": ("horror",),'))
    monkeypatch.setattr(importlib, "import_module", lambda name: {"pipelines.movies": script}[name])
    before, known = lake.files(), sorted(path.name for path in lake.root.iterdir())
    by_genre, by_studio, by_year = preview.preview("movies", lake.root)
    assert lake.files() == before
    assert sorted(path.name for path in lake.root.iterdir()) == known
    assert by_genre == Change(
        "movies_by_genre",
        {"appears": 2, "vanishes": 1, "changes": 0},
        [("vanishes", "genre=Horror", ""), ("appears", "genre=Opera", ""), ("appears", "genre=Terror", "")],
    )
    assert by_studio.counts == by_year.counts == {"appears": 0, "vanishes": 0, "changes": 1}
    ((kind, row, difference),) = by_studio.samples
    assert (kind, row, difference.split(", ")[0]) == ("changes", "studio=Northlight", "movies: 8 -> 9")


def test_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    changes = [("changes", "genre=Drama", "movies: 1 -> 2"), ("appears", "genre=Opera", "")]
    counts = {"appears": 1, "vanishes": 0, "changes": SAMPLES + 1}
    preview.show(Console(width=200), Change("movies_by_genre", counts, changes))
    assert capsys.readouterr().out.splitlines() == [
        "movies_by_genre: 1 row appears, 0 rows vanish, 21 rows change",
        "  changes: genre=Drama: movies: 1 -> 2",
        "  appears: genre=Opera",
        "  and 2 more",
    ]
