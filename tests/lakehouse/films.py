"""Film records for tests, good unless a test says otherwise, and the films' script with mistakes planted."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.pipelines.datasets import load_script

SCRIPT = Path(__file__).resolve().parents[2] / "glue_scripts" / "pipelines" / "movies.py"


def film(number: int, **fields: Any) -> dict[str, Any]:
    """A film whose record passes all checks, apart from the given fields."""
    return {
        "movie_id": f"mv-{number:04d}",
        "title": f"Film {number}",
        "genre": ("Drama", "Crime", "Comedy", "Horror")[number % 4],
        "studio": ("Northlight", "Harbour", "Meridian")[number % 3],
        "rating": "PG",
        "release_date": f"{2000 + number % 5}-05-04",
        "budget": 1_000_000 + number,
        "box_office": 2_500_000 + number,
        "vote_average": 5 + number % 5,
        "vote_count": 10 + number,
        "runtime_minutes": 100,
        "updated_at": "2026-11-01T00:00:00Z",
        **fields,
    }


def jsonl(*films: dict[str, Any] | str) -> bytes:
    """A raw file: one line per film; a text is a line as it stands."""
    lines = (each if isinstance(each, str) else json.dumps(each) for each in films)
    return "".join(f"{line}\n" for line in lines).encode()


def changed_script(folder: Path, *changes: tuple[str, str]) -> ModuleType:
    """The pipeline's script with some of its text replaced; each text must be there exactly once."""
    text = SCRIPT.read_text(encoding="utf-8")
    for right, wrong in changes:
        assert text.count(right) == 1, right
        text = text.replace(right, wrong)
    file = folder / "changed_movies.py"
    file.write_text(text, encoding="utf-8")
    return load_script(file)
