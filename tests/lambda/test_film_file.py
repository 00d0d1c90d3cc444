"""A day's file: the same bytes whenever it is made, and versions of films of earlier days."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

import generate_movies
from film_settings import Settings
from generate_movies import generate, generate_counted, key, write

FIRST, SECOND, THIRD = date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3)
CLEAN = Settings(movies=200, dirt={})
SCRIPT = Path(generate_movies.__file__)


def films(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.decode().split("\n") if line.strip()]


def test_the_bytes_of_a_small_setting_never_change() -> None:
    """Another version of Faker may change them: then every file changes, and so may this hash."""
    data = generate(SECOND, Settings(seed=7, movies=300))
    assert hashlib.sha256(data).hexdigest() == "0a132b03034d3af95e0efa3d2be355e2d659c45ca8554854c67bef4f4b1a7538"


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_another_process_makes_the_same_bytes(hash_seed: str) -> None:
    code = (
        "import hashlib; from datetime import date; from generate_movies import Settings, generate;"
        "print(hashlib.sha256(generate(date(2026, 11, 3), Settings(movies=300))).hexdigest())"
    )
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(SCRIPT.parent)}
    printed = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert printed.stdout.strip() == hashlib.sha256(generate(THIRD, Settings(movies=300))).hexdigest()


def test_the_order_of_calls_does_not_matter() -> None:
    third, second = generate(THIRD, Settings(movies=50)), generate(SECOND, Settings(movies=50))
    assert (second, third) == (generate(SECOND, Settings(movies=50)), generate(THIRD, Settings(movies=50)))


def test_another_seed_or_day_makes_other_films() -> None:
    files = [
        generate(FIRST, CLEAN),
        generate(FIRST, Settings(seed=8, movies=200, dirt={})),
        generate(SECOND, CLEAN),
    ]
    titles = [[film["title"] for film in films(data)][:200] for data in files]
    assert titles[0] != titles[1] != titles[2] != titles[0]


def test_a_larger_file_starts_with_the_films_of_a_smaller_one() -> None:
    assert generate(FIRST, Settings(movies=90)).startswith(generate(FIRST, Settings(movies=40)))


def test_write_streams_the_same_bytes() -> None:
    stream = BytesIO()
    summary = write(SECOND, CLEAN, stream)
    assert stream.getvalue() == generate(SECOND, CLEAN)
    assert summary.bytes == len(stream.getvalue())


def test_the_key_names_the_day() -> None:
    assert key(date(2026, 1, 9)) == "raw/movies/2026/01/09/movies-2026-01-09.jsonl"


def history() -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """The films of two days by id, and what the third day says about them."""
    settings = Settings(movies=400, corrections=0.5, dirt={"stale": 0.5})
    first, second, third = (films(generate(day, settings)) for day in (FIRST, SECOND, THIRD))
    new = {film["movie_id"]: film for film in first}
    new |= {film["movie_id"]: film for film in second if film["movie_id"].startswith("mv-20261102")}
    return new, [film for film in third if not film["movie_id"].startswith("mv-20261103")]


def test_corrections_are_newer_versions_of_earlier_films() -> None:
    known, said = history()
    assert all(film["movie_id"] in known for film in said)
    pairs = [(known[film["movie_id"]], film) for film in said if "2026-11-03" in film["updated_at"]]
    assert 150 < len(pairs) < 250
    for before, after in pairs:
        assert datetime.fromisoformat(before["updated_at"]) < datetime.fromisoformat(after["updated_at"])
    for name in ("genre", "studio", "release_date", "box_office"):
        assert any(before.get(name) != after.get(name) for before, after in pairs)
        assert name == "box_office" or any(before[name] == after[name] for before, after in pairs)


def test_stale_films_are_old_versions_or_the_same_again() -> None:
    known, said = history()
    again = [film for film in said if film == known[film["movie_id"]]]
    older = [
        film
        for film in said
        if datetime.fromisoformat(film["updated_at"]) < datetime.fromisoformat(known[film["movie_id"]]["updated_at"])
    ]
    assert 60 < len(again) < 140
    assert 60 < len(older) < 140


def test_a_film_sent_again_is_byte_for_byte_what_was_sent() -> None:
    """Films that had dirt are never sent again as if they hadn't."""
    settings = Settings(movies=400, corrections=0, dirt={"title_missing": 0.5, "stale": 1})
    first = set(generate(FIRST, settings).split(b"\n"))
    second = [line for line in generate(SECOND, settings).split(b"\n") if b'"mv-20261101-' in line]
    again = [line for line in second if line in first]
    assert 50 < len(again) < 150
    same_moment = [film for film in films(b"\n".join(second)) if "2026-11-01" in film["updated_at"]]
    assert len(same_moment) == len(again)


def test_the_first_day_has_nothing_to_correct() -> None:
    _, summary = generate_counted(FIRST, Settings(movies=100, corrections=1, dirt={"stale": 1}))
    assert not summary.planted
