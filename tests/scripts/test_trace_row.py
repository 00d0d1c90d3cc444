"""`make trace` goes from a row to the raw records behind it, and says what is wrong with a table or key."""

from __future__ import annotations

import sys
from pathlib import Path

import deltalake
import duckdb
import pytest

import lineage
import trace_row
from athena_sql import QueryError
from lakehouse.declaration import Column, GoldTable, Pipeline, SilverTable
from lakehouse.reader import read

MOVIES = read(trace_row.PIPELINES / "movies.yaml")
PRICES = read(Path(__file__).parents[1] / "pipelines" / "prices" / "prices.yaml")
GENRES = MOVIES.gold["movies_by_genre"]
RECORDS = """
    select 'mv-' || i as movie_id, case i when 3 then 'Cri''me' else 'Drama' end as genre, i::varchar as budget,
        'abcdef0123456789-' || lpad(i::varchar, 12, '0') as _record_id,
        'raw/movies/2026/11/01/a.jsonl' as _file, batch::bigint as _batch
    from range(1, 4) as r(i), (values (1), (2)) as b(batch)
"""
TABLES = {
    # Both batches hold the same file, which was replaced and came back.
    "bronze/movies": RECORDS,
    "silver/movies": f"""
        select movie_id, genre, 2000 + budget::int as release_year, _record_id, _batch
        from ({RECORDS}) where _batch = case movie_id when 'mv-1' then 1 else 2 end""",
    "gold/movies_by_genre": "select * from (values ('Drama', 2), ('Cri''me', 1)) as t(genre, movies)",
    "gold/movies_by_release_year": "select 2003::int as release_year, 1 as movies",
    "bronze/prices": RECORDS,
    "silver/prices": f"""
        select 1::int as shop, 'tea' as product, make_date(2026, 11, budget::int) as valid_from, _record_id, _batch
        from ({RECORDS}) where _batch = 1""",
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with three films, written without Spark."""
    folder = tmp_path_factory.mktemp("lake")
    for table, select in TABLES.items():
        deltalake.write_deltalake(str(folder / table), duckdb.sql(select))
    return folder


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lake: Path, table: str, *keys: str
) -> tuple[int, list[str], str]:
    """The script's exit code, the lines that it prints, with single spaces, and its error."""
    options = [option for key in keys for option in ("--key", key)]
    monkeypatch.setattr(sys, "argv", ["trace_row.py", "--lake", str(lake), "--table", table, *options])
    code = trace_row.main()
    printed = capsys.readouterr()
    return code, [" ".join(line.split()) for line in printed.out.splitlines() if line.strip()], printed.err


def test_a_gold_row(lake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, capsys, lake, "movies_by_genre", "genre=Drama") == (
        0,
        [
            "gold.movies_by_genre",
            "genre movies",
            "Drama 2",
            "silver.movies (genre = Drama): 2 rows",
            "raw_file is a key in the lake; record is the place in that file, the first being 0",
            "movie_id batch record_id raw_file record",
            "mv-1 1 abcdef0123456789-000000000001 raw/movies/2026/11/01/a.jsonl 1",
            "mv-2 2 abcdef0123456789-000000000002 raw/movies/2026/11/01/a.jsonl 2",
        ],
        "",
    )


def test_a_silver_row_with_its_bronze_row(
    lake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines, _ = run(monkeypatch, capsys, lake, "silver.movies", "movie_id=mv-3")
    assert code == 0
    assert lines[3] == "silver.movies (movie_id = mv-3): 1 row"
    assert lines[6] == "mv-3 2 abcdef0123456789-000000000003 raw/movies/2026/11/01/a.jsonl 3"
    assert lines[7:] == [
        "bronze.movies: the record as text",
        "field value",
        "movie_id mv-3",
        "genre Cri'me",
        "budget 3",
        "_record_id abcdef0123456789-000000000003",
        "_file raw/movies/2026/11/01/a.jsonl",
        "_batch 2",
    ]


@pytest.mark.parametrize(
    ("table", "key", "films"),
    [("movies_by_genre", "genre=Cri'me", ["mv-3"]), ("gold.movies_by_release_year", "release_year=2003", ["mv-3"])],
)
def test_values_are_quoted_and_typed(lake: Path, table: str, key: str, films: list[str]) -> None:
    target = lineage.find_table(table, [MOVIES])
    (origins,) = lineage.find_origins(trace_row.open_folder(lake), target, lineage.read_key([key], target.table))
    assert [row[0] for row in origins.rows.rows] == films
    assert origins.count == 1


def test_all_versions_of_a_key_the_newest_first(lake: Path) -> None:
    target = lineage.find_table("silver.prices", [MOVIES, PRICES])
    key = lineage.read_key(["shop=1", "product=tea"], target.table)
    (origins,) = lineage.find_origins(trace_row.open_folder(lake), target, key)
    assert origins.rows.columns == ["shop", "product", "valid_from", "batch", "record_id", "raw_file", "record"]
    assert [(row[2].day, row[-1]) for row in origins.rows.rows] == [(3, 3), (2, 2), (1, 1)]


def test_of_many_rows_the_first_are_shown(
    lake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lineage, "ROWS_SHOWN", 1)
    _, lines, _ = run(monkeypatch, capsys, lake, "movies_by_genre", "genre=Drama")
    assert lines[3] == "silver.movies (genre = Drama): 2 rows, the first 1 here"
    assert len(lines) == 7


@pytest.mark.parametrize(
    ("table", "keys", "error"),
    [
        (
            "films",
            ["genre=Drama"],
            "no table is called films; there are: gold.events_by_day, gold.funnel_by_day, gold.sessions_by_day, "
            "silver.events, gold.movies_by_genre, gold.movies_by_studio, "
            "gold.movies_by_release_year, silver.movies, gold.sales_by_day_and_department, gold.product_performance, "
            "gold.customer_behaviour, gold.order_checks_by_day, silver.products, silver.orders, silver.order_items",
        ),
        ("movies_by_genre", ["Drama"], "a key is column=value, such as genre=...; found 'Drama'"),
        (
            "movies_by_genre",
            ["studio=A"],
            "studio isn't a column of the key; the key of movies_by_genre is genre",
        ),
        (
            "movies_by_genre",
            ["genre=Drama", "genre=Crime"],
            "genre stands twice; the key of movies_by_genre is genre",
        ),
        ("movies_by_genre", ["genre=x' OR 'a'='a"], "gold.movies_by_genre has no row with genre = x' OR 'a'='a"),
        ("movies_by_release_year", ["release_year=new"], "release_year is of type int, and 'new' isn't"),
    ],
)
def test_a_wrong_table_or_key_is_one_line(
    lake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    table: str, keys: list[str], error: str,
) -> None:  # fmt: skip
    code, _, printed = run(monkeypatch, capsys, lake, table, *keys)
    assert (code, printed) == (2, f"error: {error}\n")


def test_a_lake_without_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines, printed = run(monkeypatch, capsys, tmp_path, "movies_by_genre", "genre=Drama")
    assert (code, lines) == (2, [])
    assert printed.startswith(f"error: no tables in {tmp_path}: ")


COLUMNS = tuple(
    Column(name, kind, "C.")
    for name, kind in (
        ("day", "date"),
        ("at", "timestamp"),
        ("price", "decimal(10,2)"),
        ("share", "double"),
        ("new", "boolean"),
        ("shop", "string"),
    )
)
SALES = GoldTable("sales", "S.", ("sales",), ("day", "shop"), {"sales": ("day",)}, COLUMNS)


@pytest.mark.parametrize("texts", [["day=2026-11-01", "shop=a, b=c"], ["shop=a, b=c,day=2026-11-01"]])
def test_a_comma_parts_pairs_only_before_another_pair(texts: list[str]) -> None:
    assert lineage.read_key(texts, SALES) == {"day": "2026-11-01", "shop": "a, b=c"}


def test_a_part_of_the_key_is_not_enough() -> None:
    with pytest.raises(QueryError, match="the key of sales is day, shop; missing: shop"):
        lineage.read_key(["day=2026-11-01"], SALES)


@pytest.mark.parametrize(
    ("column", "text", "sql"),
    [
        ("day", "2026-11-01", "DATE '2026-11-01'"),
        ("at", "2026-11-01T10:00:00", "TIMESTAMP '2026-11-01 10:00:00 UTC'"),
        ("price", "7.50", "DECIMAL '7.50'"),
        ("share", "0.5", "cast('0.5' AS double)"),
        ("new", "True", "true"),
        ("shop", "O'Neil", "'O''Neil'"),
    ],
)
def test_a_value_as_sql_writes_it(column: str, text: str, sql: str) -> None:
    assert lineage._condition(COLUMNS, {column: text}) == f'"{column}" = {sql}'


@pytest.mark.parametrize(("column", "text"), [("day", "1.11."), ("price", "x"), ("new", "1"), ("share", "'")])
def test_a_value_that_its_column_can_not_have(column: str, text: str) -> None:
    with pytest.raises(QueryError, match=f"{column} is of type "):
        lineage._condition(COLUMNS, {column: text})


def test_a_table_that_any_change_touches_comes_from_all_rows(lake: Path) -> None:
    everything = GoldTable("totals", "T.", ("movies",), ("genre",), {"movies": None}, GENRES.columns)
    target = lineage.Target(MOVIES, "gold", everything)
    (origins,) = lineage.find_origins(trace_row.open_folder(lake), target, {"genre": "Drama"})
    assert (origins.condition, origins.count, len(origins.rows.rows)) == ("all", 3, 3)


def test_a_row_whose_value_several_columns_may_hold(lake: Path) -> None:
    touched = {"movies": {"genre": ("genre", "movie_id")}}
    target = lineage.Target(MOVIES, "gold", GoldTable("any", "A.", ("movies",), ("genre",), touched, GENRES.columns))
    found = [
        lineage.find_origins(trace_row.open_folder(lake), target, {"genre": value})[0] for value in ("mv-3", "Drama")
    ]
    assert [(each.condition, each.count) for each in found] == [("genre = mv-3", 1), ("genre = Drama", 2)]


def test_a_name_in_two_pipelines_needs_its_layer() -> None:
    silver = SilverTable("sales", "S.", "sales", ("day",), (), COLUMNS, {})
    one, other = (Pipeline(name, "P.", {}, silver, gold) for name, silver, gold in (
        ("shop", {}, {"sales": SALES}), ("till", {"sales": silver}, {}),
    ))  # fmt: skip
    with pytest.raises(QueryError, match=r"several tables are called sales; there are: gold\.sales, silver\.sales"):
        lineage.find_table("sales", [one, other])
    assert lineage.find_table("silver.sales", [one, other]).table is silver
