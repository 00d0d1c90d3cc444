"""Kinds of JSON files with bad records among their lines."""

from __future__ import annotations

from tests.bad_input.json_files import INVALID_UTF8, MALFORMED, NOTHING
from tests.bad_input.kind import Checks, Kind, good, ids, lines, with_value

SEVERAL = ("several_records",)
REPEATED = ("repeated_field",)
TOO_LARGE = ("record_too_large",)
FIVE = [good(number) for number in range(20, 25)]
LONG = with_value(18, "title", f'"{"x" * (5 << 20)}"')


def line(name: str, what: str, text: str, *failed: Checks, holds: int | None = None) -> Kind:
    """A file of one line, of which nothing is loaded."""
    return Kind(name, what, lines(text), rejects=failed, holds=holds)


def malformed(name: str, what: str, text: str) -> Kind:
    """A file of one line that isn't one object in JSON."""
    return line(name, what, text, MALFORMED)


SEVERAL_OBJECTS = (
    Kind(
        "two-objects",
        "Two objects in one line.",
        lines(good(10) + good(11), good(12)),
        rejects=(SEVERAL,),
        loads=ids(12),
        holds=3,
    ),
    line("two-with-comma", "Two objects in one line, with a comma.", f"{good(10)}, {good(11)}", SEVERAL, holds=2),
    line("five-objects", "Five objects without any line end.", "".join(FIVE), SEVERAL, holds=5),
    malformed("text-behind", "Text behind the object.", f"{good(31)} and more"),
    malformed("brace-behind", "One brace too many.", good(31) + "}"),
    malformed("object-cut", "An object without its end.", good(32)[:-9]),
)
NO_STRICT_JSON = (
    malformed("single-quotes", "Single quotes.", good(30).replace('"', "'")),
    malformed("bare-names", "Names without quotes.", good(30).replace('"title":', "title:")),
    malformed("comma-before-brace", "A comma before the closing brace.", good(30).replace("}", ",}")),
    malformed("comma-missing", "A comma is missing.", good(30).replace(', "genre"', ' "genre"')),
    malformed("comment", "A comment in the object.", good(30).replace(', "genre"', ', /* kind */ "genre"')),
    Kind(
        "comment-line",
        "A line that is a comment.",
        lines("# films of today", good(61)),
        rejects=(MALFORMED,),
        loads=ids(61),
        holds=1,
    ),
    malformed("python-none", "None for null.", with_value(30, "budget", "None")),
    malformed("bad-escape", "An escape that JSON doesn't have.", with_value(30, "title", r'"\x41"')),
    malformed("raw-tab", "A tab in a text, not escaped.", with_value(30, "title", '"a\tb"')),
    malformed("raw-nul", "A NUL in a text, not escaped.", with_value(30, "title", '"a\0b"')),
    Kind(
        "raw-line-feed",
        "A line feed in a text, not escaped.",
        lines(with_value(30, "title", '"a\nb"')),
        rejects=(MALFORMED,) * 2,
        holds=1,
    ),
    malformed("half-character", "One half of a surrogate pair.", with_value(30, "title", r'"\ud83d"')),
    malformed("halves-swapped", "A surrogate pair the wrong way round.", with_value(30, "title", r'"\ude00\ud83d"')),
    malformed("deep", "Nested 2,000 deep.", '{"movie_id":' + "[" * 2000 + "]" * 2000 + "}"),
    Kind(
        "no-objects",
        "Lines of JSON that are no objects, and one of none.",
        lines("null", "[1]", "7", "no json"),
        rejects=(MALFORMED,) * 4,
        holds=0,
    ),
)
FIELDS = (
    Kind(
        "byte-no-utf8",
        "A byte that is never in UTF-8.",
        lines(good(62)) + good(30).replace("Film", "Fil#").encode().replace(b"#", b"\xff") + b"\n",
        rejects=(INVALID_UTF8,),
        loads=ids(62),
    ),
    line("repeated-name", "A name twice, with two values.", '{"title":"A",' + good(14)[1:], REPEATED),
    line("repeated-value", "A name twice, with one value.", '{"movie_id":"mv-0014",' + good(14)[1:], REPEATED),
    line("no-field", "An object without any field.", "{}", NOTHING, holds=0),
    line("upper-case-names", "Names in upper case.", good(30).replace("movie_id", "MOVIE_ID"), ("movie_id_missing",)),
    line("blank-in-name", "A blank in a name.", good(30).replace('"title"', '"title "'), ("title_missing",)),
    Kind("other-field", "A field that isn't declared.", lines('{"colour":"red",' + good(33)[1:]), loads=ids(33)),
    Kind(
        "large-cell",
        "A text of 5 MiB.",
        lines(LONG, good(19)),
        rejects=(TOO_LARGE,),
        loads=ids(19),
    ),
    Kind("same-twice", "One record twice.", lines(good(63), good(63)), loads=ids(63), duplicates=1),
    Kind(
        "two-versions",
        "Two versions of a film, the newer first.",
        lines(good(64), with_value(64, "updated_at", '"2026-01-01T00:00:00Z"')),
        loads=ids(64),
        duplicates=1,
    ),
    line(
        "many-mistakes",
        "Several bad values in one record.",
        good(65).replace("2000-05-04", "soon").replace('"PG"', '"X"').replace("1000065", "-1"),
        ("rating_invalid", "release_date_invalid", "budget_in_range"),
    ),
)
KINDS = (*SEVERAL_OBJECTS, *NO_STRICT_JSON, *FIELDS)
