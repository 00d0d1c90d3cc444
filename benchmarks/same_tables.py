"""Whether two lakes hold the same films, read by DuckDB, which made neither of them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import duckdb

GOLD = ("gold/movies_by_genre", "gold/movies_by_studio", "gold/movies_by_release_year")
TABLES = ("silver/movies", *GOLD)
QUARANTINE = "quarantine/movies"
REJECT = "case when _original is null then movie_id end, _original, parse_filename(_file), _rules"
"""What both sides keep of a rejected record; Spark's JSON reader finds a film even in a line that it can't read."""
EXAMPLES = 3

Columns = dict[str, str]


def compare(ours: Path, other: Path, name: str) -> tuple[dict[str, int], list[str]]:
    """The number of rows of each table, as the other lake has them, and every difference in words.

    `name`: what the other is called.
    Silver and gold must be equal row by row in all columns of the contract (those without a leading underscore),
    quarantine in the film or line, the file's name and the failed checks of each record.
    """
    connection = duckdb.connect()
    connection.load_extension(str(_delta_extension()))
    connection.execute("set timezone = 'UTC'")
    rows: dict[str, int] = {}
    differences: list[str] = []
    for table in (*TABLES, QUARANTINE):
        for side, lake in (("ours", ours), (name, other)):
            path = str((lake / table).resolve()).replace("'", "''")
            connection.execute(f"create or replace view {side} as select * from delta_scan('{path}')")
        rows[table] = _number(connection, f"select count(*) from {name}")
        differences += [f"{table}: {difference}" for difference in _differences(connection, table, name)]
    return rows, differences


def _differences(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> list[str]:
    if table == QUARANTINE:
        selected = f"select {REJECT} from {{}}"
    else:
        ours, others = _columns(connection, "ours"), _columns(connection, name)
        if ours != others:
            return [f"columns of ours {ours}, of {name} {others}"]
        selected = "select " + ", ".join(f'"{column}"' for column in others) + " from {}"
    found = []
    for side, other in (("ours", name), (name, "ours")):
        only = f"{selected.format(side)} except all {selected.format(other)}"
        if count := _number(connection, f"select count(*) from ({only})"):
            examples = connection.execute(f"{only} limit {EXAMPLES}").fetchall()
            found.append(f"{count} rows only in {side}, such as {examples}")
    return found


def _columns(connection: duckdb.DuckDBPyConnection, side: str) -> Columns:
    """Types by name, in the order of the names, of the columns that the contract knows."""
    described = connection.execute(f"describe {side}").fetchall()
    return {name: data_type for name, data_type, *_ in sorted(described) if not name.startswith("_")}


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    (number,) = connection.execute(query).fetchall()[0]
    return int(number)


def _delta_extension() -> Path:
    package = find_spec("duckdb_extension_delta")
    if package is None or package.origin is None:
        raise FileNotFoundError("the DuckDB extension for Delta Lake is not installed: run make setup")
    # By path: DuckDB would otherwise download it.
    return Path(package.origin).parent / f"extensions/v{duckdb.__version__}/delta.duckdb_extension"
