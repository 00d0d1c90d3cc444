"""Kinds of CSV files with bad records: cells of depots, and typed values of legs, one each."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bad_input.csv_files import HEADER, depots
from tests.bad_input.kind import Checks, Kind

COUNT = ("column_count",)
LEG = ("parcel_id", "leg_number", "depot_id", "weight_kg", "scanned_at")
Row = tuple[str, str, str, str]


def rejected(
    name: str, what: str, content: bytes, rejects: tuple[Checks, ...], *loads: str, holds: int | None = None
) -> Kind:
    """A file of depots with rejected records."""
    return Kind(name, what, HEADER + content, "depots", rejects=rejects, loads=loads, holds=holds)


DEPOTS = (
    rejected("too-few-cells", "Fewer cells than the header has.", b"z\nf1,York\n", (COUNT,), "f1"),
    rejected("too-many-cells", "More cells than the header has.", b"z,Hull,x\nf2,York\n", (COUNT,), "f2"),
    rejected("comma-behind", "A comma behind each record.", b"z,Hull,\n", (COUNT,)),
    rejected("line-cut", "A last line that is half written.", b"f3,York\nz", (COUNT,), "f3"),
    rejected("total-line", "A line of totals at the end.", b"f4,York\nTotal: 1\n", (COUNT,), "f4", holds=1),
    rejected("white-line", "A line of blanks.", b"f5,York\n   \n", (COUNT,), "f5", holds=1),
    rejected(
        "commas-only", "A line of commas.", b"f6,York\n,\n", (("depot_id_missing", "town_missing"),), "f6", holds=1
    ),
    rejected("csv-latin-1", "A line in Latin-1.", b"z,M\xfcnchen\nf7,\xc3\xa9\n", (("invalid_utf8",),), "f7"),
    rejected("csv-large-cell", "A cell of 5 MiB.", b"z," + b"x" * (5 << 20) + b"\n", (("record_too_large",),)),
    rejected("empty-cell", "An empty cell where there must be text.", b"z,\n", (("town_missing",),)),
    rejected("quoted-empty-cell", "Quotes with nothing in them.", b'z,""\n', (("town_missing",),)),
    rejected("empty-csv-key", "An empty key.", b",Hull\n", (("depot_id_missing",),)),
    depots(
        "null-words", "Words that stand for null elsewhere.", HEADER + b"g1,NULL\ng2,\\N\ng3,N/A\n", "g1", "g2", "g3"
    ),
    depots("csv-nul", "A NUL in a cell, bare and in quotes.", HEADER + b'g4,a\0b\ng5,"a\0b"\n', "g4", "g5"),
    depots("csv-formula", "Formulas for spreadsheets.", HEADER + b"g6,=1+1\ng7,@x\n", "g6", "g7"),
    depots("blanks-around", "Blanks around a text.", HEADER + b"g8, Hull \n", "g8"),
    depots("comment-sign", "A key that begins with a comment's sign.", HEADER + b"#g9,Hull\n", "#g9"),
    Kind("csv-same-twice", "One record twice.", HEADER + b"h1,Hull\n" * 2, "depots", loads=("h1",), duplicates=1),
)
NUMBER: tuple[Row, ...] = (
    # (name, what is wrong, the cell, the check that fails; none if it loads)
    ("csv-letters", "Letters as a number.", "x1", "leg_number_invalid"),
    ("int-overflow", "A number beyond an int.", "99999999999", "leg_number_invalid"),
    ("csv-too-large", "A number of twenty digits.", "9" * 20, "leg_number_invalid"),
    ("csv-fraction", "A fraction as a whole number.", "6.9", "leg_number_invalid"),
    ("csv-exponent", "A whole number with an exponent.", "1e3", "leg_number_invalid"),
    ("number-missing", "No number where there must be one.", "", "leg_number_missing"),
    ("csv-blanks", "A number with blanks around.", " 7 ", ""),
    ("csv-zeros", "Leading zeros.", "007", ""),
    ("csv-plus", "A plus sign.", "+7", ""),
)
WEIGHT: tuple[Row, ...] = (
    ("scale", "A fourth decimal place, where three are declared.", "1.0005", "weight_kg_invalid"),
    ("decimal-too-large", "More digits before the point than declared.", "1000000", "weight_kg_invalid"),
    ("decimal-nan", "NaN as a decimal.", "NaN", "weight_kg_invalid"),
    ("decimal-infinite", "Infinity as a decimal.", "Infinity", "weight_kg_invalid"),
    ("decimal-comma", "A comma for the point.", '"1,5"', "weight_kg_invalid"),
    ("weight-thousands", "Commas between thousands.", '"1,000.5"', "weight_kg_invalid"),
    ("not-available", "N/A as a number.", "N/A", "weight_kg_invalid"),
    ("csv-negative", "A number below the range.", "-1", "weight_is_positive"),
    ("zeros-behind-point", "Zeros behind the last place.", "2.5000", ""),
    ("csv-empty-number", "No number where there may be none.", "", ""),
)
MOMENT: tuple[Row, ...] = (
    ("csv-no-offset", "A time without an offset.", "2026-11-01T10:00:00", "scanned_at_invalid"),
    ("csv-no-such-hour", "A local time that the clocks leap over.", "2026-03-29T02:30:00", "scanned_at_invalid"),
    ("csv-zeros-as-time", "A time of zeros.", "0000-00-00T00:00:00Z", "scanned_at_invalid"),
    ("csv-february-30", "The 30th of February.", "2026-02-30T00:00:00Z", "scanned_at_invalid"),
    ("csv-short-date", "A date without its zeros.", "26-1-1", "scanned_at_invalid"),
    ("csv-far-time", "A year of five digits.", "99999-01-01T00:00:00Z", "scanned_at_invalid"),
    ("csv-date-only", "A day without a time.", "2026-11-20", "scanned_at_invalid"),
    ("csv-offset", "A time with an offset.", "2026-11-01T10:00:00+02:00", ""),
    ("csv-early-time", "A time in the year 1500.", "1500-01-01T00:00:00Z", ""),
)
FIELDS = {"leg_number": NUMBER, "weight_kg": WEIGHT, "scanned_at": MOMENT}


def _legs() -> Iterator[Kind]:
    for field, rows in FIELDS.items():
        for name, what, cell, failed in rows:
            cells = dict(zip(LEG, (name, "1", "D1", "2.5", "2026-11-01T08:00:00Z"), strict=True)) | {field: cell}
            content = f"{','.join(LEG)}\n{','.join(cells.values())}\n".encode()
            rejects, loads = (((failed,),), ()) if failed else ((), (name,))
            yield Kind(name, what, content, "legs", rejects=rejects, loads=loads)


KINDS = (*DEPOTS, *_legs())
