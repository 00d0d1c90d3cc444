"""What the retail tables must hold, computed from the raw files alone, written from `docs/retail.md`.

This module only cuts files into records; all that the page says about them is in `retail.sql`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path

import duckdb

SQL_FILE = Path(__file__).with_name("retail.sql")
COLUMNS = {
    "products": ("product_id", "department_id", "department", "product_name"),
    "orders": ("order_num", "order_id", "user_id", "order_timestamp", "total_amount", "date"),
    "order_items": (
        *("id", "order_id", "user_id", "days_since_prior_order", "product_id", "add_to_cart_order", "reordered"),
        *("order_timestamp", "date"),
    ),
}


def compute(lake: Path) -> duckdb.DuckDBPyConnection:
    """A new in-memory database with the tables of `retail.sql` for the files below `<lake>/raw/retail`."""
    connection = duckdb.connect()
    for table, columns in COLUMNS.items():
        rows = []
        for path in sorted((lake / "raw/retail" / table).rglob("*.csv")):
            content, time = path.read_bytes(), path.stat().st_mtime_ns // 1000
            key = path.relative_to(lake).as_posix()
            file = hashlib.sha256(f"{key}\n{hashlib.sha256(content).hexdigest()}".encode()).hexdigest()[:16]
            reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
            for position, row in enumerate(reader):
                rows.append([str(time), f"{file}-{position:012}", *(row[name].strip() or None for name in columns)])
        declared = ", ".join(f"row[{number}] AS {name}" for number, name in enumerate(columns, 3))
        connection.execute(
            f"CREATE TABLE raw_{table} AS SELECT row[1]::BIGINT AS _time, row[2] AS _record_id, {declared} "
            """FROM (SELECT unnest(from_json(?, '[["VARCHAR"]]')) AS row)""",
            [json.dumps(rows)],
        )
    connection.execute(SQL_FILE.read_text(encoding="utf-8"))
    return connection
