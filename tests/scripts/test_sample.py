"""A sample is read as the lake reads its files; whatever the lake would refuse or reject stops with file and line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from sample import EXCERPT, SampleError, read_sample

CSV = b"id,name\n1,Ann\n2,Bo\n"


def write(folder: Path, name: str, content: bytes) -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content)
    return path


def test_csv(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbfid, Full Name ,note\r\n1," Ann\t",""\r\n\r\n2,"Bo, ""B""","a\r\nb"\r\n'
    sample = read_sample(write(tmp_path, "people.csv", content), "people")
    assert (sample.file, sample.format, sample.unclear) == ("people.csv", "csv", {})
    assert sample.columns == {"id": ["1", "2"], "Full Name": ["Ann", 'Bo, "B"'], "note": [None, "a\nb"]}
    assert sample.excerpt == content.removeprefix(b"\xef\xbb\xbf")


def test_json_lines_keep_how_a_number_is_spelled(tmp_path: Path) -> None:
    content = b'{"a":7.40,"b":true,"c":" x "}\n\n{"a":-0.0,"d":{"e":1},"f":1e3}\n{"a":null,"d":"text","c":"\xc3\xa4"}'
    sample = read_sample(write(tmp_path, "s.jsonl", content), "s")
    assert sample.columns == {
        "a": ["7.40", "-0.0", None],
        "b": ["true", None, None],
        "c": ["x", None, "ä"],
        "d": [None, None, "text"],
        "f": [None, None, None],
    }
    assert sample.unclear == {"d": "objects or lists", "f": "numbers that are read as floating point"}
    assert sample.excerpt == content.replace(b"\n\n", b"\n")


@pytest.mark.parametrize("name", ["many.csv", "many.csv.gz"])
def test_the_excerpt_ends_with_a_record(tmp_path: Path, name: str) -> None:
    lines = ["id,text", *(f'{number},"two\nlines"' for number in range(EXCERPT + 5))]
    content = "".join(f"{line}\n" for line in lines).encode()
    packed = gzip.compress(content) if name.endswith(".gz") else content
    sample = read_sample(write(tmp_path, name, packed), "many")
    assert (sample.file, len(sample.columns["id"])) == ("many.csv", EXCERPT + 5)
    assert sample.excerpt.decode() == "".join(f"{line}\n" for line in lines[: EXCERPT + 1])


TAKES_NOTHING = "a lake takes nothing from this file: "
DELETE = "a record of over 1 MiB, which a lake rejects; delete it"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("s.csv", b"", f"{TAKES_NOTHING}no byte"),
        ("s.csv", b"id,name\n", f"{TAKES_NOTHING}header only"),
        ("s.jsonl", b" \n\n", f"{TAKES_NOTHING}no record"),
        ("s.jsonl", b'[{"a":1}]', f"{TAKES_NOTHING}json_array: expected one JSON object a line, found an array"),
        ("s.csv", b"id,id\n1,2\n", f"{TAKES_NOTHING}repeated_columns: id"),
        ("s.csv", b"id,name\r\n1,a\n", f"{TAKES_NOTHING}mixed_line_ends: line 2 ends in another way than the first"),
        ("s.csv", gzip.compress(CSV, mtime=0), f"{TAKES_NOTHING}gzip_without_gz: gzip, but not named .gz"),
        ("_s.csv", CSV, f"{TAKES_NOTHING}hidden_name: Spark skips files whose name begins with _ or .; rename it"),
        ("s.txt", CSV, f"{TAKES_NOTHING}unexpected_name: expected a name that ends in .csv, with or without .gz"),
        ("s.csv", b"id,name\n1,\xff\n", "line 2: isn't UTF-8; save the file in that encoding"),
        ("s.csv", b"id,\n1,2\n", "line 1: column 2 has no name; name it, or take it out of the files"),
        ("s.csv", CSV + b"3\n", "line 4: 1 cells, where the header has 2; mend the record or delete it"),
        ("s.csv", CSV + CSV, "line 4: the header once more; a sample is one file with one header"),
        ("s.csv", CSV + b"3," + b"x" * (1 << 20) + b"\n", f"line 4: {DELETE}"),
        ("s.jsonl", b'{"a":"' + b"x" * (1 << 20) + b'"}\n', f"line 1: {DELETE}"),
        ("s.jsonl", b'{"a":1}\n1,2\n', "line 2: expected one JSON object and nothing else: Extra data at character 2"),
        (
            "s.jsonl",
            b'{"a":1}{"a":2}\n',
            "line 1: expected one JSON object and nothing else: Extra data at character 8",
        ),
        ("s.jsonl", b'{"a":1}\n\n"a"\n', "line 3: expected a JSON object with fields"),
        ("s.jsonl", b'{"a":1,"b":{"c":1,"c":2}}\n', "line 1: the field c stands twice; a lake rejects such a record"),
        ("s.jsonl", b'{"a":NaN}\n', "line 1: NaN is no JSON; write null, or leave the field out"),
        (
            "s.jsonl",
            b'{"a":"\\ud800"}\n',
            "line 1: half a character, such as \\ud800 alone; a lake rejects such a record",
        ),
        ("s.jsonl", b'{"":1}\n', "line 1: a field has no name; name it, or take it out of the files"),
    ],
)
def test_refuses(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(SampleError) as refused:
        read_sample(path, "s")
    assert str(refused.value) == f"{path}: {problem}"


def test_refuses_what_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    with pytest.raises(SampleError) as refused:
        read_sample(path, "s")
    assert str(refused.value) == f"{path}: can't be read: No such file or directory; name a file with SAMPLE="
