"""Invented films, each a pure function of (seed, day, number): any film can be made again without its file.

All chance comes from `draw`, a hash, never from a running random generator: film 7 is the same whether films
0 to 6 were made before it or not, in any process. Faker only fills the pools of names, once per process: a
Faker call per film would be a hundred times slower.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from hashlib import blake2b
from itertools import cycle
from math import exp
from statistics import NormalDist
from struct import Struct
from typing import Any, NamedTuple, TypeVar

Record = dict[str, Any]
Draw = tuple[int, ...]
Option = TypeVar("Option")

GENRES = (
    "Action", "Adventure", "Animation", "Comedy", "Crime", "Documentary",
    "Drama", "Fantasy", "Horror", "Romance", "Science Fiction", "Thriller",
)  # fmt: skip
RATINGS = ("PG-13", "R", "PG", "PG-13", "R", "G", "NR", "NC-17")
# A catalogue doesn't know these of every film.
NUMBERS = ("budget", "box_office", "vote_average", "vote_count", "runtime_minutes")
# What every new version of a film changes; the others change sometimes.
FIGURES = ("budget", "box_office", "vote_average", "vote_count", "updated_at")
SOMETIMES_CHANGED = ("genre", "studio", "release_date")

WHOLE_TITLES = (
    "Çà et là", "L'été d'après", "Das Mädchen vom Moor", "Año bisiesto", "Žluťoučký kůň", "Łódź nocą", "Ærø",
    "Ποτέ ξανά", "Белые ночи", "東京の夜", "봄날", "ليلة", "Sjöjungfruns sång", "Crème brûlée", "São Jorge",
    'She Said "No"', '"Quote" Unquote', "Back\\slash", "Fin 🎬", "Ich & Du",
)  # fmt: skip
ADJECTIVES = (
    "Silver", "Hollow", "Quiet", "Crimson", "Distant", "Broken", "Golden", "Forgotten", "Electric", "Frozen",
    "Hidden", "Last", "Little", "Midnight", "Paper", "Restless", "Second", "Velvet", "Wandering", "Burning",
    "Naïve", "Endless",
)  # fmt: skip
NOUNS = (
    "Harbour", "Orchard", "Empire", "Letter", "River", "Garden", "Signal", "Promise", "Winter", "Engine",
    "Lighthouse", "Mirror", "Stranger", "Cathedral", "Summer", "Voyage", "Café", "Shadow", "Kingdom",
    "Witness", "Fiancée", "Horizon",
)  # fmt: skip
STUDIO_KINDS = ("Pictures", "Films", "Studios", "Entertainment", "Productions")
STUDIOS = 40
OLDEST_RELEASE = 25_000  # days before the film's day
HIGHEST_BOX_OFFICE = 4_000_000_000

_PLACE = Struct("<IQ")
_SIXTEEN_WORDS = Struct("<16I")


class Names(NamedTuple):
    """The names that Faker made, the same in every process."""

    people: tuple[str, ...]
    cities: tuple[str, ...]
    studios: tuple[str, ...]


class Figures(NamedTuple):
    """The values that a film's numbers are picked from; a value's share of the pool is its probability."""

    budgets: tuple[int, ...]
    returns: tuple[int, ...]  # box office per 1000 of budget
    vote_averages: tuple[float, ...]
    vote_counts: tuple[int, ...]
    runtimes: tuple[int, ...]


def draw(seed: int, purpose: bytes, day: date, number: int) -> Draw:
    """Sixteen independent 32-bit words for one purpose, day and number."""
    place = _PLACE.pack(day.toordinal(), number)
    return _SIXTEEN_WORDS.unpack(blake2b(place, salt=seed.to_bytes(16, "little"), person=purpose).digest())


def pick(options: Sequence[Option], word: int) -> Option:
    """One of the options, each as likely as the others; the word's high bits decide."""
    return options[word * len(options) >> 32]


def pick_low(options: Sequence[Option], word: int) -> Option:
    """One of the options by the word's low half, independent of what its high bits decided."""
    return options[(word & 0xFFFF) * len(options) >> 16]


def new_film(words: Draw, day: date, number: int) -> Record:
    """The first version of film `number` of `day`, from its draw."""
    return _version(words, f"mv-{day:%Y%m%d}-{number:06d}", day)


