"""Every kind of bad file beside good ones: each ends in the ledger or in quarantine with its reason, the rest loads.

What is expected stands by hand beside each kind. All JSON files arrive in one run, and so do all CSV files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from query import connect
from tests.bad_input import corpus, page, plain_spark
from tests.bad_input.json_records import FIVE
from tests.bad_input.kind import Kind
from tests.bad_input.records import read_records
from tests.conftest import Lake
from tests.pipelines import datasets

pytestmark = pytest.mark.usefixtures("interpreted")
FOLDERS = {"movies": "movies/2026/09/01", "depots": "parcels/depots", "legs": "parcels/legs"}
PIPELINES = {"movies": "movies", "depots": "parcels", "legs": "parcels"}
KEYS = {"movies": "movie_id", "depots": "depot_id", "legs": "parcel_id"}
ALL = (*corpus.JSON, *corpus.CSV)


def raw_key(kind: Kind) -> str:
    """Where a kind's file lies below raw/."""
    return f"{FOLDERS[kind.source]}{kind.path.removeprefix(kind.source)}"


def landed(folder: Path, spark: SparkSession, kinds: Sequence[Kind]) -> Lake:
    """A lake in which all files of some kinds have landed."""
    lake = Lake(folder / "lake", spark)
    for kind in kinds:
        lake.land(raw_key(kind), kind.content)
    return lake


@pytest.fixture(scope="module")
def json_lake(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, interpreted: None) -> Lake:
    """A lake after one run on all JSON files."""
    lake = landed(tmp_path_factory.mktemp("json"), spark, corpus.JSON)
    lake.run("bronze", "silver")
    return lake


@pytest.fixture(scope="module")
def csv_lake(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, interpreted: None) -> Lake:
    """A lake after one run on all CSV files, as depots and legs of the sample dataset."""
    lake = landed(tmp_path_factory.mktemp("csv"), spark, corpus.CSV)
    with datasets.pipeline("parcels") as script:
        lake.run("bronze", "silver", script=script, pipeline="parcels")
    return lake


@pytest.fixture(scope="module")
def found(json_lake: Lake, csv_lake: Lake) -> dict[str, dict[str, list[tuple[Any, ...]]]]:
    """What ledger, bronze, quarantine and silver hold of each file, by its key."""
    tables: dict[str, dict[str, list[tuple[Any, ...]]]] = {}
    for source, key in KEYS.items():
        ask = connect((json_lake if source == "movies" else csv_lake).root).execute
        queries = {
            "ledger": "SELECT key, outcome, reason, records "
            f"FROM oakvale_bronze.{PIPELINES[source]}_files WHERE source = '{source}'",
            "bronze": f"SELECT _file FROM oakvale_bronze.{source}",
            "quarantine": f"SELECT _file, _rules FROM oakvale_silver.{source}_quarantine ORDER BY _record_id",
            "silver": f"SELECT b._file, s.{key} FROM oakvale_silver.{source} s "
            f"JOIN oakvale_bronze.{source} b USING (_record_id) ORDER BY _record_id",
        }
        for table, sql in queries.items():
            for file, *row in ask(sql).fetchall():
                tables.setdefault(file, {}).setdefault(table, []).append(tuple(row))
    return tables


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_a_file_ends_as_expected(kind: Kind, found: dict[str, dict[str, list[tuple[Any, ...]]]]) -> None:
    tables = found[f"raw/{raw_key(kind)}"]
    ((outcome, reason, counted),) = tables["ledger"]
    assert (outcome, reason is None) == (kind.outcome, kind.reason is None)
    assert (reason or "").startswith(kind.reason or "")
    assert [tuple(rules) for (rules,) in tables.get("quarantine", [])] == list(kind.rejects)
    assert tuple(key for (key,) in tables.get("silver", [])) == kind.loads
    assert len(tables.get("bronze", [])) == counted == kind.records


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind.outcome != "unreadable"], ids=lambda kind: kind.name)
def test_python_counts_the_same_records(kind: Kind) -> None:
    assert len(read_records(kind)) == kind.records


def test_every_landed_file_is_in_the_corpus_once(found: dict[str, Any]) -> None:
    assert sorted(found) == sorted(f"raw/{raw_key(kind)}" for kind in ALL)
    assert len(ALL) >= 60
    keys = Counter((kind.source, key) for kind in ALL for key in kind.loads)
    assert max(Counter(kind.name for kind in ALL).values()) == max(keys.values()) == 1


def test_values_come_through_unchanged(csv_lake: Lake, json_lake: Lake) -> None:
    depots = connect(csv_lake.root)
    town = "SELECT town FROM oakvale_bronze.depots WHERE depot_id = 'd1'"
    assert depots.execute(town).fetchall() == [('say "hi"\nand, bye',)]
    town = "SELECT town FROM oakvale_bronze.depots WHERE contains(_file, ?)"
    assert depots.execute(town, ["/empty-cell/"]).fetchall() == [(None,)]
    assert depots.execute(town, ["/quoted-empty-cell/"]).fetchall() == [("",)]
    colour = "SELECT _extra['colour'] FROM oakvale_bronze.depots WHERE depot_id = 'b2'"
    assert depots.execute(colour).fetchall() == [("red",)]
    legs = "SELECT CAST(leg_number AS varchar) FROM oakvale_silver.legs WHERE parcel_id = 'csv-blanks'"
    assert depots.execute(legs).fetchall() == [("7",)]
    films = connect(json_lake.root)
    original = "SELECT _original FROM oakvale_silver.movies_quarantine WHERE contains(_file, ?)"
    assert films.execute(original, ["/five-objects/"]).fetchall() == [("".join(FIVE),)]
    ((latin_1,),) = films.execute(original, ["/latin-1/"]).fetchall()
    assert latin_1.startswith("base64:")
    titles = (
        "SELECT title FROM oakvale_silver.movies JOIN oakvale_bronze.movies b USING (_record_id, title) "
        "WHERE contains(b._file, ?)"
    )
    assert films.execute(titles, ["/escaped-nul/"]).fetchall() == [("a\0b",)]
    assert films.execute(titles, ["/formula/"]).fetchall() == [('=HYPERLINK("x")',)]


def test_the_page_shows_what_plain_spark_does(spark: SparkSession, tmp_path: Path) -> None:
    """A difference is either a change in the corpus (`make docs` computes the page anew) or one in Spark."""
    corpus.write(ALL, tmp_path)
    _, tables = page.written()
    assert tables.splitlines() == page.computed(plain_spark.judge(spark, tmp_path, ALL)).splitlines()


def test_the_corpus_can_be_written_to_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert corpus.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith(f"{len(corpus.JSON)} kinds of JSON files and {len(corpus.CSV)} of CSV")
    files = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {kind.path: kind.content for kind in ALL}
