"""Gold by increments equals gold computed whole, after any change of silver; and when it is computed whole."""

from __future__ import annotations

import importlib
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse import gold
from lakehouse.declaration import GoldTable
from lakehouse.job import find_declaration
from lakehouse.silver_hop import silver_table
from lakehouse.tables import Run, Table, columns
from tests.lakehouse.conftest import opened

pytestmark = pytest.mark.usefixtures("interpreted")
Row = tuple[Any, ...]


class Silver:
    """A silver table that tests change at will, by the value of its first column; notes which rows were touched."""

    def __init__(self, table: Table) -> None:
        self.table, self.rows, self.touched = table.create(), dict[Any, Row](), list[Row]()

    def _commit(self, write: Callable[[], object]) -> None:
        """Each change is a run's."""
        run = replace(self.table.run, run_id=f"run-{self.table.version()}")
        replace(self.table, run=run).commit({"hop": "test"}, write)

    def _frame(self, rows: list[Row]) -> DataFrame:
        for row in rows:
            self.touched += [self.rows[row[0]], row] if row[0] in self.rows else [row]
            self.rows[row[0]] = row
        return self.table.run.spark.createDataFrame(rows, self.table.schema).coalesce(1)

    def append(self, rows: list[Row]) -> None:
        """New rows."""
        writer = self._frame(rows).write.format("delta").mode("append")
        self._commit(lambda: writer.save(self.table.path))

    def merge(self, rows: list[Row]) -> None:
        """New values of rows that are there."""
        key = self.table.columns[0].name
        merge = self.table.delta().alias("t").merge(self._frame(rows).alias("s"), f"t.{key} = s.{key}")
        self._commit(merge.whenMatchedUpdateAll().execute)

    def delete(self, keys: list[Any]) -> None:
        """Rows less."""
        self.touched += [self.rows.pop(key) for key in keys]
        self._commit(lambda: self.table.delta().delete(F.col(self.table.columns[0].name).isin(keys)))

    def groups(self, names: tuple[str, ...], rows: list[Row] | None = None) -> set[Row]:
        """The values of some columns in the given rows, or in all that the table holds."""
        places = [[column.name for column in self.table.columns].index(name) for name in names]
        return {tuple(row[place] for place in places) for row in (self.rows.values() if rows is None else rows)}


def assert_equals_the_whole(hop: gold.GoldHop) -> None:
    """The stored table is what the function makes of all its inputs' rows, as of the same versions."""
    stored, whole = hop.table.load().collect(), hop.compute(hop.load()).collect()
    assert sorted(map(repr, stored)) == sorted(map(repr, whole))


def film(number: int, chance: random.Random) -> Row:
    """A row of silver movies; groups are many, so that few changes touch few of them. Any value may be missing."""

    def some(*values: Any) -> Any:
        return chance.choice(values)

    year = some(None, *range(1980, 2005))
    return (
        f"mv-{number:03d}",
        some("Dawn", "Dusk"),
        some(None, *(f"Genre {n}" for n in range(25))),
        some(None, *(f"Studio {n}" for n in range(25))),
        "PG",
        "Family",
        date(year or 1979, 1, 1),
        year,
        some(None, 0, 10, 33),
        some(None, 0, 7, 100),
        some(None, Decimal("7.25"), Decimal("3.50")),
        some(None, 0, 3, 10),
        100,
        *(datetime(2026, 11, 1, tzinfo=UTC), f"id-{number}", datetime(2026, 11, 1, tzinfo=UTC), 1),
    )


def insert(movies: Silver, chance: random.Random) -> None:
    """Some rows more."""
    new = 1 + max(int(key[3:]) for key in movies.rows)
    movies.append([film(number, chance) for number in (new, new + 1)])


def update(movies: Silver, chance: random.Random) -> None:
    """Some rows changed, and moved to other groups."""
    movies.merge([film(int(key[3:]), chance) for key in chance.sample(sorted(movies.rows), 2)])


def empty(movies: Silver, chance: random.Random) -> None:
    """All rows of one studio or release year gone."""
    column = chance.choice((3, 7))
    counts = Counter(row[column] for row in movies.rows.values())
    rarest = min(counts, key=lambda value: (counts[value], str(value)))
    movies.delete([key for key, row in movies.rows.items() if row[column] == rarest])


def name_genre(movies: Silver, chance: random.Random) -> None:
    """All rows without a genre moved to one."""
    without_genre = [row for row in movies.rows.values() if row[2] is None]
    if without_genre:
        movies.merge([(*row[:2], "Genre 1", *row[3:]) for row in without_genre])


