"""Where and how raw text is read by Spark: what the readers of JSON lines and CSV share.

A reader gives one row per record: `_values` (a map of field to text), `_problem` and `_text` (the record's own), and
where it was read: `_path`, `_block`, `_row`, `_read_size`, `_read_at`.
"""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse.discovery import File
from lakehouse.tables import Run

MAX_RECORD = 1 << 20
"""Bytes of the largest record that is typed; a larger one is a reject."""
PLACE = ("_row", "_path", "_block", "_read_size", "_read_at")
"""Where a row was read."""


def escaped(run: Run, files: list[File]) -> list[str]:
    """Paths that Spark doesn't take for patterns."""
    return ["".join(f"\\{c}" if c in "{}[]*?\\" else c for c in run.raw.spark_path(file.stored.key)) for file in files]


def place() -> list[Column]:
    """The columns of PLACE, of the file that is read."""
    named = {
        "file_path": "_path",
        "file_block_start": "_block",
        "file_size": "_read_size",
        "file_modification_time": "_read_at",
    }
    return [
        F.monotonically_increasing_id().alias("_row"),
        *(F.col(f"_metadata.{name}").alias(to) for name, to in named.items()),
    ]


def printable(text: Column) -> Column:
    """The text, or its bytes in base64 when it isn't UTF-8."""
    # Spark breaks base64 into lines.
    encoded = F.concat(F.lit("base64:"), F.translate(F.base64(text.cast("binary")), "\r\n", ""))
    return F.when(F.is_valid_utf8(text), text).otherwise(encoded)
