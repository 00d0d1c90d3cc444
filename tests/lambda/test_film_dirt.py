"""Dirt: each kind is there at its rate, counted, and looks as it should."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from film_catalogue import GENRES
from film_dirt import FILM_KINDS, KINDS, MISSPELT_GENRES
from film_settings import Settings
from generate_movies import generate_counted

FIRST, SECOND, THIRD = date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3)

FIELDS = [
    "movie_id", "title", "genre", "studio", "rating", "release_date", "budget", "box_office", "vote_average",
    "vote_count", "runtime_minutes", "updated_at",
]  # fmt: skip


def films(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.decode().split("\n") if line.strip()]


def dirty(kind: str, movies: int = 60) -> tuple[list[bytes], Counter[str]]:
    """The lines of a file whose films all have one kind of dirt."""
    data, summary = generate_counted(FIRST, Settings(movies=movies, dirt={kind: 1}))
    return data.split(b"\n")[:-1], summary.planted


def test_every_kind_is_planted_at_its_rate() -> None:
    _, summary = generate_counted(SECOND, Settings(movies=4000, corrections=0.04, dirt=dict.fromkeys(KINDS, 0.04)))
    assert set(summary.planted) == {*KINDS, "correction"}
    for kind, count in summary.planted.items():
        assert 100 < count < 220, kind


def test_a_thousand_films_without_dirt_have_none() -> None:
    data, summary = generate_counted(FIRST, Settings(dirt={}))
    assert not summary.planted
    assert summary.records == len(films(data)) == 1000


def test_each_kind_at_rate_one_befalls_every_film() -> None:
    for kind in FILM_KINDS:
        assert dirty(kind, movies=3)[1] == {kind: 3}


def value(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda film: film.get(name)


@pytest.mark.parametrize(
    ("kind", "seen", "all_of"),
    [
        ("genre_unknown", value("genre"), lambda genre: genre.title() not in GENRES),
        (
            "genre_misspelt",
            value("genre"),
            lambda genre: any(genre in other for other in MISSPELT_GENRES.values()),
        ),
        (
            "genre_case",
            value("genre"),
            lambda genre: " ".join(genre.split()).title() in GENRES and genre not in GENRES,
        ),
        ("studio_missing", value("studio"), lambda studio: not (studio or "").strip()),
        ("key_missing", value("movie_id"), lambda movie_id: not (movie_id or "").strip()),
        ("title_missing", value("title"), lambda title: not (title or "").strip()),
        ("date_missing", value("release_date"), lambda day: not (day or "").strip()),
        ("vote_out_of_range", value("vote_average"), lambda vote: not 0 <= float(vote) <= 10),
        ("budget_negative", value("budget"), lambda budget: budget < 0),
        ("runtime_out_of_range", value("runtime_minutes"), lambda minutes: not 1 <= minutes <= 1000),
        (
            "timestamp_without_offset",
            value("updated_at"),
            lambda text: datetime.fromisoformat(text).tzinfo is None,
        ),
        ("field_undeclared", set, lambda names: names - set(FIELDS)),
        ("number_too_large", lambda film: film.values(), lambda values: 99999999999999999999 in values),
        (
            "number_not_finite",
            lambda film: film.values(),
            lambda values: any(each != each for each in values),
        ),
    ],
)
def test_a_kind_that_changes_a_field(kind: str, seen: Callable[..., Any], all_of: Callable[..., bool]) -> None:
    lines, _ = dirty(kind)
    assert all(all_of(seen(json.loads(line))) for line in lines)


def test_ratings_and_dates_and_numbers_vary() -> None:
    assert {"pg13", "PG 13", "Not Rated", None} <= {
        json.loads(line).get("rating") for line in dirty("rating_variant", 400)[0]
    }
    assert {"TV-MA", "X"} <= {json.loads(line)["rating"] for line in dirty("rating_unknown")[0]}
    days = {json.loads(line)["release_date"] for line in dirty("date_impossible")[0]}
    assert {"2023-02-30", "0000-00-00", "31/12/1999", "1500-01-01"} <= days
    texts = [
        [each for name, each in json.loads(line).items() if name in FIELDS[6:11]] for line in dirty("number_as_text")[0]
    ]
    assert all(sum(isinstance(each, str) for each in numbers) == 1 for numbers in texts)


def test_nan_is_a_bare_token() -> None:
    assert all(b":NaN" in line for line in dirty("number_not_finite")[0])


def test_duplicates_are_the_same_line_twice() -> None:
    lines, _ = dirty("duplicate")
    assert set(Counter(lines).values()) == {2}


def test_broken_lines_are_cut_objects() -> None:
    for line in dirty("line_broken")[0]:
        assert line.decode().startswith("{")
        with pytest.raises(json.JSONDecodeError):
            json.loads(line)


def test_joined_lines_hold_two_objects() -> None:
    for line in dirty("lines_joined")[0]:
        text = line.decode()
        first, end = json.JSONDecoder().raw_decode(text)
        assert json.loads(text[end:])["movie_id"] == first["movie_id"]


def test_a_repeated_field_is_there_twice() -> None:
    for line in dirty("field_repeated")[0]:
        names = Counter(name for name, _ in json.loads(line, object_pairs_hook=list))
        assert sorted(names.values())[-2:] == [1, 2]


def test_bad_bytes_are_not_utf8_but_within_a_line() -> None:
    for line in dirty("invalid_utf8")[0]:
        with pytest.raises(UnicodeDecodeError):
            line.decode()
        assert line.endswith(b"}")


def test_blank_lines_are_not_records() -> None:
    data, summary = generate_counted(FIRST, Settings(movies=50, dirt={"line_blank": 1}))
    assert summary.records == len(films(data)) == 50
    assert data.count(b"\n") == 100
