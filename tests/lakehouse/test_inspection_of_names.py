"""A file must be what its name says, and have a name that Spark can read."""

from __future__ import annotations

import gzip
import io

import pytest

from lakehouse import packing
from lakehouse.declaration import Source
from lakehouse.inspection import inspect_file

CONTENT = {"json": b'{"id": 1}\n', "csv": b"id\n1\n"}


def outcome(key: str, content: bytes | None = None, form: str = "json") -> tuple[str, str | None]:
    """Outcome and reason of a file that is good unless its content is given."""
    source = Source("films", "Films.", "films", form, ("id",))
    content = CONTENT[form] if content is None else content
    inspected = inspect_file(io.BytesIO(gzip.compress(content) if key.endswith(".gz") else content), key, source)
    return inspected.outcome, inspected.reason


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz"])
def test_names_of_json_files(suffix: str) -> None:
    assert outcome(f"raw/films/a{suffix}") == ("read", None)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_names_of_csv_files(suffix: str) -> None:
    assert outcome(f"raw/films/a{suffix}", form="csv") == ("read", None)


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("json", "a.csv"),
        ("json", "a"),
        ("json", "json"),
        ("json", "a.JSON"),
        ("json", "a.json.tmp"),
        ("json", "a.json.gz.gz"),
        ("json", "a.json.bz2"),
        ("json", "a.gz"),
        ("csv", "a.json"),
        ("csv", "a.tsv"),
    ],
)
def test_other_suffixes_are_refused(form: str, name: str) -> None:
    known = {"json": ".json or .jsonl or .ndjson", "csv": ".csv"}[form]
    reason = f"unexpected_name: expected a name that ends in {known}, with or without .gz"
    assert outcome(f"raw/films/{name}", form=form) == ("unreadable", reason)


@pytest.mark.parametrize("name", ["_a.json", ".a.json", "_.json", ".json"])
def test_hidden_names_are_refused(name: str) -> None:
    reason = "hidden_name: Spark skips files whose name begins with _ or .; rename it"
    assert outcome(f"raw/films/{name}") == ("unreadable", reason)


def test_hidden_folders_are_read() -> None:
    assert outcome("raw/films/_a/.b/c.json") == ("read", None)


@pytest.mark.parametrize("name", ["12:30.json", ":.json", "a.json:b.json"])
def test_colons_are_refused(name: str) -> None:
    reason = "colon_in_name: Hadoop can't read every file whose name has a colon; rename it"
    assert outcome(f"raw/films/{name}") == ("unreadable", reason)


@pytest.mark.parametrize("key", ["raw/films//a.json", "raw/films/./a.json", "raw/films/../a.json"])
def test_paths_that_hadoop_would_change_are_refused(key: str) -> None:
    reason = "unclear_path: Hadoop reads // and . and .. in a key as another key; rename it"
    assert outcome(key) == ("unreadable", reason)


@pytest.mark.parametrize("name", ["a b.json", "[a].json", "{a}.json", "*?.json", "%20+.json", "é.json", "a\\b.json"])
def test_other_characters_are_good(name: str) -> None:
    assert outcome(f"raw/films/{name}") == ("read", None)


@pytest.mark.parametrize("content", [b"", b"\n", b"no gzip", b'{"id": 1}\n', b"\x1f\x8c"])
def test_the_first_bytes_tell_gzip(content: bytes) -> None:
    for form, suffix in (("json", "json"), ("csv", "csv")):
        source = Source("films", "Films.", "films", form, ("id",))
        zipped = inspect_file(io.BytesIO(gzip.compress(content)), f"raw/films/a.{suffix}", source)
        assert (zipped.outcome, zipped.reason) == ("unreadable", "gzip_without_gz: gzip, but not named .gz")
        if content:
            plain = inspect_file(io.BytesIO(content), f"raw/films/a.{suffix}.gz", source)
            assert (plain.outcome, plain.reason) == ("unreadable", "not_gzip: named .gz, but isn't gzip")


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"\x1f\x8b\x08", "gzip"),
        (b"PK\x03\x04\0\0\0\0\0\0", "zip"),
        (b"\x28\xb5\x2f\xfd\x20", "zstd"),
        (b"\xfd7zXZ\0\0", "xz"),
        (b"BZh91AY&SY", "bzip2"),
        (b"PAR1\x15\x04", "Parquet"),
    ],
)
def test_packed_files_are_no_text(start: bytes, name: str) -> None:
    assert outcome("raw/films/a.json.gz", start) == ("unreadable", f"not_text: {name}, not json")
    assert outcome("raw/films/a.csv.gz", start, "csv") == ("unreadable", f"not_text: {name}, not csv")
    if name != "gzip":
        assert outcome("raw/films/a.csv", start, "csv") == ("unreadable", f"not_text: {name}, not csv")


