"""The bytes of a day's file: the day's new films, corrections of earlier films, old versions sent again."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from io import BytesIO
from itertools import accumulate
from typing import BinaryIO

from film_catalogue import Draw, Record, draw, new_film, revised
from film_dirt import FILM_KINDS, dirty_lines, encode
from film_settings import Settings

WORDS = 2**32  # a draw's words are below this
DIRT, CORRECTION, STALE = 13, 14, 15  # the words of a film's draw that decide what else is written with it


@dataclass
class Summary:
    """What was written: records (lines that aren't blank), bytes, and how many of each kind of dirt."""

    records: int = 0
    bytes: int = 0
    planted: Counter[str] = field(default_factory=Counter)


def key(day: date) -> str:
    """The path of the day's file below the root of the lake."""
    return f"raw/movies/{day:%Y/%m/%d}/movies-{day}.jsonl"


def generate(day: date, settings: Settings) -> bytes:
    """The day's file; the same day and settings give the same bytes, whatever was made before."""
    return generate_counted(day, settings)[0]


def generate_counted(day: date, settings: Settings) -> tuple[bytes, Summary]:
    """The day's file, and how much of what is in it."""
    stream = BytesIO()
    summary = write(day, settings, stream)
    return stream.getvalue(), summary


def write(day: date, settings: Settings, stream: BinaryIO) -> Summary:
    """Write the day's file line by line, so that a file may be larger than memory."""
    settings.check_day(day)
    summary = Summary()
    for line in _lines(day, settings, summary.planted):
        summary.bytes += stream.write(line + b"\n")
        if line and not line.isspace():
            summary.records += 1
    return summary


def _lines(day: date, settings: Settings, planted: Counter[str]) -> Iterator[bytes]:
    bounds = _bounds(settings)
    # On the first day there are no earlier films.
    corrections = settings.corrections * WORDS if day > settings.first_day else 0
    stale = settings.dirt["stale"] * WORDS if day > settings.first_day else 0
    for number in range(settings.movies):
        words = draw(settings.seed, b"film", day, number)
        film = new_film(words, day, number)
        kind = _kind(words, bounds)
        if kind is None:
            yield encode(film).encode()
        else:
            planted[kind] += 1
            yield from dirty_lines(kind, film, draw(settings.seed, b"dirt", day, number))
        if words[CORRECTION] < corrections:
            planted["correction"] += 1
            yield encode(_corrected(day, number, settings)).encode()
        if words[STALE] < stale:
            planted["stale"] += 1
            yield encode(_sent_again(day, number, settings, bounds)).encode()


def _bounds(settings: Settings) -> list[int]:
    """For each kind of dirt, the word below which a film has this kind or one before it."""
    rates = accumulate(settings.dirt[kind] for kind in FILM_KINDS)
    return [min(round(rate * WORDS), WORDS) for rate in rates]


def _kind(words: Draw, bounds: list[int]) -> str | None:
    place = bisect_right(bounds, words[DIRT])
    return FILM_KINDS[place] if place < len(bounds) else None


def _earlier(words: Draw, day: date, settings: Settings) -> tuple[date, int]:
    """The day and number of a film of an earlier day's file."""
    days = (day - settings.first_day).days
    return settings.first_day + timedelta(words[14] * days >> 32), words[15] * settings.movies >> 32


def _corrected(day: date, number: int, settings: Settings) -> Record:
    """A newer version of an earlier film."""
    words = draw(settings.seed, b"correction", day, number)
    first_day, first_number = _earlier(words, day, settings)
    film = new_film(draw(settings.seed, b"film", first_day, first_number), first_day, first_number)
    return revised(film, words, day)


def _sent_again(day: date, number: int, settings: Settings, bounds: list[int]) -> Record:
    """An earlier film as it was sent then, or an older version of it that never was."""
    words = draw(settings.seed, b"stale", day, number)
    first_day, first_number = _earlier(words, day, settings)
    first_words = draw(settings.seed, b"film", first_day, first_number)
    film = new_film(first_words, first_day, first_number)
    # A film with dirt wasn't sent as it is here.
    if words[13] & 1 and _kind(first_words, bounds) is None:
        return film
    return revised(film, words, first_day - timedelta(1 + words[13] % 28))
