"""Kinds of JSON files that are bad as a whole: packing, encoding, name, line ends, another format."""

from __future__ import annotations

import json

from tests.bad_input.kind import BOM, PARQUET, Kind, archived, damaged, good, ids, in_zstd, lines, refused, zipped
from tests.lakehouse.films import film, jsonl

MALFORMED = ("malformed_record",)
INVALID_UTF8 = ("invalid_utf8",)
NOTHING = ("movie_id_missing", "title_missing", "genre_missing", "release_date_missing", "updated_at_missing")
HTML = ("<!DOCTYPE html>", "<html><head><title>503</title></head>", "<body>Service Unavailable</body>", "</html>")
GZ = "films.jsonl.gz"
MANY = jsonl(*map(film, range(900, 990)))
SHORT = b'{"movie_id":"mv-0902"}\n'
"""Too short to be packed in more than one way: so its gzip has the same bytes everywhere."""

FILES = (
    Kind("plain", "Nothing: JSON lines as they should be.", lines(good(1), good(2)), loads=ids(1, 2)),
    Kind("no-byte", "A file of 0 bytes.", b"", outcome="empty", reason="no byte"),
    Kind("blank-lines", "Lines of white space only.", b"\n  \r\n\t\n", outcome="empty", reason="no record"),
)
PACKED = (
    Kind("gzip", "Nothing: gzip as it should be.", zipped(lines(good(3))), file=GZ, loads=ids(3)),
    Kind(
        "gzip-members",
        "Gzip files one behind the other, which is one gzip file.",
        zipped(lines(good(4))) + zipped(lines(good(5))),
        file=GZ,
        loads=ids(4, 5),
    ),
    refused("gzip-cut", "Gzip without its last bytes.", zipped(MANY)[:-20], "broken_gzip: ", 90, GZ),
    refused("gzip-damaged", "Gzip whose checksum is wrong.", damaged(zipped(MANY), -5), "broken_gzip: ", 90, GZ),
    refused("gzip-garbage", "Other bytes behind the gzip.", zipped(lines(good(901))) + b"more", "broken_gzip: ", 1, GZ),
    refused("gzip-zeros", "Zeros behind the gzip.", zipped(lines(good(901))) + bytes(512), "broken_gzip: ", 1, GZ),
    refused("gzip-twice", "Gzip in gzip.", zipped(zipped(SHORT)), "not_text: gzip", 1, GZ),
    refused("gzip-bomb", "A line of 65 MiB in 65 kB of gzip.", zipped(b"x" * (1 << 20)) * 65, "line_too_long: ", 0, GZ),
    refused("text-named-gz", "Text whose name ends in .gz.", lines(good(901)), "not_gzip: ", 1, GZ),
    refused("zip-named-gz", "A zip archive whose name ends in .gz.", archived(), "not_gzip: ", 1, GZ),
    refused("gzip-named-json", "Gzip whose name doesn't end in .gz.", zipped(SHORT), "gzip_without_gz: "),
    refused("zip-named-json", "A zip archive named .jsonl.", archived(), "not_text: zip"),
    refused("zstd-named-json", "Zstandard named .jsonl.", in_zstd(lines(good(901))), "not_text: zstd"),
    refused("parquet-named-json", "Parquet named .jsonl.", PARQUET, "not_text: Parquet", 0),
)
ENCODED = (
    refused("utf-16", "UTF-16 with its byte order mark.", lines(good(903)).decode().encode("utf-16"), "not_utf8: "),
    refused("utf-16-bare", "UTF-16 without a mark.", lines(good(903)).decode().encode("utf-16-le"), "not_utf8: "),
    Kind("bom", "The byte order mark of UTF-8.", BOM + lines(good(34), good(35)), loads=ids(34, 35)),
    Kind("bom-twice", "Two byte order marks.", BOM + BOM + lines(good(42)), rejects=(MALFORMED,)),
    Kind(
        "bom-inside",
        "A byte order mark within: two files one behind the other.",
        BOM + lines(good(43)) + BOM + lines(good(44)),
        rejects=(MALFORMED,),
        loads=ids(43),
    ),
    Kind(
        "latin-1",
        "A line in Latin-1.",
        lines(good(13)) + good(45).replace("Film", "Féte").encode("latin-1"),
        rejects=(INVALID_UTF8,),
        loads=ids(13),
    ),
    Kind(
        "cesu-8",
        "A character beyond U+FFFF as two halves of three bytes each.",
        good(46).replace("Film", "\ud83d\ude00").encode("utf-8", "surrogatepass"),
        rejects=(INVALID_UTF8,),
    ),
)
NAMED = (
    refused("underscore", "A name that begins with an underscore.", lines(good(906)), "hidden_name: ", 1, "_f.jsonl"),
    refused("dot", "A name that begins with a dot.", lines(good(906)), "hidden_name: ", 1, "._films.jsonl"),
    refused("colon", "A colon in the name.", lines(good(906)), "colon_in_name: ", 1, "12:30.jsonl"),
    refused("other-suffix", "Another suffix.", lines(good(906)), "unexpected_name: ", 1, "films.txt"),
    refused("upper-case-suffix", "A suffix in upper case.", lines(good(906)), "unexpected_name: ", 1, "films.JSON"),
    refused("part-file", "A file that is still on its way.", lines(good(906)), "unexpected_name: ", 1, "f.jsonl.part"),
    Kind(
        "odd-name",
        "Brackets, braces, stars, blanks and percents in the name.",
        lines(good(41)),
        file="a [b] {c} *d ?e %20+é.json",
        loads=ids(41),
    ),
)
ENDED = (
    Kind(
        "crlf",
        "Lines that end in CR LF, and a blank one.",
        lines(good(36), "", good(37), end="\r\n"),
        loads=ids(36, 37),
    ),
    Kind("cr", "Lines that end in CR.", lines(good(38), good(39), end="\r"), loads=ids(38, 39)),
    Kind(
        "mixed-line-ends",
        "Lines that end in LF, CR LF and CR.",
        lines(good(47)) + lines(good(48), end="\r\n") + lines(good(49), end="\r") + lines(good(50)),
        loads=ids(47, 48, 49, 50),
    ),
    Kind("no-end", "A last line without an end.", good(40).encode(), loads=ids(40)),
    Kind(
        "half-line",
        "A last line that is half written.",
        lines(good(51)) + good(52)[:60].encode(),
        rejects=(MALFORMED,),
        loads=ids(51),
    ),
    Kind(
        "zeros-behind",
        "Zeros behind the last line, as a crash leaves them.",
        lines(good(53)) + bytes(4096),
        rejects=(MALFORMED,),
        loads=ids(53),
        holds=1,
    ),
)
OTHER_FORMATS = (
    refused(
        "array", "One array over many lines.", json.dumps([film(904), film(905)], indent=1).encode(), "json_array: ", 2
    ),
    refused("array-in-a-line", "One array in one line.", lines(json.dumps([film(904), film(905)])), "json_array: ", 2),
    Kind(
        "late-array",
        "An array in a later line.",
        lines(good(54), f"[{good(55)}]"),
        rejects=(MALFORMED,),
        loads=ids(54),
    ),
    Kind(
        "pretty-printed",
        "One object over many lines.",
        json.dumps(film(56), indent=1).encode(),
        rejects=(MALFORMED,) * 14,
        holds=1,
    ),
    Kind(
        "wrapped",
        "One object around a list of all records.",
        lines(json.dumps({"films": [film(57), film(58)]})),
        rejects=(NOTHING,),
        holds=2,
    ),
    Kind("error-message", "A server's error in JSON.", lines('{"message":"Forbidden"}'), rejects=(NOTHING,), holds=0),
    Kind("html", "A server's error page.", lines(*HTML), rejects=(MALFORMED,) * 4, holds=0),
    Kind(
        "commas-behind", "Lines that end in a comma.", lines(f"{good(59)},", f"{good(60)},"), rejects=(MALFORMED,) * 2
    ),
)
KINDS = (*FILES, *PACKED, *ENCODED, *NAMED, *ENDED, *OTHER_FORMATS)
