"""Queries in Athena's SQL run over a lake's Delta tables; what Athena would refuse is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import deltalake
import duckdb
import pytest

import athena_client
import deployment
import query as query_script
from athena_sql import QueryError
from environments import DeployError
from query import Result, ask, connect, printable, query

ROOT = Path(__file__).resolve().parents[2]
TABLES = {
    "gold/movies_by_genre": """
        select * from (values ('Drama', 7::bigint, 2::bigint, 6.50::decimal(4, 2), date '2026-11-01'),
            ('Comedy', 3, 2, null, date '2026-11-02')) as t(genre, movies, studios, rating, newest)""",
    "silver/movies": """
        select 'm1' as movie_id, 'Drama' as genre, timestamptz '2026-11-01 10:00:00+02' as updated_at""",
    "bronze/movies": "select 'm1' as movie_id, 1 as _batch",
    "quarantine/movies": "select 'no_title' as rule, 'm2' as movie_id",
    "quarantine_events/movies": "select 'm2' as movie_id, 1::bigint as attempt",
    "ledger/movies": "select 1::bigint as batch, 'raw/movies/a.json' as key",
}
RUN = "runs/movies/bronze/2026/11/01/a.json"
RECORD = {
    "run_id": "a",
    "job_run_id": None,
    "started_at": "2026-11-01T08:00:00.250000+00:00",
    "files": {"read": 2, "empty": 1},
    "accounts": [{"table": "bronze/movies", "equations": [{"name": "bronze rows", "left": {"bronze rows": 3}}]}],
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with one table per layer, written without Spark."""
    folder = tmp_path_factory.mktemp("the lake's")
    for table, select in TABLES.items():
        deltalake.write_deltalake(str(folder / table), duckdb.sql(select))
    (folder / RUN).parent.mkdir(parents=True)
    (folder / RUN).write_text(json.dumps(RECORD))
    return folder


