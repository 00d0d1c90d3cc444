"""Kinds of CSV files that are bad as a whole: packing, encoding, header, quotes, line ends, another format."""

from __future__ import annotations

import functools

from tests.bad_input import kind
from tests.bad_input.kind import BOM, PARQUET, Kind, archived, zipped

HEADER = b"depot_id,town\n"
Z = HEADER + b"z,Hull\n"
GZ = "depots.csv.gz"
refused = functools.partial(kind.refused, source="depots")


def depots(name: str, what: str, content: bytes, *loads: str, file: str = "", holds: int | None = None) -> Kind:
    """A file of depots that all load."""
    return Kind(name, what, content, "depots", file, loads=loads, holds=holds)


def empty(name: str, what: str, content: bytes, reason: str) -> Kind:
    """A file without a record."""
    return Kind(name, what, content, "depots", outcome="empty", reason=reason)


FILES = (
    depots("plain-csv", "Nothing: CSV as it should be.", HEADER + b"a1,Hull\n", "a1"),
    empty("csv-no-byte", "A file of 0 bytes.", b"", "no byte"),
    empty("csv-blank-lines", "Line ends only.", b"\n\n\n", "no record"),
    empty("header-only", "A header without a record.", HEADER, "header only"),
)
PACKED = (
    depots("csv-gzip", "Nothing: gzip as it should be.", zipped(HEADER + b"a2,Hull\n"), "a2", file=GZ),
    depots(
        "csv-gzip-members",
        "Gzip files one behind the other, which is one gzip file.",
        zipped(HEADER + b"a3,Hull\n") + zipped(b"a4,Hull\n"),
        "a3",
        "a4",
        file=GZ,
    ),
    refused(
        "csv-gzip-cut", "Gzip without its last bytes.", zipped(HEADER + b"z,Hull\n" * 99)[:-12], "broken_gzip: ", 99, GZ
    ),
    refused("csv-gzip-garbage", "Other bytes behind the gzip.", zipped(Z) + b"more", "broken_gzip: ", 1, GZ),
    refused("csv-named-gz", "Text whose name ends in .gz.", Z, "not_gzip: ", 1, GZ),
    refused("gzip-named-csv", "Gzip whose name doesn't end in .gz.", zipped(Z), "gzip_without_gz: "),
    refused("workbook-named-csv", "A workbook named .csv: a zip archive.", archived(), "not_text: zip", 0),
    refused("parquet-named-csv", "Parquet named .csv.", PARQUET, "not_text: Parquet"),
    refused("html-named-csv", "A server's error page.", b"<html>\n<p>Oh, no\n</html>\n", "missing_columns: ", 0),
    refused("json-named-csv", "JSON lines named .csv.", b'{"depot_id":"z","town":"Hull"}\n', "broken_csv: "),
    refused("csv-underscore", "A name that begins with an underscore.", Z, "hidden_name: ", 1, "_depots.csv"),
    refused("tsv", "Another suffix.", Z, "unexpected_name: ", 1, "depots.tsv"),
    depots("csv-odd-name", "Brackets and the like in the name.", HEADER + b"a5,Hull\n", "a5", file="[a] {b} *%20.csv"),
)
ENCODED = (
    depots("bom-crlf", "A byte order mark, and CR LF.", BOM + b"depot_id,town\r\nc3,Hull\r\n", "c3"),
    refused("bom-latin-1", "A byte order mark before Latin-1.", BOM + HEADER + b"z,M\xfcnchen\n", "not_utf8: "),
    refused("csv-utf-16", "UTF-16, as spreadsheets save it.", Z.decode().encode("utf-16"), "not_utf8: "),
)
HEADED = (
    depots("reordered", "The header's names in another order.", b"town,depot_id\nGhent,b1\n", "b1"),
    depots("extra-column", "A column that isn't declared.", b"depot_id,colour,town\nb2,red,Ghent\n", "b2"),
    depots(
        "sql-in-header",
        "A column whose name is SQL.",
        b'depot_id,town,"x""; DROP TABLE depots --"\nb6,Hull,1\n',
        "b6",
    ),
    depots("blanks-in-header", "Blanks around the header's names.", b" depot_id , town \nb3,Hull\n", "b3"),
    refused("renamed", "A column by another name.", b"depot_id,city\nz,Hull\n", "missing_columns: town"),
    refused("missing-column", "A column is missing.", b"depot_id\nz\n", "missing_columns: town"),
    refused("repeated-column", "A column twice.", b"depot_id,town,town\nz,Hull,York\n", "repeated_columns: town"),
    refused("header-upper-case", "Names in upper case.", b"DEPOT_ID,TOWN\nz,Hull\n", "missing_columns: depot_id, town"),
    refused("no-header", "No header.", b"z,Hull\ny,York\n", "missing_columns: depot_id, town", 2),
    refused("comment-first", "A comment before the header.", b"# depots\n" + Z, "missing_columns: depot_id, town"),
    refused("separator-first", "A line for Excel first.", b"sep=,\n" + Z, "missing_columns: depot_id, town"),
    refused("semicolons", "Semicolons for commas.", Z.replace(b",", b";"), "missing_columns: depot_id, town"),
    refused("tabs", "Tabs for commas.", Z.replace(b",", b"\t"), "missing_columns: depot_id, town"),
    Kind(
        "header-twice",
        "Two files one behind the other: the header is among the records.",
        HEADER + b"b4,Hull\n" + HEADER + b"b5,York\n",
        "depots",
        rejects=(("repeated_header",),),
        loads=("b4", "b5"),
        holds=2,
    ),
)
QUOTED = (
    depots(
        "quotes", "Doubled quotes, a comma and a line feed in quotes.", HEADER + b'd1,"say ""hi""\nand, bye"\n', "d1"
    ),
    depots("quoted-line-ends", "CR and LF in quotes.", HEADER + b'd2,"a\rb"\nd3,"a\nb"\n', "d2", "d3"),
    depots("quote-inside", "A quote within a cell that has none around.", HEADER + b'd4,6" pipe\n', "d4"),
    depots("backslash-behind", "A backslash before the closing quote.", HEADER + b'd5,"C:\\"\nd6,Hull\n', "d5", "d6"),
    refused("open-quote", "A quote that is never closed.", HEADER + b'z,"Hull\ny,York\nx,Leeds\n', "broken_csv: ", 3),
    refused("text-behind-quote", "Text behind the closing quote.", HEADER + b'z,"Hull"s\n', "broken_csv: "),
    refused("escaped-quote", "Quotes escaped by backslashes.", HEADER + b'z,"say \\"hi\\", bye"\n', "broken_csv: "),
)
ENDED = (
    depots("csv-cr", "Lines that end in CR.", b"depot_id,town\re1,Hull\re2,York\r", "e1", "e2"),
    depots("csv-no-end", "A last line without an end.", HEADER + b"e3,Hull", "e3"),
    refused(
        "csv-mixed-ends", "Lines that end in LF and CR LF.", HEADER + b"z,Hull\r\ny,York\n", "mixed_line_ends: ", 2
    ),
)
KINDS = (*FILES, *PACKED, *ENCODED, *HEADED, *QUOTED, *ENDED)
