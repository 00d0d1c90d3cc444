"""Compares a served table with one that is rebuilt beside it, and tells a damaged one from one of other code.

Two tables are equal when they have the same columns, as many rows and the same sum of the rows' hashes, in whatever
order these lie. Of a table that differs, its log says who wrote what it holds, by what code, and in what files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import MapType, StructField

from lakehouse.contract import Columns, changes, described
from lakehouse.delta_log import NO_DATA, SAME_ROWS, LogError, standing_commits
from lakehouse.tables import Table

UNREADABLE = (PySparkException, Py4JJavaError, LogError)
"""What reading a table raises whose files or log aren't whole."""

EQUAL, DAMAGED = "equal", "damaged"


@dataclass(frozen=True)
class Content:
    """What a table holds, whatever the order: its columns, its count of rows, and the sum of their hashes."""

    columns: Columns
    rows: int
    digest: int


def nothing_lost(served: Content, rebuilt: Content) -> dict[str, int]:
    """Of a table that is computed from others."""
    return {}


def fewer_rows(served: Content, rebuilt: Content) -> dict[str, int]:
    """Rows that are served and wouldn't be any more."""
    return {"rows": served.rows - rebuilt.rows} if served.rows > rebuilt.rows else {}


@dataclass(frozen=True)
class Pair:
    """What is served and what is rebuilt of it. `tables`: where the served rows lie.

    `behind`: why the two needn't be equal, in words; `follows`: from what else it follows that they aren't. Both are
    asked only when they differ, and say nothing when it isn't so. `note`: what is to be known although they are equal.
    `lost`: what of the served one wouldn't be in the rebuilt one, counted by kind.
    """

    name: str
    tables: tuple[Table, ...]
    served: Callable[[], DataFrame]
    rebuilt: Callable[[], DataFrame]
    behind: Callable[[], str]
    follows: Callable[[], str]
    note: str = ""
    lost: Callable[[Content, Content], dict[str, int]] = nothing_lost


@dataclass(frozen=True)
class Comparison:
    """The proof for one table: its version, both counts of rows (None: it can't be read), what follows and is lost."""

    table: str
    version: int
    rows_served: int | None
    rows_rebuilt: int
    verdict: str
    reason: str
    lost: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """For the run record."""
        return asdict(self)


def content(frame: DataFrame) -> Content:
    """Reads all rows of a frame into their count and hash."""
    fields = frame.schema.fields
    # A hash passes over nulls, so it gets told where they are.
    nulls = F.concat(*(F.col(f"`{each.name}`").isNull().cast("int").cast("string") for each in fields))
    hashed = F.xxhash64(*map(_comparable, fields), nulls)
    found = frame.agg(F.count(F.lit(1)), F.coalesce(F.sum(hashed.cast("decimal(38,0)")), F.lit(0))).first()
    assert found is not None
    return Content(described(frame.schema), found[0], int(found[1]))


def _comparable(each: StructField) -> Column:
    column = F.col(f"`{each.name}`")
    return F.array_sort(F.map_entries(column)) if isinstance(each.dataType, MapType) else column


def compare(pair: Pair) -> Comparison:
    """The proof for one table."""
    rebuilt, main = content(pair.rebuilt()), pair.tables[0]
    try:
        served = content(pair.served())
    except UNREADABLE as error:
        reason = next(filter(None, map(_damage, pair.tables)), f"can't be read: {str(error).splitlines()[0][:200]}")
        return Comparison(pair.name, main.version(), None, rebuilt.rows, DAMAGED, reason, {})
    if served == rebuilt:
        return Comparison(pair.name, main.version(), served.rows, rebuilt.rows, EQUAL, pair.note, {})
    verdict, reason = judge(pair, changes(served.columns, rebuilt.columns))
    lost = pair.lost(served, rebuilt)
    return Comparison(pair.name, main.version(), served.rows, rebuilt.rows, verdict, reason, lost)


def judge(pair: Pair, columns: list[str]) -> tuple[str, str]:
    """Why a readable table differs from what is rebuilt: verdict and reason. `columns`: what becomes of them."""
    if damage := next(filter(None, (*map(_damage, pair.tables), *map(_stranger, pair.tables))), ""):
        return DAMAGED, "; ".join((damage, *columns))
    if columns:
        return "other columns", "; ".join(columns)
    if behind := pair.behind():
        return "behind", behind
    if changed := next(filter(None, map(_other_code, pair.tables)), ""):
        return "code or rules changed", changed
    if follows := pair.follows():
        return "follows", follows
    return DAMAGED, "all that it holds was written by today's code"


def is_equal(pair: Pair) -> bool:
    """Whether what is served is what is rebuilt; a table that can't be read isn't."""
    try:
        return content(pair.served()) == content(pair.rebuilt())
    except UNREADABLE:
        return False


def _damage(table: Table) -> str:
    """What is wrong with a table's files, as its log tells; nothing when they are as they were written."""
    try:
        paths = [unquote(path).rpartition(f"/{table.key}/")[2] for path in table.load().inputFiles()]
        told = table.delta().detail().select("sizeInBytes").first()
        stored = {found.key: found.size for found in table.run.lake.list(f"{table.key}/")}
    except UNREADABLE as error:
        return f"{table.key} can't be read: {str(error).splitlines()[0][:200]}"
    keys = [f"{table.key}/{path}" for path in paths]
    if missing := sorted(key for key in keys if key not in stored):
        return f"{missing[0]} is gone" + (f", and {len(missing) - 1} more" if missing[1:] else "")
    assert told is not None
    held = sum(stored[key] for key in keys)
    return f"the files of {table.key} hold {held} bytes, its log says {told[0]}" if held != told[0] else ""


def _stranger(table: Table) -> str:
    for version, commit in standing_commits(table.run.lake, table.key):
        if commit is None or (commit.hop and commit.replaces_all):
            break
        if not commit.hop and commit.operation not in (*NO_DATA, *SAME_ROWS):
            return f"version {version} of {table.key} is a {commit.operation} that no run has written"
    return ""


def _other_code(table: Table) -> str:
    """Since when a table holds what other code than today's has written; nothing when it holds nothing of that."""
    for version, commit in standing_commits(table.run.lake, table.key):
        if commit is None:
            return f"since version {version + 1} at the latest: the log before it is cleaned up"
        if commit.hop and commit.hop["code"] != table.run.code:
            return f"since version {version}"
        if commit.hop and commit.replaces_all:
            break
    return ""
