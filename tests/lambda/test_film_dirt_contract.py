"""Dirt against the contract: what docs/movies.md, by its oracle, makes of each kind."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from tests.oracles.movies import compute

from film_dirt import FILM_KINDS
from generate_movies import Settings, generate_counted, key

DAY = date(2026, 11, 1)
NUMBERS = {"budget", "box_office", "vote_average", "vote_count", "runtime_minutes"}

QUARANTINED = {
    "genre_unknown": {"genre_invalid"},
    "rating_unknown": {"rating_invalid"},
    "date_impossible": {"release_date_invalid", "release_date_in_range"},
    "date_missing": {"release_date_missing"},
    "vote_out_of_range": {"vote_average_in_range"},
    "budget_negative": {"budget_in_range"},
    "number_too_large": {f"{name}_invalid" for name in NUMBERS - {"vote_average"}},
    "number_not_finite": {f"{name}_invalid" for name in NUMBERS},
    "key_missing": {"movie_id_missing"},
    "title_missing": {"title_missing"},
    "runtime_out_of_range": {"runtime_in_range"},
    "timestamp_without_offset": {"updated_at_invalid"},
    "field_repeated": {"repeated_field"},
    "line_broken": {"malformed_record"},
    "lines_joined": {"several_records"},
    "invalid_utf8": {"invalid_utf8"},
}


@pytest.mark.parametrize("kind", FILM_KINDS)
def test_each_kind_is_quarantined_for_its_own_reason_or_harmless(kind: str) -> None:
    data, summary = generate_counted(DAY, Settings(movies=60, dirt={kind: 1}))
    tables = compute([(key(DAY), datetime(2026, 11, 1, 7), data)])
    reasons = [row[0] for row in tables.execute("SELECT _rules FROM quarantine_movies").fetchall()]
    assert tables.execute("SELECT count(*) FROM records").fetchone() == (summary.records,)
    assert tables.execute("SELECT count(*) FROM silver_movies").fetchone() == (60 - len(reasons),)
    assert len(reasons) == (60 if kind in QUARANTINED else 0)
    assert {tuple(names) for names in reasons} == {(name,) for name in QUARANTINED.get(kind, ())}