@pytest.fixture(scope="module")
def connection(lake: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to that lake."""
    with connect(lake) as opened:
        yield opened


def test_gold_needs_no_schema(connection: duckdb.DuckDBPyConnection) -> None:
    assert query(connection, "select genre, movies, rating from movies_by_genre order by genre") == Result(
        ["genre", "movies", "rating"],
        ["VARCHAR", "BIGINT", "DECIMAL(4,2)"],
        [("Comedy", 3, None), ("Drama", 7, Decimal("6.50"))],
    )


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("oakvale_gold.movies_by_genre", 2),
        ("Oakvale_Silver.Movies", 1),
        ("oakvale_silver.movies_quarantine", 1),
        ("oakvale_silver.movies_quarantine_events", 1),
        ("oakvale_bronze.movies", 1),
        ("oakvale_bronze.movies_files", 1),
        ("oakvale_bronze.runs", 1),
    ],
)
def test_every_layer_has_its_place(connection: duckdb.DuckDBPyConnection, table: str, rows: int) -> None:
    assert query(connection, f"select count(*) from {table}").rows == [(rows,)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sum(movies) / 4", 2),
        ("date_diff('day', min(newest), max(newest))", 1),
        ("approx_distinct(genre)", 2),
        ("array_join(array_agg(genre order by genre), '|')", "Comedy|Drama"),
        ("max_by(genre, movies)", "Drama"),
        ("date_format(max(newest), '%Y-%m')", "2026-11"),
        ("count_if(movies > 5)", 1),
        ("cast(sum(rating) as varchar)", "6.50"),
    ],
)
def test_athena_functions_mean_what_athena_means(
    connection: duckdb.DuckDBPyConnection, expression: str, expected: object
) -> None:
    assert query(connection, f"select {expression} from movies_by_genre").rows == [(expected,)]


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("select movies, movies + 1 from movies_by_genre", ["movies", "_col1"]),
        (
            "select 1, 'a', cast(movies as varchar), (movies) from movies_by_genre",
            ["_col0", "_col1", "_col2", "movies"],
        ),
        ("select t.*, 1 from (values ('a', 2)) as t (x, y)", ["x", "y", "_col2"]),
        ("select count(*) from movies_by_genre union select 5 as five", ["_col0"]),
        ("(select 1)", ["_col0"]),
    ],
)
def test_a_column_without_a_name_is_called_as_athena_calls_it(
    connection: duckdb.DuckDBPyConnection, sql: str, columns: list[str]
) -> None:
    assert query(connection, sql).columns == columns


def test_timestamps_are_utc(connection: duckdb.DuckDBPyConnection) -> None:
    (value,) = query(connection, "select updated_at from oakvale_silver.movies").rows[0]
    assert str(value) == "2026-11-01 08:00:00+00:00"


def test_run_records_have_the_declared_columns(connection: duckdb.DuckDBPyConnection) -> None:
    sql = """
        select job_run_id, cast(from_iso8601_timestamp(started_at) as date), files['empty'], element_at(files, 'late'),
            cardinality(accounts), accounts[1]."table", accounts[1].equations[1]."left"['bronze rows'], rows_in
        from oakvale_bronze.runs
    """
    answer = query(connection, sql)
    assert answer.rows == [(None, date(2026, 11, 1), 1, None, 1, "bronze/movies", 3, None)]
    assert answer.types == ["VARCHAR", "DATE", "BIGINT", "BIGINT", "BIGINT", "VARCHAR", "BIGINT", "BIGINT"]


def test_a_lake_without_runs_has_an_empty_table_of_them(tmp_path: Path) -> None:
    deltalake.write_deltalake(str(tmp_path / "bronze/movies"), duckdb.sql(TABLES["bronze/movies"]))
    assert query(connect(tmp_path), "select run_id, accounts from oakvale_bronze.runs").rows == []


@pytest.mark.parametrize(
    "sql",
    [
        "with big (name) as (select genre from movies_by_genre where movies > 5) select name from big",
        "select genre from movies_by_genre order by movies desc offset 0 limit 1",
        "(select 'Drama')",
        "select 'Drama' union select 'Drama';",
        "select t.g from (values ('Drama')) as t (g) -- a comment",
        "select genre from movies_by_genre where genre in (select m.genre from oakvale_silver.movies as m)",
        "select a.genre from movies_by_genre a join oakvale_silver.movies m on (m.genre = a.genre)",
        "select x from unnest(array['Drama']) as u (x)",
    ],
)
def test_what_athena_accepts_runs(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    assert query(connection, sql).rows == [("Drama",)]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("", "one SELECT is needed, these are 0 statements"),
        ("select 1; select 2", "one SELECT is needed, these are 2 statements"),
        ("drop table movies_by_genre", "only SELECT is possible here"),
        ("insert into movies_by_genre select 1", "only SELECT is possible here"),
        ("show tables", "only SELECT is possible here"),
        ("select from where", "Expected table name but got"),
        ("select 'open", "Error tokenizing"),
        ("from movies_by_genre", "Athena needs SELECT before FROM"),
        ("select movies::int from movies_by_genre", "Athena has no `::`"),
        ("select * exclude (movies) from movies_by_genre", "Athena has no function exclude"),
        ("select * except (movies) from movies_by_genre", "name the columns"),
        ("select distinct on (genre) genre from movies_by_genre", "Athena has no DISTINCT ON"),
        ("select 1 from movies_by_genre limit 5 offset 5", "Athena needs OFFSET before LIMIT"),
        ("select dateadd('day', 1, newest) from movies_by_genre", "Athena has no function dateadd"),
        ("select nvl(rating, 0) from movies_by_genre", "Athena has no function nvl"),
        ("select genre ilike 'd%' from movies_by_genre", "Athena has no ILIKE"),
        ("select {'a': 1}", "Athena has no braces"),
        ("select movies m from movies_by_genre where m > 1", "Column 'm' could not be resolved"),
        ("select nothing from movies_by_genre", "Column 'nothing' could not be resolved"),
        ("select sum(newest) from movies_by_genre", "DuckDB, which stands in for Athena here: Binder Error"),
        (
            "select 1 from movies_by_genre for timestamp as of timestamp '2026-11-01 00:00:00'",
            "Athena has no time travel",
        ),
        ("select * from read_csv('/etc/passwd')", "Athena has no function read_csv"),
        ("select * from delta_scan('.')", "Athena has no function delta_scan"),
        ("select * from information_schema.tables", "no table information_schema.tables"),
    ],
)
def test_what_athena_refuses_is_refused(connection: duckdb.DuckDBPyConnection, sql: str, message: str) -> None:
    with pytest.raises(QueryError) as error:
        query(connection, sql)
    assert message in str(error.value)


def test_an_unknown_table_lists_what_there_is(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(QueryError) as error:
        query(connection, "select * from nothing")
    assert str(error.value) == (
        "no table nothing; there are: oakvale_bronze.movies, oakvale_bronze.movies_files, oakvale_bronze.runs, "
        "oakvale_gold.movies_by_genre, oakvale_silver.movies, oakvale_silver.movies_quarantine, "
        "oakvale_silver.movies_quarantine_events"
    )


def test_nothing_outside_the_lake_can_be_read(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Even past the checks of the text: DuckDB itself is locked in."""
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with pytest.raises(duckdb.PermissionException, match="disabled by configuration"):
        connection.execute(f"select * from read_csv('{secret}')")


@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_a_lake_without_tables_says_what_to_run(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(QueryError, match="there and run `make run PIPELINE=name LAKE=folder` first"):
        connect(tmp_path / folder)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (Decimal("1.50"), "1.50"),
        ("two\nlines\tand  more", "two lines and more"),
        ("\x1b[31mred\x07\x9b1m", "[31mred1m"),
        ("\u202egnp.exe", "gnp.exe"),
        ("Amélie 愛", "Amélie 愛"),
    ],
)
def test_values_print_as_one_harmless_line(value: object, text: str) -> None:
    assert printable(value) == text


