"""What plain Spark makes of bad files: its own readers with default options and the typed columns of the contract.

What it reads is compared with what Python's parsers find in the same file.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lakehouse import reader
from tests.bad_input.kind import Kind
from tests.bad_input.records import Fields, read_records

ROOT = Path(__file__).resolve().parents[2]
PARCELS = ROOT / "tests" / "pipelines" / "parcels" / "parcels.yaml"
DECLARATIONS = {
    "movies": ROOT / "glue_scripts" / "pipelines" / "movies.yaml",
    "depots": PARCELS,
    "legs": PARCELS,
}
SHOWN = 2
"""So many changed values of a file are told."""


def judge(spark: SparkSession, folder: Path, kinds: Sequence[Kind]) -> dict[str, str]:
    """What becomes of each kind, in words. `folder`: where the corpus is written."""
    found: dict[str, str] = {}
    for source in DECLARATIONS:
        of_source = [kind for kind in kinds if kind.source == source]
        whole = [kind for kind in of_source if kind.outcome == "read"]
        columns = typed_columns(source)
        # Files that the lake reads don't stop Spark either, so one job is enough for them.
        for group in (whole, *([kind] for kind in of_source if kind.outcome != "read")):
            found |= _judge_group(spark, folder, group, columns)
    return found


def typed_columns(source: str) -> dict[str, str]:
    """The fields of a source in their order, with the types that they have in silver."""
    pipeline = reader.read(DECLARATIONS[source])
    table = next(table for table in pipeline.silver.values() if table.reads == source)
    types = {column.name: column.type for column in table.columns}
    return {field: types[field] for field in pipeline.bronze[source].fields}


def _judge_group(spark: SparkSession, folder: Path, kinds: Sequence[Kind], columns: dict[str, str]) -> dict[str, str]:
    read = spark.read.schema(", ".join(f"{name} {kind}" for name, kind in columns.items()))
    # Each file has a folder of its own: a name that Spark could take for a pattern isn't in the path.
    paths = [str(folder / kind.source / kind.name) for kind in kinds]
    frame = read.json(paths) if kinds[0].source == "movies" else read.csv(paths, header=True)
    frame = frame.select(F.col("_metadata.file_path").alias("_path"), *(F.col(name).cast("string") for name in columns))
    try:
        collected = frame.collect()
    except Py4JJavaError as error:
        if len(kinds) > 1:
            raise
        return {kinds[0].name: f"error `{error.java_exception.getCondition()}`"}
    rows: dict[str, list[Fields]] = {kind.name: [] for kind in kinds}
    for row in collected:
        fields = row.asDict()
        rows[fields.pop("_path").split("/")[-2]].append(fields)
    return {kind.name: compare(kind, rows[kind.name], columns) for kind in kinds}


def compare(kind: Kind, rows: list[Fields], columns: dict[str, str]) -> str:
    """What Spark's rows of a file have and lack against what is in it, in words."""
    records = read_records(kind)
    paired = list(zip(records, rows, strict=True)) if len(records) == len(rows) else []
    filled = [row for row in rows if any(value is not None for value in row.values())]
    blank = len(rows) - len(filled) - sum(1 for record, _ in paired if record == {})
    taken = sum(1 for record, row in paired if record is None and row in filled)
    changes = [
        change for record, row in paired if record and row in filled for change in _changes(record, row, columns)
    ]
    parts = []
    if len(filled) != kind.things or len(records) != len(rows):
        parts += [f"{_count(len(filled), 'row')} for {_count(kind.things, kind.thing)}"]
    parts += [_count(blank, "row") + " of nulls"] if blank else []
    parts += [_count(taken, "bad record") + " taken for good"] if taken else []
    parts += changes[:SHOWN] + ([f"{len(changes) - SHOWN} more"] if len(changes) > SHOWN else [])
    return "; ".join(parts) or "as it is written"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _changes(record: Fields, row: Fields, columns: dict[str, str]) -> list[str]:
    """The values that aren't what the record says, and those of fields that Spark has no column for."""
    changed = [
        f"{_shown(name)} {_shown(record[name]) if name in record else 'not there'} → {_shown(row[name])}"
        for name, kind in columns.items()
        if name not in record or not _same(record[name], row[name], kind)
    ]
    lost = [f"{_shown(name)} {_shown(value)} → lost" for name, value in record.items() if value and name not in columns]
    return changed + lost


def _same(written: str | None, read: str | None, kind: str) -> bool:
    """Whether a value means what is written, by Python's rules for its type."""
    if written is None or read is None:
        return written == read
    try:
        if kind in ("bigint", "int"):
            return int(written) == int(read)
        if kind.startswith("decimal"):
            return Decimal(written) == Decimal(read)
        if kind == "timestamp":
            moment = datetime.fromisoformat(written)
            return moment.tzinfo is not None and moment == datetime.fromisoformat(read).replace(tzinfo=UTC)
    except (ValueError, InvalidOperation):
        return False
    return written == read


def _shown(value: str | None) -> str:
    """A value for a table's cell: short, and every character visible."""
    if value is None:
        return "null"
    text = value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    text = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
    text = f"{text[:30]}…" if len(text) > 31 else text
    return f"`{text}`" if text.strip(" ") == text != "" else f'`"{text}"`'