CHANGES = (insert, update, empty, name_genre)


def test_movies(run: Run) -> None:
    pipeline, script, chance = (
        find_declaration("movies"),
        importlib.import_module("pipelines.movies"),
        random.Random(187),
    )
    movies = Silver(silver_table(run, pipeline.silver["movies"]))
    movies.append([film(number, chance) for number in range(60)])
    groups: dict[str, set[Row]] = {name: set() for name in pipeline.gold}
    vanished: dict[str, set[Row]] = {name: set() for name in pipeline.gold}
    for step in range(4):
        version, touched = movies.table.version(), movies.touched
        for name, declared in pipeline.gold.items():
            vanished[name] |= groups[name] - movies.groups(declared.key)
            groups[name] = movies.groups(declared.key)
        movies.touched = []
        for change in chance.choices(CHANGES, k=3):  # newer than the pinned version: must not be seen yet
            change(movies, chance)
        for declared in pipeline.gold.values():
            hop = gold.gold_hop(run, declared, script, {"movies": movies.table}, {"movies": version})
            done = gold.refresh(hop)
            count = len(movies.groups(declared.key, touched))
            assert done is not None
            assert done[1] == (f"{count} touched groups" if step else "all groups: first time")
            assert gold.refresh(hop) is None
            assert_equals_the_whole(hop)
    assert all(vanished.values())
    assert (None,) in vanished["movies_by_genre"]


SALES = columns(("sale", "int", "."), ("region", "string", "."), ("shop", "string", "."), ("amount", "int", "."))
RATES = columns(("country", "int", "."), ("region", "string", "."), ("rate", "int", "."))
TAKINGS = GoldTable(
    "takings",
    "Sales in another currency, one row per region and shop.",
    ("sales", "rates"),
    ("region", "shop"),
    {"sales": ("region", "shop"), "rates": ("region",)},
    columns(("region", "string", "."), ("shop", "string", "."), ("sales", "bigint", "."), ("total", "bigint", ".")),
)


def takings(sales: DataFrame, rates: DataFrame) -> DataFrame:
    """A gold function of two inputs, which share a part of the key only."""
    priced = sales.alias("s").join(rates.alias("r"), F.expr("s.region <=> r.region"), "left")
    groups = priced.groupBy(F.col("s.region").alias("region"), "shop")
    return groups.agg(F.count("sale").alias("sales"), F.sum(F.expr("amount * rate")).cast("bigint").alias("total"))


class Shop:
    """Both silver tables and the gold table that reads them, brought up to date once."""

    def __init__(self, run: Run, declared: GoldTable = TAKINGS) -> None:
        self.run, self.declared = run, declared
        self.sales = Silver(Table(run, "silver", "sales", SALES))
        self.rates = Silver(Table(run, "silver", "rates", RATES))
        self.sales.append([(n, self.region(n), f"Shop {n % 3}", n) for n in range(30)])
        self.rates.append([(n, self.region(n), n) for n in range(9)])

    @staticmethod
    def region(number: int) -> str | None:
        """One of ten regions, of which one has no name."""
        return f"Region {number % 10}" if number % 10 else None

    def refresh(self) -> str:
        """Brings gold up to date; returns how."""
        tables = {"sales": self.sales.table, "rates": self.rates.table}
        versions = {name: table.version() for name, table in tables.items()}
        script: Any = SimpleNamespace(takings=takings)
        hop = gold.gold_hop(self.run, self.declared, script, tables, versions)
        done = gold.refresh(hop)
        assert done is not None
        assert_equals_the_whole(hop)
        return done[1]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Iterator[Shop]:
    """A gold table of two silver tables, up to date; each test changes other rows of it and leaves it up to date."""
    with opened(tmp_path_factory.mktemp("shop")) as run:
        shop = Shop(run)
        assert shop.refresh() == "all groups: first time"
        yield shop