@pytest.mark.parametrize("header", [b"PAR1,id", b"PK,id", b"BZh9,id"])
def test_a_header_is_text(header: bytes) -> None:
    assert outcome("raw/films/a.csv", header + b"\n1,2\n", "csv") == ("read", None)


def damaged(content: bytes, position: int) -> bytes:
    """The bytes with one bit changed."""
    changed = bytearray(content)
    changed[position] ^= 1
    return bytes(changed)


def zipped(content: bytes) -> bytes:
    """A gzip file without a time in it: the same bytes, and so the same names of tests, in every process."""
    return gzip.compress(content, mtime=0)


WHOLE = zipped(b'{"id": 1}\n' * 10_000)
TOO_EARLY = "broken_gzip: it ends too early"
DATA_CHECK = "broken_gzip: Error -3 while decompressing data: incorrect data check"
LENGTH_CHECK = "broken_gzip: Error -3 while decompressing data: incorrect length check"
HEADER_CHECK = "broken_gzip: Error -3 while decompressing data: incorrect header check"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (WHOLE, ("read", None, 10_000)),
        (WHOLE + WHOLE, ("read", None, 20_000)),
        (zipped(b'{"id"') + zipped(b": 1}\n") + zipped(b""), ("read", None, 1)),
        (WHOLE[:2], ("unreadable", TOO_EARLY, 0)),
        (WHOLE[:-1], ("unreadable", TOO_EARLY, 0)),
        (WHOLE[: len(WHOLE) // 2], ("unreadable", TOO_EARLY, 0)),
        (WHOLE + WHOLE[:-1], ("unreadable", TOO_EARLY, 0)),
        (damaged(WHOLE, -5), ("unreadable", DATA_CHECK, 0)),
        (damaged(WHOLE, -1), ("unreadable", LENGTH_CHECK, 0)),
        (WHOLE + b"garbage", ("unreadable", HEADER_CHECK, 0)),
        (WHOLE + b"\0" * 512, ("unreadable", HEADER_CHECK, 0)),  # `gzip` passes over zeros, Hadoop doesn't
    ],
)
def test_gzip_is_read_to_its_last_byte(content: bytes, expected: tuple[str, str | None, int]) -> None:
    source = Source("films", "Films.", "films", "json", ("id",))
    inspected = inspect_file(io.BytesIO(content), "raw/films/a.jsonl.gz", source)
    assert (inspected.outcome, inspected.reason, inspected.records) == expected


@pytest.mark.parametrize(
    ("lines", "patience", "expected"),
    [
        (2 << 20, 1 << 20, ("unreadable", "gzip_bomb: over 1 MiB, and over 200 times its size in gzip")),
        (3 << 20, 2 << 20, ("unreadable", "gzip_bomb: over 2 MiB, and over 200 times its size in gzip")),
        (1 << 20, 1 << 20, ("empty", "no record")),
    ],
)
def test_gzip_that_holds_far_too_much_is_refused(
    lines: int, patience: int, expected: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "PATIENCE", patience)
    for form, suffix in (("json", "json"), ("csv", "csv")):
        assert outcome(f"raw/films/a.{suffix}.gz", b"\n" * lines, form) == expected


def test_much_text_in_little_gzip_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "PATIENCE", 1 << 10)
    text = b"".join(b'{"id": %d}\n' % number for number in range(100_000))
    assert outcome("raw/films/a.json.gz", text) == ("read", None)
