"""What the second parser finds in a file, whatever the sizes of the pieces that it reads."""

from __future__ import annotations

import gzip
import hashlib
import io

import pytest

from lakehouse import inspection
from lakehouse.declaration import Source
from lakehouse.inspection import Inspection, inspect_file

JSON = Source("films", "Films.", "films", "json", ("id", "name"))
CSV = Source("parcels", "Parcels.", "parcels", "csv", ("id", "name"))
BOM = b"\xef\xbb\xbf"
HEADER = b"id,name\n"


def found(content: bytes, name: str = "a.jsonl") -> Inspection:
    """The inspection of a file without its hash; the name tells the source."""
    source = CSV if ".csv" in name else JSON
    inspected = inspect_file(io.BytesIO(content), f"raw/{source.path}/{name}", source)
    assert inspected.content_hash == hashlib.sha256(content).hexdigest()
    assert (inspected.reason is None) == (inspected.outcome == "read")
    return inspected


def outcome(content: bytes, name: str = "a.jsonl") -> tuple[str, str | int]:
    """The outcome, and its reason or the count of records."""
    inspected = found(content, name)
    return inspected.outcome, inspected.records if inspected.reason is None else inspected.reason


@pytest.fixture(params=[1, 2, 3, 5, 7, 64, inspection.CHUNK])
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The size of the pieces that are read."""
    size: int = request.param
    monkeypatch.setattr(inspection, "CHUNK", size)
    return size


LINES = [
    (b"{}\n", 1),
    (b"{}", 1),
    (b"{}\n{}", 2),
    (b"{}\n{}\n", 2),
    (b"{}\r\n{}\r\n", 2),
    (b"{}\r{}\r", 2),
    (b"{}\r{}", 2),
    (b"{}\r\r\n{}\n\r\n\n\r{}", 3),
    (b"\n\n{}\n", 1),
    (b"\r\n \t\r\n{}\r\n \x0b\x0c\r\n", 1),
    (BOM + b"{}\n{}\n", 2),
    (BOM + b"\n{}\n", 1),
    (BOM + b"{}", 1),
    (b"\n" + BOM + b"\n", 1),  # a mark anywhere else is a character
    (BOM + BOM + b"\n", 1),
    (b"a\nb", 2),
    (b"\xff\n\xc3\n", 2),
    ("{\x85}\n{\u2028}\n{\x1c}\n".encode(), 3),  # line ends for str.splitlines, not for files of lines
    ("\x85\n \xa0\u3000\t\n{}\n\u2028\u2029\u1680\n".encode(), 1),
    ("\u200b\n\x1c\n\0\n\x85\xff\n".encode(), 4),  # none of them white space alone
    (b"\xc2\n\xe3\x80\n", 2),  # pieces of white space
    (b'{"a": 1}\n' * 1000, 1000),
    (b"x [\n[1]\n", 2),
]


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize(("content", "records"), LINES)
def test_json_records_are_lines_that_are_not_blank(content: bytes, records: int) -> None:
    assert outcome(content) == ("read", records)
    assert outcome(gzip.compress(content), "a.jsonl.gz") == ("read", records)


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize("content", [b"\n", b" \r\n\t\n", BOM, BOM + b"\n", b"\x0b\x0c\r"])
def test_blank_lines_alone_are_an_empty_file(content: bytes) -> None:
    for name in ("a.jsonl", "a.csv"):
        assert outcome(gzip.compress(content), f"{name}.gz") == outcome(content, name)
    assert outcome(content) == ("empty", "no record")


def test_no_byte_is_an_empty_file() -> None:
    for name in ("a.json", "a.csv", "a.jsonl.gz", "a.csv.gz"):
        assert outcome(b"", name) == ("empty", "no byte")
    assert outcome(gzip.compress(b""), "a.jsonl.gz") == ("empty", "no record")
    assert outcome(gzip.compress(b""), "a.csv.gz") == ("empty", "no record")


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize("content", [b"[{}]", b"[\n{},\n{}\n]\n", b" \n\r\n\t[{}", BOM + b"[]", b"[" + b"{}," * 1000])
def test_an_array_is_refused(content: bytes) -> None:
    assert outcome(content) == ("unreadable", "json_array: expected one JSON object a line, found an array")


def test_a_line_without_end_is_refused_before_it_is_all_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "MAX_LINE", 1 << 20)
    monkeypatch.setattr(inspection, "CHUNK", 1 << 18)
    refused = ("unreadable", "line_too_long: a line of over 1 MiB")
    long = b"x" * (8 << 20)
    stream = io.BytesIO(b"{}\n" + long)
    assert (inspect_file(stream, "raw/films/a.jsonl", JSON).reason, stream.tell() < len(long)) == (refused[1], True)
    assert outcome(gzip.compress(b"{}\n" + long), "a.jsonl.gz") == refused
    assert outcome(HEADER + b"1," + long, "a.csv") == refused
    assert outcome(b"x" * (1 << 20) + b"\n{}\n") == ("read", 2)


RECORDS = [
    (HEADER + b"1,a\n", 1),
    (HEADER + b"1,a", 1),
    (HEADER + b"1,a\n\n\n2,b\n", 2),
    (b"\n\n" + HEADER + b"1,a\n", 1),
    (HEADER.replace(b"\n", b"\r\n") + b"1,a\r\n2,b\r\n", 2),
    (HEADER.replace(b"\n", b"\r") + b"1,a\r2,b", 2),
    (HEADER + b'1,"a\nb"\n2,"a\r\nb\rc"\n', 2),
    (HEADER + b'1,"say ""hi""\n"\n2,""\n3,6" pipe\n', 3),
    (HEADER + b"1\n1,2,3\n,\n \n", 4),  # how many cells a record has is looked at later
    (HEADER + b"1,\0\n\xef\xbf\xbd,2\n", 2),
    (HEADER + "1,\x85\u2028\x0b\x0c\x1c\n".encode(), 1),
    (BOM + HEADER + b"1,a\n", 1),
    (BOM + b'"id",name\n1,a\n', 1),
    (b"name,other,id\n1,2,3\n", 1),
    (b" id , name \n1,2\n", 1),
]


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize(("content", "records"), RECORDS)
def test_csv_records(content: bytes, records: int) -> None:
    assert outcome(content, "a.csv") == ("read", records)
    assert outcome(gzip.compress(content), "a.csv.gz") == ("read", records)


def test_a_csv_header_is_told() -> None:
    assert found(BOM + b' name ,"the ""id""",id,,a\n1,2,3,4,5\n', "a.csv").header == ("name", 'the "id"', "id", "", "a")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (HEADER, ("empty", "header only")),
        (b"id,name", ("empty", "header only")),
        (HEADER + b"\n\n", ("empty", "header only")),
        (b"id\n1\n", ("unreadable", "missing_columns: name")),
        (b"1,a\n", ("unreadable", "missing_columns: id, name")),
        (b"ID,Name\n1,a\n", ("unreadable", "missing_columns: id, name")),
        (b"id,name,b,name,b\n1,2,3,4,5\n", ("unreadable", "repeated_columns: b, name")),
        (b"id,name,,\n1,2,,\n", ("unreadable", "repeated_columns: (no name)")),
        (b"id,name, id\n1,2,3\n", ("unreadable", "repeated_columns: id")),
        (HEADER + b'1,"a\n2,b\n', ("unreadable", "broken_csv: line 3: unexpected end of data")),
        (HEADER + b'1,"a"b\n', ("unreadable", "broken_csv: line 2: ',' expected after '\"'")),
        (b'id,"name\n1,a\n', ("unreadable", "broken_csv: line 2: unexpected end of data")),
    ],
)
def test_csv_files_that_are_not_read(content: bytes, expected: tuple[str, str]) -> None:
    assert outcome(content, "a.csv") == expected
    assert outcome(gzip.compress(content), "a.csv.gz") == expected


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"id,name\n1,a\r\n", 2),
        (b"id,name\r\n1,a\n2,b\r\n", 2),
        (b"id,name\r\n1,a\r\n2,b\n", 3),
        (b"id,name\n1,a\n2,b\r3,c\n", 3),
        (b"id,name\n1,a\n\r\n", 3),
        (b"id,name\r\r\n1,a\r\r\n", 2),
        (b'id,"na\nme",name\r\n1,a,b\r\n', 2),  # Spark takes the first line end for all, also when it is in quotes
    ],
)
def test_line_ends_must_not_change(content: bytes, line: int) -> None:
    reason = f"mixed_line_ends: line {line} ends in another way than the first"
    assert outcome(content, "a.csv") == ("unreadable", reason)


