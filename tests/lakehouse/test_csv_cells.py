"""How CSV files read, cell by cell: exact values or the record's problem, by hand and as Python's parser has them.

All files are read in one run of bronze. The ones that the ledger refuses stand in test_inspection.py.
"""

from __future__ import annotations

import base64
import csv
import gzip
import io
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.conftest import Lake
from tests.pipelines import datasets

HEADER = b"depot_id,town\n"
BOM = b"\xef\xbb\xbf"

Cells = dict[str, str | None]
FILES: dict[str, tuple[bytes, list[Cells]]] = {
    "plain": (HEADER + b"a,Hull\nb,York", [{"depot_id": "a", "town": "Hull"}, {"depot_id": "b", "town": "York"}]),
    "crlf": (b"depot_id,town\r\na,Hull\r\n", [{"depot_id": "a", "town": "Hull"}]),
    "cr": (b"depot_id,town\ra,Hull\rb,York\r", [{"depot_id": "a", "town": "Hull"}, {"depot_id": "b", "town": "York"}]),
    "bom": (BOM + HEADER + b"a,Hull\n", [{"depot_id": "a", "town": "Hull"}]),
    "quoted bom": (BOM + b'"depot_id",town\na,Hull\n', [{"depot_id": "a", "town": "Hull"}]),
    "blank lines": (b"\n\n" + HEADER + b"\na,Hull\n\n\n", [{"depot_id": "a", "town": "Hull"}]),
    "newlines in quotes": (
        HEADER + b'a,"Hull\nYork"\nb,"Hull\r\nYork"\nc,"Hull\rYork"\n"\nd\n","\n"\n',
        [
            {"depot_id": "a", "town": "Hull\nYork"},
            {"depot_id": "b", "town": "Hull\r\nYork"},
            {"depot_id": "c", "town": "Hull\rYork"},
            {"depot_id": "\nd\n", "town": "\n"},
        ],
    ),
    "doubled quotes": (
        HEADER + b'a,"say ""hi"""\nb,""""\nc,"a"",""b"\nd,""\n',
        [
            {"depot_id": "a", "town": 'say "hi"'},
            {"depot_id": "b", "town": '"'},
            {"depot_id": "c", "town": 'a","b'},
            {"depot_id": "d", "town": ""},
        ],
    ),
    "quotes inside": (
        HEADER + b'a,6" pipe\nb,x"y"\nc, "Hull"\n',
        [{"depot_id": "a", "town": '6" pipe'}, {"depot_id": "b", "town": 'x"y"'}, {"depot_id": "c", "town": ' "Hull"'}],
    ),
    "backslashes": (
        HEADER + b'a,"x\\"\nb,x\\\nc,\\N\n',
        [{"depot_id": "a", "town": "x\\"}, {"depot_id": "b", "town": "x\\"}, {"depot_id": "c", "town": "\\N"}],
    ),
    "empty and quoted empty": (
        HEADER + b'a,\nb,""\n,Hull\n"",Hull\n,\n',
        [
            {"depot_id": "a", "town": None},
            {"depot_id": "b", "town": ""},
            {"depot_id": None, "town": "Hull"},
            {"depot_id": "", "town": "Hull"},
            {"depot_id": None, "town": None},
        ],
    ),
    "texts like null": (
        HEADER + b"null,NULL\nNA,NaN\n#N/A,-\n",
        [
            {"depot_id": "null", "town": "NULL"},
            {"depot_id": "NA", "town": "NaN"},
            {"depot_id": "#N/A", "town": "-"},
        ],
    ),
    "spaces": (b" depot_id , town \n a , Hull\t\n", [{"depot_id": " a ", "town": " Hull\t"}]),
    "odd characters": (
        HEADER
        + '#a,é😀\n\0b,\0\n"\0c","x\0""\0"\n\'d\',\u2028\x85\x0b\x0c\x1c\ufeff\n=1+1,@x\n\ue000,\ue000\n'.encode(),
        [
            {"depot_id": "#a", "town": "é😀"},
            {"depot_id": "\0b", "town": "\0"},
            {"depot_id": "\0c", "town": 'x\0"\0'},
            {"depot_id": "'d'", "town": "\u2028\x85\x0b\x0c\x1c\ufeff"},
            {"depot_id": "=1+1", "town": "@x"},
            {"depot_id": "\ue000", "town": "\ue000"},
        ],
    ),
    "replacement character": (HEADER + "a,\ufffd\n".encode(), [{"depot_id": "a", "town": "\ufffd"}]),
    "reordered": (b"town,depot_id\nHull,a\n", [{"depot_id": "a", "town": "Hull"}]),
    "reordered again": (b"town,depot_id\nYork,b\n", [{"depot_id": "b", "town": "York"}]),
    "extra": (
        b"colour,depot_id,Town,town,\nred,a,x,Hull,\n,b,,York,\n",
        [
            {"depot_id": "a", "town": "Hull", "colour": "red", "Town": "x", "": None},
            {"depot_id": "b", "town": "York", "colour": None, "Town": None, "": None},
        ],
    ),
    "large": (HEADER + b"a," + b"x" * 1_000_000 + b"\n", [{"depot_id": "a", "town": "x" * 1_000_000}]),
}
PROBLEMS: dict[str, tuple[bytes, list[tuple[str, bytes] | Cells]]] = {
    "count": (
        HEADER + b'a\nb,Hull,x\nc,York\n   \n""\nd,"x\ny",z\n',
        [
            ("column_count", b"a"),
            ("column_count", b"b,Hull,x"),
            {"depot_id": "c", "town": "York"},
            ("column_count", b"   "),
            ("column_count", b'""'),
            ("column_count", b'd,"x\ny",z'),
        ],
    ),
    "two files": (
        HEADER + b"a,Hull\n" + HEADER + b"town,depot_id\n",
        [
            {"depot_id": "a", "town": "Hull"},
            ("repeated_header", b"depot_id,town"),
            {"depot_id": "town", "town": "depot_id"},
        ],
    ),
    "two files with blanks in the header": (
        b"depot_id, town\na,Hull\ndepot_id, town\ndepot_id,Town\n",
        [
            {"depot_id": "a", "town": "Hull"},
            ("repeated_header", b"depot_id, town"),
            {"depot_id": "depot_id", "town": "Town"},
        ],
    ),
    "bytes": (
        HEADER + b'a,caf\xe9\nb,caf\xc3\xa9\nc,\xef\xbf\xbd\n\xff\n"d","\xed\xa0\x80"\ne,"x\xe9\ny"\nf\n',
        [
            ("invalid_utf8", b"a,caf\xe9"),
            {"depot_id": "b", "town": "café"},
            {"depot_id": "c", "town": "\ufffd"},
            ("invalid_utf8", b"\xff"),
            ("invalid_utf8", b"d,\xed\xa0\x80"),
            ("invalid_utf8", b'e,"x\xe9\ny"'),
            ("column_count", b"f"),
        ],
    ),
    "bytes in the header": (
        b"depot_id,town,fl\xfcgel\na,Hull,x\nb,York,\xfc\n",
        [{"depot_id": "a", "town": "Hull", "fl\ufffdgel": "x"}, ("invalid_utf8", b"b,York,\xfc")],
    ),
    "too large": (
        HEADER + b"a," + b"x" * (5 << 20) + b"\nb,York\n" + b"c" * (1 << 19) + b"," + b"d" * (1 << 19) + b"x\n",
        [
            ("record_too_large", b"a," + b"x" * (5 << 20)),
            {"depot_id": "b", "town": "York"},
            ("record_too_large", b"c" * (1 << 19) + b"," + b"d" * (1 << 19) + b"x"),
        ],
    ),
}
ALL: dict[str, tuple[bytes, list[Any]]] = {**FILES, **PROBLEMS}
ZIPPED = ("newlines in quotes", "bytes", "cr")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Lake:
    """A lake after one run of bronze on all files, some of them zipped too, as depots of the sample dataset."""
    lake = Lake(tmp_path_factory.mktemp("cells") / "lake", spark)
    for name, (content, _) in ALL.items():
        lake.land(f"parcels/depots/{name}.csv", content)
    for name in ZIPPED:
        lake.land(f"parcels/depots/{name}.csv.gz", gzip.compress(ALL[name][0]))
    with datasets.pipeline("parcels") as script:
        lake.run("bronze", script=script, pipeline="parcels")
    return lake


