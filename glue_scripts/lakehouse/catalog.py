"""Registers a layer's tables in the Glue Data Catalog, where Athena finds them: types and comments as declared.

The entries have the shape that Athena itself gives a Delta table. Only what differs is written, so a run without work
leaves the catalog alone, and any run brings back an entry that has been deleted or changed.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator
from typing import Any

from lakehouse.declaration import Column
from lakehouse.storage import PATIENCE
from lakehouse.tables import Table

LOG = logging.getLogger("lakehouse")
PREFIX = re.compile(r"[a-z0-9_]+")
# Where a layer's tables are registered: the database after the catalog's prefix, and the table's name there.
DATABASES = {
    "bronze": ("bronze", "{}"),
    "ledger": ("bronze", "{}_files"),
    "silver": ("silver", "{}"),
    "quarantine": ("silver", "{}_quarantine"),
    "quarantine_events": ("silver", "{}_quarantine_events"),
    "gold": ("gold", "{}"),
}
SPARK_NAMES = {"int": "integer", "bigint": "long"}
"""Spark's JSON calls these types otherwise than SQL does; all others alike."""
PART = 4000
"""Characters of one part of the schema: Spark splits it so, for catalogs with short values."""
COMMENT = 255
"""Characters that Glue takes as a column's comment."""


class CatalogError(RuntimeError):
    """A table that can't be registered; the message says why and what to do."""


def register(tables: Iterable[Table], prefix: str) -> None:
    """Creates or updates the entries of those tables that exist, in the databases `<prefix>_<layer>`."""
    import boto3  # not at the top: a lake in a folder needs no AWS library
    from botocore.config import Config

    glue: Any = boto3.client("glue", config=Config(**PATIENCE))
    for table in tables:
        if table.version() < 0:
            continue
        database, name = address(table.layer, table.name, prefix)
        entry = table_input(table, name)
        try:
            found = _find(glue, database, name)
            if found is None:
                glue.create_table(DatabaseName=database, TableInput=entry)
            elif not _holds(found, entry):
                glue.update_table(DatabaseName=database, TableInput=entry, SkipArchive=True)
            else:
                continue
        except glue.exceptions.EntityNotFoundException as error:
            raise CatalogError(
                f"{table.key} can't be registered as {database}.{name}: the catalog has no database {database}; "
                "`terraform apply` makes it"
            ) from error
        LOG.info("%s: %s as %s.%s", table.key, "registered anew" if found else "registered", database, name)


def address(layer: str, table: str, prefix: str) -> tuple[str, str]:
    """Database and name of a table in the catalog."""
    database, name = DATABASES[layer]
    return f"{prefix}_{database}", name.format(table)


def table_input(table: Table, name: str) -> dict[str, Any]:
    """The entry of a table as it is now."""
    version, schema = table.version(), schema_json(table.columns)
    parts = [schema[start : start + PART] for start in range(0, len(schema), PART)]
    commit = table.run.lake.find(f"{table.key}/_delta_log/{version:020d}.json")
    if commit is None:
        raise CatalogError(f"{table.key}: version {version} vanished while it was registered; run again")
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [],
        "Parameters": {
            "EXTERNAL": "TRUE",
            "table_type": "delta",
            "spark.sql.sources.provider": "delta",
            "spark.sql.partitionProvider": "catalog",
            "spark.sql.sources.schema.numParts": str(len(parts)),
            **{f"spark.sql.sources.schema.part.{number}": part for number, part in enumerate(parts)},
            "delta.lastUpdateVersion": str(version),
            "delta.lastCommitTimestamp": str(round(commit.modified_at.timestamp() * 1000)),
        },
        "StorageDescriptor": {
            # Hive writes types as Spark SQL does, so the declared type is the column's.
            "Columns": [
                {"Name": column.name, "Type": column.type, "Comment": column.description[:COMMENT]}
                for column in table.columns
            ],
            "Location": table.path,
            "InputFormat": "org.apache.hadoop.mapred.SequenceFileInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveSequenceFileOutputFormat",
            "SerdeInfo": {
                "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                "Parameters": {"serialization.format": "1", "path": table.path},
            },
        },
    }


def schema_json(columns: Iterable[Column]) -> str:
    """The columns as Spark writes a schema: one line of JSON."""
    fields = [_field(column.name, column.type, {"comment": column.description}) for column in columns]
    return json.dumps({"type": "struct", "fields": fields}, ensure_ascii=False, separators=(",", ":"))


def _field(name: str, declared: str, metadata: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "type": _spark_type(declared), "nullable": True, "metadata": metadata}


def _spark_type(declared: str) -> str | dict[str, Any]:
    kind, _, inner = declared.partition("<")
    parts = list(_split(inner.removesuffix(">")))
    if kind == "array":
        return {"type": "array", "elementType": _spark_type(parts[0]), "containsNull": True}
    if kind == "map":
        key, value = map(_spark_type, parts)
        return {"type": "map", "keyType": key, "valueType": value, "valueContainsNull": True}
    if kind == "struct":
        fields = (part.partition(":") for part in parts)
        return {"type": "struct", "fields": [_field(name, of, {}) for name, _, of in fields]}
    return SPARK_NAMES.get(declared, declared)


def _split(inner: str) -> Iterator[str]:
    """The parts between commas that stand in no bracket: of `string,array<int>` both types."""
    depth, start = 0, 0
    for place, sign in enumerate(inner):
        depth += (sign in "<(") - (sign in ">)")
        if sign == "," and depth == 0:
            yield inner[start:place]
            start = place + 1
    yield inner[start:]


def _find(glue: Any, database: str, name: str) -> dict[str, Any] | None:
    try:
        return dict(glue.get_table(DatabaseName=database, Name=name)["Table"])
    except glue.exceptions.EntityNotFoundException:
        return None


def _holds(found: object, wanted: object) -> bool:
    """Whether an entry says all that it should; what Glue adds of its own doesn't count."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(_holds(found.get(key), value) for key, value in wanted.items())
    return found == wanted
