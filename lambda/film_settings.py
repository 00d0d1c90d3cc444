"""What decides the bytes of a day's file of films, checked before a film is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from math import fsum
from types import MappingProxyType
from typing import Any

from film_dirt import DEFAULT_RATES, FILM_KINDS, KINDS

EARLIEST_DAY, LATEST_DAY = date(1970, 1, 1), date(2100, 12, 31)  # keeps clean release dates in range


@dataclass(frozen=True)
class Settings:
    """The settings of the catalogue; the same settings and day always give the same bytes.

    A new film's values depend on `seed` alone, so a day with more films has the films of a day with fewer.
    """

    seed: int = 7
    """Any number from 0 on; another seed is another catalogue."""
    movies: int = 1000
    """New films in each day's file."""
    first_day: date = date(2026, 11, 1)
    """Where the catalogue starts: there is nothing earlier to correct."""
    corrections: float = 0.05
    """Corrections of films of earlier days, as a share of `movies`."""
    dirt: Mapping[str, float] = field(default_factory=lambda: DEFAULT_RATES)
    """The rate of each kind of dirt, as a share of `movies`; kinds that aren't named have none."""

    def __post_init__(self) -> None:
        _check_whole("seed", self.seed, 0, 2**63 - 1)
        _check_whole("movies", self.movies, 0, 999_999_999)
        if type(self.first_day) is not date or not EARLIEST_DAY <= self.first_day <= LATEST_DAY:
            raise ValueError(f"first_day must be from {EARLIEST_DAY} to {LATEST_DAY}, not {self.first_day}")
        _check_rate("corrections", self.corrections)
        for kind, rate in self.dirt.items():
            if kind not in KINDS:
                raise ValueError(f"dirt: no kind is named {kind!r}; there are {', '.join(KINDS)}")
            _check_rate(f"dirt {kind}", rate)
        total = fsum(self.dirt.get(kind, 0) for kind in FILM_KINDS)
        if total > 1 + 1e-9:  # a sum of rates such as 24 x 1/24 may be a hair above 1
            raise ValueError(f"dirt: a film has one kind at most, so rates add up to 1 at most, not {total:g}")
        object.__setattr__(self, "dirt", MappingProxyType({kind: self.dirt.get(kind, 0.0) for kind in KINDS}))

    def check_day(self, day: date) -> None:
        """Refuse a day that the catalogue has no file for."""
        if not self.first_day <= day <= LATEST_DAY:
            raise ValueError(f"day must be from first_day, {self.first_day}, to {LATEST_DAY}, not {day}")


def read_settings(named: Mapping[str, object]) -> Settings:
    """Settings from texts or JSON values by name, as a shell, an environment or an event gives them.

    `dirt` holds rates other than the usual ones, as a mapping or as text such as "all=0 line_broken=0.1";
    `all` is every kind. A setting that isn't named keeps its default.
    """
    unknown = sorted(set(named) - {setting.name for setting in fields(Settings)})
    if unknown:
        raise ValueError(f"no setting is named {', '.join(map(repr, unknown))}")
    readers: dict[str, Callable[[str, object], Any]] = {
        "seed": _read_whole,
        "movies": _read_whole,
        "first_day": read_day,
        "corrections": _read_rate,
        "dirt": _read_rates,
    }
    return Settings(**{name: readers[name](name, value) for name, value in named.items()})


def read_day(name: str, value: object) -> date:
    """The day that is written as YYYY-MM-DD; `name` is what an error calls it."""
    # fromisoformat alone would also take 20261101 and 2026-W44-7.
    try:
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"{name} must be a day that exists, not {value!r}") from error
    raise ValueError(f"{name} must be a day such as 2026-11-01, not {value!r}")


def _read_whole(name: str, value: object) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"{name} must be a whole number, not {value!r}")


def _read_rate(name: str, value: object) -> float:
    try:
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return float(value)
    except ValueError as error:
        raise ValueError(f"{name} must be a rate from 0 to 1, not {value!r}") from error
    raise ValueError(f"{name} must be a rate from 0 to 1, not {value!r}")


def _read_rates(name: str, value: object) -> dict[str, float]:
    named: list[tuple[str, object]] = []
    if isinstance(value, str):
        for word in value.split():
            kind, equals, text = word.partition("=")
            if not equals:
                raise ValueError(f"{name} must be kind=rate, not {word!r}")
            named.append((kind, text))
    elif isinstance(value, Mapping):
        named.extend(value.items())
    else:
        raise ValueError(f"{name} must be rates by kind, not {value!r}")
    rates = dict(DEFAULT_RATES)
    for kind, given in named:
        rate = _read_rate(f"{name} {kind}", given)
        rates |= dict.fromkeys(KINDS, rate) if kind == "all" else {kind: rate}
    return rates


def _check_whole(name: str, value: int, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name} must be a whole number from {least} to {most}, not {value!r}")


def _check_rate(name: str, value: float) -> None:
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be a rate from 0 to 1, not {value!r}")
