"""Takes a table's past away: what it held and holds no more is gone from its folder, its log and the storage.

Not by VACUUM, which keeps the log and what it can't tell from a write that is under way: here the lease says that there
is none.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from lakehouse.tables import Table

LOGGED = re.compile(r"\.?(\d{20})\.")
"""How files of a log begin, and the sums that Hadoop keeps of them in a folder."""
SUM = re.compile(r"(^|/)\.([^/]+)\.crc$")
"""The name of such a sum of any file."""


def drop_past(table: Table) -> int:
    """Keeps the rows of the newest version, and its log from the newest hop on; returns how many files it deletes.

    The log goes too, since it has the lowest and highest values of each file. A checkpoint says what the commits said.
    """
    lake, newest = table.run.lake, table.newest_hop()
    if newest is None:
        return 0
    table.run.lease.check()
    # Of the version that there is now: a compaction may have come after the newest hop.
    log = table.run.spark._jvm.org.apache.spark.sql.delta.DeltaLog  # type: ignore[union-attr]
    log.forTable(table.run.spark._jsparkSession, table.path).checkpoint()
    live = {unquote(path).rpartition(f"/{table.key}/")[2] for path in table.load().inputFiles()}
    deleted = 0
    for stored in list(lake.list(f"{table.key}/")):
        name = stored.key.removeprefix(f"{table.key}/")
        if name.startswith("_delta_log/"):
            match = LOGGED.match(name.rpartition("/")[2])
            unused = match is not None and int(match[1]) < newest.version
        else:
            unused = SUM.sub(r"\1\2", name) not in live
        if unused:
            lake.delete(stored.key)
            deleted += name.endswith(".parquet")
    lake.forget(table.key)
    return deleted
