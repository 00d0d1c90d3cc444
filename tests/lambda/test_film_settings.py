"""Settings: what is wrong is refused by name."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from film_dirt import DEFAULT_RATES
from film_settings import Settings, read_settings
from generate_movies import generate


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": True}, "seed"),
        ({"movies": 1.5}, "movies"),
        ({"movies": -1}, "movies"),
        ({"first_day": date(1950, 1, 1)}, "first_day"),
        ({"first_day": "2026-11-01"}, "first_day"),
        ({"corrections": 1.1}, "corrections"),
        ({"corrections": float("nan")}, "corrections"),
        ({"dirt": {"mud": 0.1}}, "'mud'"),
        ({"dirt": {"stale": -0.1}}, "dirt stale"),
        ({"dirt": {"line_broken": 2}}, "dirt line_broken"),
        ({"dirt": {"line_broken": 0.6, "key_missing": 0.6}}, "add up to 1"),
    ],
)
def test_wrong_settings_are_refused_by_name(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Settings(**wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sead": 1}, "'sead'"),
        ({"seed": "x"}, "seed"),
        ({"seed": None}, "seed"),
        ({"movies": "-3"}, "movies"),
        ({"first_day": "2026-02-30"}, "first_day"),
        ({"first_day": "20261101"}, "first_day"),
        ({"corrections": "lots"}, "corrections"),
        ({"corrections": True}, "corrections"),
        ({"dirt": "stale"}, "kind=rate"),
        ({"dirt": "stale=x"}, "dirt stale"),
        ({"dirt": ["stale"]}, "dirt"),
    ],
)
def test_wrong_texts_are_refused_by_name(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_settings(wrong)


def test_settings_are_read_from_texts_and_values() -> None:
    read = read_settings({"seed": "9", "movies": 5, "first_day": "2026-10-01", "corrections": "0.5"})
    assert read == Settings(seed=9, movies=5, first_day=date(2026, 10, 1), corrections=0.5)
    assert read_settings({}) == Settings()
    assert read_settings({"dirt": "all=0 stale=0.5"}) == Settings(dirt={"stale": 0.5})
    assert read_settings({"dirt": {"stale": 0.5}}).dirt == {**DEFAULT_RATES, "stale": 0.5}


def test_the_day_before_the_first_is_refused() -> None:
    with pytest.raises(ValueError, match="first_day"):
        generate(date(2026, 10, 31), Settings())
