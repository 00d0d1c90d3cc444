"""What the events tables must hold, computed from the raw files alone.

This module only cuts files into lines; all that is said about them is in `events.sql`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import duckdb

SQL_FILE = Path(__file__).with_name("events.sql")


def compute(lake: Path) -> duckdb.DuckDBPyConnection:
    """A new in-memory database with the tables of `events.sql` for the files below `<lake>/raw/events`."""
    connection, rows = duckdb.connect(), []
    for path in sorted((lake / "raw/events").rglob("*.jsonl.gz")):
        content, time = path.read_bytes(), path.stat().st_mtime_ns // 1000
        key = path.relative_to(lake).as_posix()
        file = hashlib.sha256(f"{key}\n{hashlib.sha256(content).hexdigest()}".encode()).hexdigest()[:16]
        for position, line in enumerate(gzip.decompress(content).decode(errors="replace").split("\n")[:-1]):
            rows.append([str(time), f"{file}-{position:012}", line])
    connection.execute(
        "CREATE TABLE raw_events AS SELECT row[1]::BIGINT AS _time, row[2] AS _record_id, row[3] AS line "
        """FROM (SELECT unnest(from_json(?, '[["VARCHAR"]]')) AS row)""",
        [json.dumps(rows)],
    )
    connection.execute(SQL_FILE.read_text(encoding="utf-8"))
    return connection
