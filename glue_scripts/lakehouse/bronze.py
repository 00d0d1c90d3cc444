"""raw -> bronze: one row per record, every declared field as text, with where it came from.

Nothing is judged here but how a record reads: a record that can't be read keeps its original text and the name of its
problem.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from lakehouse import undeclared
from lakehouse.csv_files import read_csv
from lakehouse.declaration import Source
from lakehouse.discovery import File
from lakehouse.json_lines import read_json_lines
from lakehouse.tables import Run, Table, columns

PROVENANCE = columns(
    ("_extra", "map<string,string>", "Fields of the record that the declaration doesn't name."),
    (
        "_problem",
        "string",
        "Why the record can't be read: malformed_record, several_records, repeated_field, ...; null when it can.",
    ),
    (
        "_original",
        "string",
        "The record's own text, where the columns can't hold it; base64:... when it isn't UTF-8.",
    ),
    (
        "_record_id",
        "string",
        "Identity: 16 hex digits for key and content of the file, then the record's position in it.",
    ),
    ("_file", "string", "Key of the file below the lake's root."),
    ("_batch", "bigint", "Batch that the file came in with."),
    ("_ingested_at", "timestamp", "The file's own time when it was first seen."),
)
SCHEME = r"^(\w+:)?/*"
"""How a path begins: Hadoop writes one and the same file as file:/x, file:///x or /x."""
SPLIT = 128 << 20
"""Bytes of one piece of a plain file: a record's position counts within its piece, so this is part of its identity."""


def bronze_table(run: Run, source: Source) -> Table:
    """The bronze table of a source."""
    fields = columns(*((name, "string", f"The field {name}, as text.") for name in source.fields))
    return Table(run, "bronze", source.name, (*fields, *PROVENANCE))


def load(run: Run, source: Source, batch: int, files: list[File]) -> set[str]:
    """Appends the files of a source up to a batch to its bronze table; without one the batch is covered, too.

    Returns names of their fields that the declaration doesn't name.
    """
    table = bronze_table(run, source).create()
    readable = [file for file in files if file.inspection.outcome == "read"]
    size = sum(file.stored.size for file in readable)
    seen = Observation()
    frame = table.check(records(run, source, readable), "the records read").observe(seen, *undeclared.observed())
    writer = (
        frame.coalesce(max(run.spark.sparkContext.defaultParallelism, size // SPLIT + 1))
        .write.format("delta")
        .mode("append")
    )
    with in_pieces(run.spark):
        table.commit({"hop": "bronze", "batch": batch}, lambda: writer.save(table.path))
    return undeclared.names(seen.get)


@contextmanager
def in_pieces(spark: SparkSession) -> Iterator[None]:
    """Has files read in pieces of exactly SPLIT bytes, each in a task of its own: a row's number there is its place."""
    conf = spark.conf
    before = {name: conf.get(name) for name in ("spark.sql.files.maxPartitionBytes", "spark.sql.files.openCostInBytes")}
    for name in before:
        conf.set(name, SPLIT)
    try:
        yield
    finally:
        for name, value in before.items():
            conf.set(name, str(value))


def records(run: Run, source: Source, files: list[File]) -> DataFrame:
    """The records of readable files, in bronze's columns."""
    if not files:
        return run.spark.createDataFrame([], bronze_table(run, source).schema)
    read = read_json_lines if source.format == "json" else read_csv
    frame = _with_files(run, read(run, files), files)
    kept = F.col("_problem").isNull()
    row = F.col("_block") + F.col("_row").bitwiseAND((1 << 33) - 1)
    if any(file.inspection.erased for file in files):
        # As many rows later as there were rows before it that are erased.
        row += F.size(F.filter("_erased", lambda place, number: place - number <= row))
    position = F.lpad(row.cast("string"), 12, "0")
    return frame.select(
        *(F.when(kept, F.col("_values")[name]).alias(name) for name in source.fields),
        F.when(kept & (F.size("_values") > 0), _undeclared(source)).alias("_extra"),
        "_problem",
        F.when(~kept, F.col("_text")).alias("_original"),
        F.concat_ws("-", "_file_id", position).alias("_record_id"),
        "_file",
        "_batch",
        "_ingested_at",
    )


def _undeclared(source: Source) -> Column:
    extra = F.map_filter("_values", lambda name, _: ~name.isin(list(source.fields)))
    return F.when(F.size(extra) > 0, extra)


def redeclared(rows: DataFrame, source: Source) -> DataFrame:
    """Stored rows in the columns that are declared now: a field moves between a column of its own and `_extra`."""
    own = [column.name for column in PROVENANCE]
    before = [name for name in rows.columns if name not in own]
    moved = [name for name in before if name not in source.fields]
    nothing = F.create_map().cast("map<string,string>")
    given = F.map_filter(
        F.map_from_arrays(F.array(*map(F.lit, moved)), F.array(*moved)) if moved else nothing,
        lambda _, value: value.isNotNull(),
    )
    rows = rows.withColumn("_values", F.map_concat(F.coalesce("_extra", nothing), given))
    return rows.select(
        *(F.col(name) if name in before else F.col("_values")[name].alias(name) for name in source.fields),
        _undeclared(source).alias("_extra"),
        *(name for name in own if name != "_extra"),
    )


def _with_files(run: Run, frame: DataFrame, files: list[File]) -> DataFrame:
    """Adds what the ledger knows of each row's file. A file replaced since fails the read: its count is void."""
    path = run.spark.sparkContext._jvm.org.apache.hadoop.fs.Path  # type: ignore[union-attr]
    known = [
        (
            re.sub(SCHEME, "", path(run.raw.spark_path(file.stored.key)).toUri().toString()),
            file.stored.key,
            hashlib.sha256(f"{file.stored.key}\n{file.inspection.content_hash}".encode()).hexdigest()[:16],
            file.batch,
            file.stored.size,
            file.stored.modified_at,
            file.inspection.seen_at,
            list(file.inspection.erased),
        )
        for file in files
    ]
    described = run.spark.createDataFrame(
        known,
        "_path string, _file string, _file_id string, _batch bigint, _size bigint, _ingested_at timestamp, "
        "_seen_at timestamp, _erased array<bigint>",
    )
    # S3 tells times to the second in one answer and to the millisecond in another.
    same = (F.col("_read_size") == F.col("_size")) & (F.unix_seconds("_read_at") == F.unix_seconds("_seen_at"))
    frame = frame.withColumn("_path", F.regexp_replace("_path", SCHEME, ""))
    return frame.join(F.broadcast(described), on="_path", how="inner").withColumn(
        "_file",
        F.when(same, F.col("_file")).otherwise(
            F.raise_error(F.concat(F.col("_file"), F.lit(" was replaced while it was read")))
        ),
    )
