"""Reads CSV: columns by each file's own header, quoted cells as they are, and a name for rows that don't fit."""

from __future__ import annotations

import functools
import operator
from collections import defaultdict

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse import raw_text
from lakehouse.discovery import File
from lakehouse.tables import Run

LATIN_1 = "ISO-8859-1"
NEVER = "\uffff"
"""No character, says Unicode: for settings that must name one, where none is meant."""
KEEP_BLANKS = {"ignoreLeadingWhiteSpace": "false", "ignoreTrailingWhiteSpace": "false"}


def read_csv(run: Run, files: list[File]) -> DataFrame:
    """One row per record, columns by each file's own header; files with one header are read together."""
    alike: dict[tuple[tuple[str, ...], bool], list[File]] = defaultdict(list)
    for file in files:
        alike[file.inspection.header, file.inspection.undecodable].append(file)
    frames = [_read_csv_alike(run, group, *of) for of, group in sorted(alike.items())]
    return functools.reduce(DataFrame.unionByName, frames)


def _read_csv_alike(run: Run, files: list[File], header: tuple[str, ...], undecodable: bool) -> DataFrame:
    cells = [f"_c{number}" for number in range(len(header))]
    reader = run.spark.read.schema(", ".join(f"{name} string" for name in (*cells, "_bad")))
    reader = reader.options(
        header=True,
        multiLine=True,
        quote='"',
        escape='"',
        charToEscapeQuoteEscaping=NEVER,  # else NUL, which then disappears from quoted cells
        maxCharsPerColumn=-1,
        columnNameOfCorruptRecord="_bad",
    )
    # An empty cell is null and a quoted empty one isn't: so null must have a spelling that no file has.
    reader = reader.options(nullValue=NEVER, emptyValue="")
    # Latin-1 has a character for each byte: so bytes that aren't UTF-8 come through as they are.
    reader = reader.option("encoding", LATIN_1 if undecodable else "UTF-8")
    rows = reader.csv(raw_text.escaped(run, files)).select(*cells, "_bad", *raw_text.place())
    text = F.coalesce("_bad", F.to_csv(F.struct(*cells), KEEP_BLANKS))
    if undecodable:
        latin_1 = {"_text": text, **{cell: F.col(cell) for cell in cells}}
        rows = rows.withColumns({name: F.encode(of, LATIN_1).cast("string") for name, of in latin_1.items()})
        text = F.col("_text")
    size = functools.reduce(lambda total, cell: total + F.coalesce(F.octet_length(cell), F.lit(0)), cells, F.lit(0))
    problem = (
        F.when(size > raw_text.MAX_RECORD, "record_too_large")
        .when(F.lit(undecodable) & ~F.is_valid_utf8(text), "invalid_utf8")
        .when(F.col("_bad").isNotNull(), "column_count")
        .when(_is_header(cells, header), "repeated_header")
    )
    values = F.map_from_arrays(F.array(*map(F.lit, header)), F.array(*cells)).alias("_values")
    return rows.select(
        *raw_text.PLACE,
        problem.alias("_problem"),
        (raw_text.printable(text) if undecodable else text).alias("_text"),
        values,
    )


def _is_header(cells: list[str], header: tuple[str, ...]) -> Column:
    """Whether a record is the header once more, as in files that were put one behind the other."""
    names = zip(cells, header, strict=True)
    return functools.reduce(operator.and_, (F.btrim(cell) == F.lit(name) for cell, name in names))