@pytest.fixture(scope="module")
def rows(lake: Lake) -> dict[str, list[Any]]:
    """What became of each file's records, in their order, as the tables above write it."""
    frame = lake.spark.read.format("delta").load(str(lake.root / "bronze/depots"))
    found: dict[str, list[Any]] = {}
    for row in sorted(frame.collect(), key=lambda row: row["_record_id"]):
        cells = {"depot_id": row["depot_id"], "town": row["town"], **(row["_extra"] or {})}
        problem = (row["_problem"], stored(row["_original"])) if row["_problem"] else None
        found.setdefault(row["_file"].removeprefix("raw/parcels/depots/"), []).append(problem or cells)
        assert not problem or set(cells.values()) == {None}
    return found


def stored(original: str) -> bytes:
    """A record's own bytes."""
    encoded = original.removeprefix("base64:")
    return original.encode() if encoded == original else base64.b64decode(encoded)


@pytest.mark.parametrize("name", ALL)
def test_cells(name: str, rows: dict[str, list[Any]]) -> None:
    assert rows[f"{name}.csv"] == ALL[name][1]


@pytest.mark.parametrize("name", ZIPPED)
def test_cells_of_zipped_files(name: str, rows: dict[str, list[Any]]) -> None:
    assert rows[f"{name}.csv.gz"] == ALL[name][1]


def test_the_ledger_counts_the_same(lake: Lake) -> None:
    ledger = {key: rest for key, *rest in lake.rows("ledger/parcels", "key", "outcome", "reason", "records")}
    expected = {f"raw/parcels/depots/{name}.csv": ["read", None, len(cells)] for name, (_, cells) in ALL.items()}
    zipped = {f"{key}.gz": expected[key] for key in (f"raw/parcels/depots/{name}.csv" for name in ZIPPED)}
    assert ledger == {**expected, **zipped}


def python_cells(content: bytes) -> list[dict[str, str] | None]:
    """The records by Python's parser; None for those with another number of cells than the header."""
    csv.field_size_limit(1 << 30)
    lines = csv.reader(io.StringIO(content.decode("utf-8-sig", errors="replace"), newline=""), strict=True)
    header, *records = [row for row in lines if row]
    names = [name.strip() for name in header]
    return [dict(zip(names, record, strict=True)) if len(record) == len(names) else None for record in records]


@pytest.mark.parametrize("name", ALL)
def test_python_reads_the_same(name: str) -> None:
    """Only an empty and a quoted empty cell are one to Python, and bytes that aren't UTF-8 replaced ones."""
    content, expected = ALL[name]
    for found, cells in zip(python_cells(content), expected, strict=True):
        if isinstance(cells, dict):
            assert found == {column: cell or "" for column, cell in cells.items()}
        else:
            assert (found is None) >= (cells[0] == "column_count")