def test_line_ends_in_quotes_are_content() -> None:
    assert outcome(b'id,name\r\n1,"a\nb\rc"\r\n', "a.csv") == ("read", 1)


@pytest.mark.parametrize(
    ("content", "undecodable"),
    [(b"", False), (b"2,\xc3\xa9\n", False), (b"2,\xe9\n", True), (b"2,\xc3\n", True), (b"2,\xed\xa0\x80\n", True)],
)
def test_a_csv_file_with_bytes_that_are_not_utf8_is_marked(content: bytes, undecodable: bool) -> None:
    inspected = found(HEADER + b"1,a\n" + content, "a.csv")
    assert (inspected.outcome, inspected.undecodable) == ("read", undecodable)


def test_a_byte_order_mark_before_other_bytes_than_utf8_is_refused() -> None:
    reason = "not_utf8: begins with the byte order mark of UTF-8, but isn't UTF-8"
    assert outcome(BOM + HEADER + b"1,\xe9\n", "a.csv") == ("unreadable", reason)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf16_is_refused(encoding: str) -> None:
    for text, name in (('{"id": 1}\n', "a.jsonl"), ("id,name\n1,a\n", "a.csv")):
        content = text.encode(encoding)
        assert outcome(content, name) == ("unreadable", "not_utf8: looks like UTF-16")
        assert outcome(gzip.compress(content), f"{name}.gz") == ("unreadable", "not_utf8: looks like UTF-16")
