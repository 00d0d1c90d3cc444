"""The same films without Spark: DuckDB reads, checks and sums, and delta-rs writes the tables."""

from __future__ import annotations

import argparse
from pathlib import Path

import duckdb
from deltalake import WriterProperties, write_deltalake

from bare_movies import CATEGORIES, FIELDS, GENRES, RATINGS

SQL_FILE = Path(__file__).with_name("duckdb_movies.sql")
GOLD = ("genre", "studio", "release_year")
NAMES = {"genres": GENRES, "ratings": RATINGS, "categories": CATEGORIES}
TOTALS = """
WITH sums AS (
    SELECT {key}, count(*) AS movies, sum(budget)::BIGINT AS total_budget, count(budget) AS budgets,
           sum(box_office)::BIGINT AS total_box_office, count(box_office) AS box_offices,
           sum(box_office - budget)::BIGINT AS profit,
           sum(budget) FILTER (box_office IS NOT NULL) AS budgets_with_profit,
           sum((vote_average * 100)::BIGINT * vote_count) AS vote_hundredths,
           sum(vote_count) FILTER (vote_average IS NOT NULL) AS votes,
           arg_min({{'movie_id': movie_id, 'title': title}},
                   {{'vote': -vote_average, 'votes': -coalesce(vote_count, -1), 'movie_id': movie_id}})
               FILTER (vote_average IS NOT NULL) AS best
    FROM silver GROUP BY {key}
)
SELECT {key}, movies, total_budget, total_box_office,
       quotient(total_budget, budgets, 2)::DECIMAL(20, 2) AS average_budget,
       quotient(total_box_office, box_offices, 2)::DECIMAL(20, 2) AS average_box_office,
       profit,
       quotient(profit, budgets_with_profit, 4)::DECIMAL(20, 4) AS return_on_investment,
       quotient(vote_hundredths, votes * 100, 2)::DECIMAL(4, 2) AS average_vote,
       best.movie_id AS best_movie_id, best.title AS best_movie
FROM sums
"""
"""Of the films of silver, by `key`."""
TABLES = {
    "bronze/movies": "SELECT * FROM bronze",
    "quarantine/movies": "SELECT * FROM rejected",
    "silver/movies": "SELECT * FROM silver",
    **{f"gold/movies_by_{key}": TOTALS.format(key=key) for key in GOLD},
}


def load(raw: Path, lake: Path) -> None:
    """Writes every table of the lake from all files below raw/movies."""
    connection = duckdb.connect()
    connection.execute("SET timezone = 'UTC'")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute("SET VARIABLE files = ?", [str(raw / "raw" / "movies" / "**" / "*.jsonl")])
    connection.execute("SET VARIABLE fields = ?", ["{" + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS) + "}"])
    for name, spellings in NAMES.items():
        connection.execute(f"CREATE TABLE {name} AS SELECT unnest(?) AS spelling, unnest(?) AS name",
                           [list(spellings), list(spellings.values())])  # fmt: skip
    connection.execute(SQL_FILE.read_text(encoding="utf-8"))
    properties = WriterProperties(compression="ZSTD")
    for table, query in TABLES.items():
        rows = connection.execute(query).to_arrow_reader()
        write_deltalake(str(lake / table), rows, mode="overwrite", writer_properties=properties)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Load all films with DuckDB and delta-rs.")
    parser.add_argument("--lake", required=True, type=Path, help="the folder to write the tables to")
    parser.add_argument("--raw", required=True, type=Path, help="the folder above raw/")
    options = parser.parse_args()
    load(options.raw, options.lake)


if __name__ == "__main__":
    main()
