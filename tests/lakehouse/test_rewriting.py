"""Records are taken out of a raw file by their place, and no other byte changes."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from lakehouse import rewriting
from lakehouse.rewriting import without
from tests.lakehouse.shop import shop

CSV = shop().bronze["items"]
JSON = replace(CSV, format="json")
MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("content", "places", "erased", "expected"),
    [
        (b"id,kind\n1,a\n2,b\n3,c\n", {1}, (), b"id,kind\n1,a\n3,c\n"),
        (b"id,kind\n1,a\n2,b", {1}, (), b"id,kind\n1,a\n"),
        (MARK + b"id,kind\r\n1,a\r\n2,b\r\n", {0}, (), MARK + b"id,kind\r\n2,b\r\n"),
        (b"\nid,kind\n\n1,a\n\n2,b\n", {0}, (), b"\nid,kind\n\n\n2,b\n"),
        (b'id,kind\n1,"a\n""2"", b"\n2,"c\r\n,"\n', {0}, (), b'id,kind\n2,"c\r\n,"\n'),
        (b"id,kind\r1,\xff\r2,\xc3\xa9\r", {1}, (), b"id,kind\r1,\xff\r"),
        # Of five records the second and the fourth are gone: what is left has the places 0, 2 and 4.
        (b"id,kind\n0,a\n2,c\n4,e\n", {2}, (1, 3), b"id,kind\n0,a\n4,e\n"),
        (b"id,kind\n0,a\n2,c\n4,e\n", {0, 4}, (1, 3), b"id,kind\n2,c\n"),
        (b"id,kind\n2,c\n", {2}, (0, 1), b"id,kind\n"),
    ],
)
def test_csv(content: bytes, places: set[int], erased: tuple[int, ...], expected: bytes) -> None:
    assert without(content, "a.csv", CSV, places, erased) == expected
    zipped = without(gzip.compress(content), "a.csv.gz", CSV, places, erased)
    assert (gzip.decompress(zipped), zipped) == (expected, gzip.compress(expected, mtime=0))


@pytest.mark.parametrize(
    ("content", "places", "expected"),
    [
        (b'{"id": 1}\n\n{"id": 2}\r\n{"id": 3}', {2}, b'{"id": 1}\n\n         \r\n{"id": 3}'),
        (MARK + b'{"id": 1}\r{"id": 2}\r', {1}, MARK + b'{"id": 1}\r         \r'),
        (b'{"id": 1}', {0}, b"         "),
    ],
)
def test_json_lines(content: bytes, places: set[int], expected: bytes) -> None:
    assert without(content, "a.jsonl", JSON, places, ()) == expected
    assert gzip.decompress(without(gzip.compress(content), "a.jsonl.gz", JSON, places, ())) == expected


def test_a_large_file_is_read_in_pieces_and_a_place_counts_within_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces begin at 0, 8, 16 ...; a line that begins exactly there is still the piece before's."""
    monkeypatch.setattr(rewriting, "SPLIT", 8)
    lines = [b"aaa\n", b"bbb\n", b"ccc\n", b"ddd\n", b"e\n"]
    for number, place in enumerate((0, 1, 2, 8, 9)):
        expected = [b" " * (len(line) - 1) + b"\n" if at == number else line for at, line in enumerate(lines)]
        assert without(b"".join(lines), "a.jsonl", JSON, {place}, ()) == b"".join(expected)
    unbroken = without(b"".join(lines), "a.jsonl", JSON, {3}, ())
    assert unbroken == b"".join(lines)
    assert gzip.decompress(without(gzip.compress(b"".join(lines)), "a.jsonl.gz", JSON, {3}, ())) == (
        b"aaa\nbbb\nccc\n   \ne\n"
    )