def revised(film: Record, words: Draw, day: date) -> Record:
    """Another version of the film, of `day`: other figures, now and then another genre, studio or release."""
    other = _version(words, film["movie_id"], day)
    changed = FIGURES + tuple(name for n, name in enumerate(SOMETIMES_CHANGED) if words[12] >> 2 * n & 3 == 0)
    return film | {name: other[name] for name in changed if name in other}


def _version(words: Draw, movie_id: str, day: date) -> Record:
    names, figures = film_names(), film_figures()
    budget = pick(figures.budgets, words[5])
    film: Record = {
        "movie_id": movie_id,
        "title": _title(words[0], words[1], names),
        "genre": pick(GENRES, words[2]),
        # Squared, so that the first studios of the pool make most of the films.
        "studio": pick(names.studios, words[3] * words[3] >> 32),
        "rating": pick(RATINGS, words[11]),
        "release_date": (day - timedelta((words[4] * words[4] >> 32) * OLDEST_RELEASE >> 32)).isoformat(),
        "budget": budget,
        "box_office": min(budget * pick(figures.returns, words[6]) // 1000, HIGHEST_BOX_OFFICE),
        "vote_average": pick(figures.vote_averages, words[7]),
        "vote_count": pick(figures.vote_counts, words[8]),
        "runtime_minutes": pick(figures.runtimes, words[9]),
        "updated_at": _moment(day, words[10]),
    }
    unknown = words[12] >> 26  # 0 to 63; at most one number of a film is unknown
    if unknown < len(NUMBERS):
        film[NUMBERS[unknown]] = None
    elif unknown < 2 * len(NUMBERS):
        del film[NUMBERS[unknown - len(NUMBERS)]]
    return film


def _title(pattern: int, word: int, names: Names) -> str:
    match pattern >> 29:
        case 0:
            return pick_low(WHOLE_TITLES, pattern)
        case 1:
            return f"{pick(names.people, word)}'s {pick_low(NOUNS, word)}"
        case 2 | 3:
            return f"{pick(NOUNS, word)} of {pick_low(names.cities, word)}"
        case 4:
            return f"{pick(ADJECTIVES, word)} {pick_low(NOUNS, word)}"
        case _:
            return f"The {pick(ADJECTIVES, word)} {pick_low(NOUNS, word)}"


def _moment(day: date, word: int) -> str:
    """A moment before 06:00 UTC of the day; one in eight with an offset, one in eight with a fraction."""
    minutes, second = divmod(word * 21_600 >> 32, 60)
    hour, minute = divmod(minutes, 60)
    match word & 7:
        case 0:
            return f"{day}T{hour + 2:02d}:{minute:02d}:{second:02d}+02:00"
        case 1:
            return f"{day}T{hour:02d}:{minute:02d}:{second:02d}.{word % 1000:03d}Z"
        case _:
            return f"{day}T{hour:02d}:{minute:02d}:{second:02d}Z"


@cache
def film_names() -> Names:
    """Names for titles and studios, from Faker with a fixed seed: only another Faker version changes them."""
    from faker import Faker  # here, because a quarter of a second of import is only due when films are made

    faker = Faker("en_US", use_weighting=False)
    faker.seed_instance(20261101)
    people = tuple(dict.fromkeys(faker.last_name() for _ in range(600)))
    cities = tuple(dict.fromkeys(faker.city() for _ in range(600)))
    studios = tuple(f"{name} {kind}" for name, kind in zip(people[:STUDIOS], cycle(STUDIO_KINDS), strict=False))
    return Names(people, cities, studios)


@cache
def film_figures() -> Figures:
    """Plausible numbers: budgets, returns and vote counts are log-normal, vote averages and runtimes normal.

    All are rounded coarsely: the last bit of `exp` differs between platforms, a rounded figure doesn't.
    """
    deviations = [NormalDist().inv_cdf((n + 0.5) / 4096) for n in range(4096)]
    return Figures(
        budgets=tuple(min(round(15_000 * exp(1.3 * z)), 500_000) * 1000 for z in deviations),
        returns=tuple(round(1800 * exp(0.9 * z)) for z in deviations),
        vote_averages=tuple(min(max(round(63 + 13 * z), 0), 100) / 10 for z in deviations),
        vote_counts=tuple(round(1500 * exp(1.6 * z)) for z in deviations),
        runtimes=tuple(min(max(round(108 + 19 * z), 40), 240) for z in deviations),
    )