def test_two_inputs_with_a_partial_key(run: Run) -> None:
    shop = Shop(run)
    shop.refresh()
    shop.sales.merge([(1, "Region 2", "Shop 9", 50), (11, "Region 3", "Shop 1", 1)])
    assert shop.refresh() == "3 touched groups"
    shop.rates.merge([(0, None, 100), (4, "Region 9", 5)])  # the rate of Region 4 becomes the second of Region 9
    shop.sales.delete([0, 5, 15, 25])  # Region 5 has no sale any more
    assert shop.refresh() == "4 touched groups"
    shop.rates.delete([0])
    shop.sales.append([(40, None, "Shop 0", 7), (41, "Region 40", "Shop 0", 7)])
    assert shop.refresh() == "2 touched groups"
    shop.sales.merge([(10, "Region 1", "Shop 1", 2), (20, "Region 1", "Shop 1", 3), (40, "Region 1", "Shop 1", 3)])
    assert shop.refresh() == "2 touched groups"  # and no sale is without a region any more


def test_whole_when_the_code_has_changed(shop: Shop) -> None:
    shop.sales.delete([1])
    shop.run = replace(shop.run, code="other")
    assert shop.refresh() == "all groups: the pipeline's code or declaration has changed"


def test_whole_when_an_input_is_another_table(shop: Shop, tmp_path: Path) -> None:
    Path(shop.rates.table.path).rename(tmp_path / "before")
    shop.rates = Silver(shop.rates.table)
    shop.rates.append([(1, "Region 1", 1)])
    assert shop.refresh() == "all groups: silver table rates is another one than before"


def test_whole_when_most_groups_are_touched(shop: Shop) -> None:
    shop.sales.merge([(n, shop.region(n), "Shop 7", n) for n in range(11, 16)])
    assert shop.refresh() == "5 touched groups"
    shop.sales.merge([(n, shop.region(n), "Shop 8", n) for n in range(11, 17)])
    assert shop.refresh() == "all groups: 6 groups touched of 10"


def test_whole_when_many_groups_are_touched(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gold, "MANY", 1)
    shop.sales.merge([(17, "Region 7", "Shop 7", 1)])
    assert shop.refresh() == "1 touched groups"
    shop.sales.merge([(17, "Region 7", "Shop 8", 1), (18, "Region 8", "Shop 8", 1)])
    assert shop.refresh() == "all groups: more than 1 groups touched"


def test_whole_when_the_change_feed_is_gone(shop: Shop) -> None:
    feed = Path(shop.sales.table.path) / "_change_data"
    before = set(feed.rglob("*.parquet"))
    shop.sales.merge([(21, "Region 2", "Shop 9", 50)])
    (added,) = set(feed.rglob("*.parquet")) - before
    added.write_bytes(b"no feed")
    with pytest.raises(Py4JJavaError, match="FAILED_READ_FILE"):  # it may be whole again by the next run
        shop.refresh()
    added.unlink()
    assert shop.refresh() == "all groups: the change feed is gone (FAILED_READ_FILE.FILE_NOT_EXIST)"
    shop.sales.merge([(22, "Region 3", "Shop 9", 50)])
    assert shop.refresh() == "2 touched groups"


def test_whole_when_the_change_feed_was_off(shop: Shop) -> None:
    for row, feed in ((28, "false"), (29, "true")):
        table = f"delta.`{shop.sales.table.path}`"
        shop.run.spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES (delta.enableChangeDataFeed = {feed})")
        shop.sales.delete([row])
    assert shop.refresh() == "all groups: the change feed is gone (DELTA_MISSING_CHANGE_DATA)"


def test_whole_when_the_log_of_the_changes_is_cleaned_up(shop: Shop) -> None:
    shop.sales.delete([9])
    shop.sales.append([(50, "Region 9", "Shop 0", 1)])
    logs = shop.run.spark._jvm.org.apache.spark.sql.delta.DeltaLog
    logs.forTable(shop.run.spark._jsparkSession, shop.sales.table.path).checkpoint()
    for log in sorted(Path(shop.sales.table.path, "_delta_log").glob("*.json"))[:-1]:
        log.unlink()
    logs.clearCache()
    assert shop.refresh() == "all groups: the log of the changes of sales is cleaned up"


def test_whole_when_any_change_touches_all_groups(run: Run) -> None:
    shop = Shop(run, replace(TAKINGS, touched_by={"sales": ("region", "shop"), "rates": None}))
    shop.refresh()
    shop.sales.delete([1])
    assert shop.refresh() == "1 touched groups"
    shop.rates.delete([2])
    assert shop.refresh() == "all groups: a change of rates touches all groups"


def test_whole_when_inputs_share_no_column(run: Run) -> None:
    shop = Shop(run, replace(TAKINGS, touched_by={"sales": ("shop",), "rates": ("region",)}))
    shop.refresh()
    shop.rates.delete([2])
    assert shop.refresh() == "all groups: its inputs share no group column"