def run_script(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The script as `make query` runs it, into a pipe."""
    command = [sys.executable, str(ROOT / "scripts/query.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_prints_plain_columns_into_a_pipe(lake: Path) -> None:
    answer = run_script("--lake", str(lake), "select genre, movies, rating from movies_by_genre order by 1")
    assert [line.rstrip() for line in answer.stdout.splitlines()] == [
        "genre   movies  rating",
        "Comedy       3    NULL",
        "Drama        7    6.50",
    ]
    assert answer.stderr.startswith("2 rows in ")
    assert answer.returncode == 0


def test_the_command_ends_with_2_and_one_line_for_a_wrong_query(lake: Path) -> None:
    answer = run_script("--lake", str(lake), "select nothing from movies_by_genre")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == "error: Column 'nothing' could not be resolved. Line: 1, Col: 14\n"


def test_the_home_directory_stays_untouched(lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run_script("--lake", str(lake), "select 1").returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_every_layer_of_a_lake_is_known() -> None:
    assert sorted(query_script.LAYERS) == sorted({table.split("/")[0] for table in TABLES})


def test_a_deployed_environment_is_asked_through_its_athena(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    answer = Result(["a"], ["INTEGER"], [("1",)])
    outputs = {"workgroup": "oakvale-dev", "databases": {"gold": "oakvale_dev_gold"}}
    deployed = SimpleNamespace(outputs=outputs, client=lambda service: service)
    monkeypatch.setattr(deployment, "connect", lambda environment: asked.append(environment) or deployed)
    monkeypatch.setattr(athena_client, "query", lambda *arguments: asked.append(arguments) or answer)
    assert ask("dev", "select 1 as a") is answer
    assert asked == ["dev", ("athena", "oakvale-dev", "oakvale_dev_gold", "select 1 as a")]


def test_an_environment_that_is_not_deployed_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(environment: str) -> None:
        raise DeployError(f"nothing is deployed in {environment}: make apply ENV={environment}")

    monkeypatch.setattr(deployment, "connect", connect)
    with pytest.raises(QueryError, match="nothing is deployed in dev: make apply ENV=dev"):
        ask("dev", "select 1")
