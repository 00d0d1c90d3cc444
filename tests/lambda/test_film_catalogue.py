"""Films without dirt: plausible, and within the contract."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from film_catalogue import GENRES
from film_dirt import MISSPELT_GENRES
from film_settings import Settings
from generate_movies import generate

FIRST, SECOND, THIRD = date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3)

FIELDS = [
    "movie_id", "title", "genre", "studio", "rating", "release_date", "budget", "box_office", "vote_average",
    "vote_count", "runtime_minutes", "updated_at",
]  # fmt: skip


def films(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.decode().split("\n") if line.strip()]


def test_clean_films_keep_the_contract() -> None:
    made = films(generate(FIRST, Settings(movies=2000, dirt={})))
    assert len({film["movie_id"] for film in made}) == 2000
    assert {film["genre"] for film in made} == set(GENRES) == set(MISSPELT_GENRES)
    assert 20 <= len({film["studio"] for film in made}) <= 40
    for film in made:
        assert list(film) == [name for name in FIELDS if name in film]
        assert "1888-01-01" <= film["release_date"] <= "2026-11-01"
        assert 0 <= (film.get("budget") or 0) <= 10**10
        assert 0 <= (film.get("box_office") or 0) <= 10**10
        assert 0 <= (film.get("vote_average") or 0) <= 10
        assert 1 <= (film.get("runtime_minutes") or 1) <= 1000
        moment = datetime.fromisoformat(film["updated_at"])
        assert moment.utcoffset() is not None
        assert moment.timestamp() // 86400 == datetime.fromisoformat("2026-11-01T00:00:00Z").timestamp() // 86400


def test_titles_hold_letters_beyond_ascii_and_quotes() -> None:
    data = generate(FIRST, Settings(movies=2000, dirt={}))
    assert "Çà et là".encode() in data
    assert rb"She Said \"No\"" in data


def test_some_values_are_missing_and_budgets_go_with_box_office() -> None:
    made = films(generate(FIRST, Settings(movies=2000, dirt={})))
    assert any("budget" not in film for film in made)
    assert any(film.get("budget", 0) is None for film in made)
    known = sorted(
        (film["budget"], film["box_office"]) for film in made if film.get("budget") and film.get("box_office")
    )
    half = len(known) // 2
    assert sum(box for _, box in known[half:]) > 3 * sum(box for _, box in known[:half])
