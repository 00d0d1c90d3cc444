"""The kinds of dirt that a file of films can hold; what becomes of each is in docs/movies.md.

A film gets at most one kind, so the number planted is exactly the number of lines to look for afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from json import JSONEncoder

from film_catalogue import NUMBERS, Draw, Record, pick

MISSPELT_GENRES = {
    "Action": ("acton", "aktion"),
    "Adventure": ("adventrue", "advenure"),
    "Animation": ("animaton", "animated"),
    "Comedy": ("commedy", "comdy"),
    "Crime": ("crme", "criem"),
    "Documentary": ("documentry", "docu"),
    "Drama": ("dramma", "darma"),
    "Fantasy": ("fantsy", "phantasy"),
    "Horror": ("horor", "horrror"),
    "Romance": ("romanse", "romace"),
    "Science Fiction": ("sci-fi", "scifi", "sci fi", "science-fiction"),
    "Thriller": ("thriler", "triller"),
}
RATING_VARIANTS = {
    "G": ("g", " G "),
    "PG": ("pg", "P.G.", "pg "),
    "PG-13": ("pg13", "PG 13", "Pg-13", "pg_13"),
    "R": ("r", " R"),
    "NC-17": ("nc17", "NC 17", "nc-17"),
    "NR": ("Not Rated", "NOT-RATED", "unrated", "nr"),
}
UNKNOWN_GENRES = ("Telenovela", "Western", "Musical", "Biopic", "Dramedy", "12")
UNKNOWN_RATINGS = ("TV-MA", "X", "18+", "PG-15", "Mature")
IMPOSSIBLE_DATES = (
    "2023-02-30", "0000-00-00", "31/12/1999", "2019-13-01", "2019-5-4", "soon", "1500-01-01", "2101-01-01",
)  # fmt: skip
UNDECLARED_FIELDS: tuple[Record, ...] = (
    {"tagline": "Übung macht den Meister"},
    {"imdb_id": None},
    {"languages": ["en", "fr"]},
    {"crew": {"director": "J. Doe"}},
)
REPEATED_FIELDS = (',"genre":"Drama"}', ',"rating":"R"}', ',"movie_id":"mv-000000"}', ',"title":null}')
BAD_BYTES = (b"\xff", b"\xe9", b"\xc3(", b"\xed\xa0\x80")  # never valid, Latin-1, half a letter, a surrogate

# A NaN comes out as the bare token, which is what number_not_finite is about.
encode = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _number_as_text(film: Record, words: Draw) -> None:
    name = pick([name for name in NUMBERS if film.get(name) is not None], words[0])
    film[name] = pick(("{}", " {} ", "{}\t"), words[1]).format(film[name])


def _genre_case(film: Record, words: Draw) -> None:
    mixed = "".join(letter.upper() if n % 2 else letter.lower() for n, letter in enumerate(film["genre"]))
    film["genre"] = pick(("{}", " {}", "{}  ", "\t{} "), words[0]).format(mixed.replace(" ", "   "))


def _number_too_large(film: Record, words: Draw) -> None:
    film[pick(("budget", "box_office", "vote_count", "runtime_minutes"), words[0])] = 99999999999999999999


def _withhold(film: Record, name: str, words: Draw) -> None:
    """No value, in one of the four ways that sources have of not giving one."""
    del film[name]
    film.update(pick(({}, {name: None}, {name: ""}, {name: "  "}), words[0]))


def _rating_variant(film: Record, words: Draw) -> None:
    if words[1] & 3:
        film["rating"] = pick(RATING_VARIANTS[film["rating"]], words[0])
    else:
        _withhold(film, "rating", words)


def _replaced(name: str, *values: object) -> Callable[[Record, Draw], None]:
    def plant(film: Record, words: Draw) -> None:
        film[name] = pick(values, words[0])

    return plant


def _withheld(name: str) -> Callable[[Record, Draw], None]:
    return lambda film, words: _withhold(film, name, words)


FIELD_DIRT: dict[str, Callable[[Record, Draw], None]] = {
    "number_as_text": _number_as_text,
    "genre_case": _genre_case,
    "genre_misspelt": lambda film, words: film.update(genre=pick(MISSPELT_GENRES[film["genre"]], words[0])),
    "genre_unknown": _replaced("genre", *UNKNOWN_GENRES),
    "studio_missing": _withheld("studio"),
    "rating_variant": _rating_variant,
    "rating_unknown": _replaced("rating", *UNKNOWN_RATINGS),
    "date_impossible": _replaced("release_date", *IMPOSSIBLE_DATES),
    "date_missing": _withheld("release_date"),
    "vote_out_of_range": _replaced("vote_average", 10.1, 11, -0.1, 74, "-3.5"),
    "budget_negative": lambda film, words: film.update(budget=-(film.get("budget") or 1)),
    "number_too_large": _number_too_large,
    "number_not_finite": lambda film, words: film.update({pick(NUMBERS, words[0]): float("nan")}),
    "key_missing": _withheld("movie_id"),
    "title_missing": _withheld("title"),
    "runtime_out_of_range": _replaced("runtime_minutes", 0, -90, 1001, 6000),
    "timestamp_without_offset": lambda film, words: film.update(updated_at=film["updated_at"][:19]),
    "field_undeclared": lambda film, words: film.update(pick(UNDECLARED_FIELDS, words[0])),
}


def _line_broken(film: Record, words: Draw) -> list[bytes]:
    text = encode(film)
    return [text[: 1 + (words[0] * (len(text) - 1) >> 32)].encode()]  # cut between letters, never within one


def _lines_joined(film: Record, words: Draw) -> list[bytes]:
    joint = pick(("", " "), words[0])
    return [f"{encode(film)}{joint}{encode(film | {'vote_count': 0})}".encode()]


def _invalid_utf8(film: Record, words: Draw) -> list[bytes]:
    start = b'"title":"'
    return [encode(film).encode().replace(start, start + pick(BAD_BYTES, words[0]), 1)]


LINE_DIRT: dict[str, Callable[[Record, Draw], list[bytes]]] = {
    "duplicate": lambda film, words: [encode(film).encode()] * 2,
    "field_repeated": lambda film, words: [(encode(film)[:-1] + pick(REPEATED_FIELDS, words[0])).encode()],
    "line_broken": _line_broken,
    "lines_joined": _lines_joined,
    "line_blank": lambda film, words: [encode(film).encode(), pick((b"", b"  "), words[0])],
    "invalid_utf8": _invalid_utf8,
}

FILM_KINDS = (*FIELD_DIRT, *LINE_DIRT)
"""The kinds that befall a new film, at most one each."""
KINDS = (*FILM_KINDS, "stale")
"""All kinds with a rate; `stale` isn't done to a film but adds a line about an earlier one."""

DEFAULT_RATES = dict.fromkeys(KINDS, 0.002) | {
    "number_as_text": 0.02,
    "genre_case": 0.02,
    "genre_misspelt": 0.01,
    "studio_missing": 0.01,
    "rating_variant": 0.02,
    "duplicate": 0.01,
    "stale": 0.01,
}


def dirty_lines(kind: str, film: Record, words: Draw) -> list[bytes]:
    """The film's lines with one kind of dirt planted; the film itself may be changed on the way."""
    if kind in FIELD_DIRT:
        FIELD_DIRT[kind](film, words)
        return [encode(film).encode()]
    return LINE_DIRT[kind](film, words)
