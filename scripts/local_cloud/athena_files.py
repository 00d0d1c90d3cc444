"""Tables of other formats than Delta: the files at their place, found with the keys of whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlparse

from botocore.exceptions import ClientError
from ministack.services import athena

import json_tables
from local_cloud import credentials
from local_cloud.athena_duckdb import QueryFailed, denied
from local_cloud.replacements import require

FORMATS = ("csv", "json", "parquet")


def install() -> None:
    """Checks what we use of MiniStack."""
    require(athena, "_data_format", ["table_data"])
    require(athena, "_empty_relation", ["table_data"])
    require(athena, "_table_relation", ["table_data", "files"])
    require(athena, "_hidden", ["relative_key"])


def relation(name: str, entry: dict[str, Any], location: str, variables: Mapping[str, str]) -> str:
    """What stands for a table of the catalog after FROM in DuckDB's SQL: its files and columns."""
    data_format = athena._data_format(entry)
    if data_format not in FORMATS or entry.get("Parameters", {}).get("table_type", "").lower() == "iceberg":
        raise QueryFailed(f"NOT_SUPPORTED: {name}: the laptop's Athena reads Delta tables, {', '.join(FORMATS)}")
    files = _files(location, variables)
    columns = {each["Name"]: each["Type"] for each in entry["StorageDescriptor"].get("Columns", [])}
    if data_format == "json" and columns:
        # MiniStack takes the columns from the files: a map becomes a struct, and what is always null has no type.
        return json_tables.relation(files, columns)
    if not files:
        return str(athena._empty_relation(entry))
    return str(athena._table_relation(entry, files))


def _files(location: str, variables: Mapping[str, str]) -> list[str]:
    place = urlparse(location)
    prefix = f"{place.path.strip('/')}/".lstrip("/")
    pages = credentials.client("s3", variables).get_paginator("list_objects_v2")
    try:
        listed = [
            item["Key"]
            for page in pages.paginate(Bucket=place.netloc, Prefix=prefix)
            for item in page.get("Contents", [])
        ]
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDenied":
            raise QueryFailed(denied(str(error), [location])) from error
        raise
    keys = [key for key in listed if not key.endswith("/") and not athena._hidden(key.removeprefix(prefix))]
    return [f"s3://{place.netloc}/{key}" for key in keys]
