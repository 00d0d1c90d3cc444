"""`make preview` tells which gold rows other code would change, and changes none."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

import preview
from lakehouse import job
from lakehouse.tables import ContractError
from preview import SAMPLES, Change
from tests.conftest import Lake
from tests.lakehouse.films import changed_script

pytestmark = pytest.mark.usefixtures("interpreted")


def test_new_gone_and_changed_rows(
    second_day: dict[str, Lake], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Horror is called Terror, and an opera, a reject so far, is a film."""
    lake = second_day["done"]
    horror = '    "Horror": ("horor", "horrror"),'
    script = changed_script(tmp_path, (horror, '    "Opera": (),\n    "Terror": ("horror",),'))
    monkeypatch.setitem(sys.modules, "pipelines.movies", script)
    before, known = lake.files(), sorted(path.name for path in lake.root.iterdir())
    by_genre, by_studio, by_year = preview.preview("movies", lake.root)
    assert lake.files() == before
    assert sorted(path.name for path in lake.root.iterdir()) == known
    assert by_genre == Change(
        "movies_by_genre",
        {"new": 2, "gone": 1, "changed": 0},
        [("gone", "genre=Horror", ""), ("new", "genre=Opera", ""), ("new", "genre=Terror", "")],
    )
    assert by_studio.counts == by_year.counts == {"new": 0, "gone": 0, "changed": 1}
    ((kind, row, difference),) = by_studio.samples
    assert (kind, row, difference.split(", ")[0]) == ("changed", "studio=Northlight", "movies: 8 -> 9")


def test_other_fields_are_told_by_name(second_day: dict[str, Lake], monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = job.find_declaration("movies")
    source = pipeline.bronze["movies"]
    fields = tuple("country" if name == "studio" else name for name in source.fields)
    changed = replace(pipeline, bronze={"movies": replace(source, fields=fields)})
    monkeypatch.setattr(job, "find_declaration", lambda name: changed)
    told = r"^bronze/movies: .*: missing \[country string\], not declared \[studio string\]; .*make replay"
    with pytest.raises(ContractError, match=told):
        list(preview.preview("movies", second_day["done"].root))


def test_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    changes = [("changed", "genre=Drama", "movies: 1 -> 2"), ("new", "genre=Opera", "")]
    counts = {"new": 1, "gone": 0, "changed": SAMPLES + 1}
    preview.show(Console(width=200), Change("movies_by_genre", counts, changes))
    assert capsys.readouterr().out.splitlines() == [
        "movies_by_genre: 1 new, 0 gone, 21 changed rows",
        "  changed: genre=Drama: movies: 1 -> 2",
        "  new: genre=Opera",
        "  and 2 more",
    ]
