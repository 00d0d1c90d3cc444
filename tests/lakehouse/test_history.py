"""A history equals its rebuild from raw records after every batch, whatever comes late, twice, tied or in no order."""

from __future__ import annotations

import hashlib
import itertools
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from lakehouse import accounting, delta_log, history, job
from lakehouse.accounting import Unbalanced
from lakehouse.reader import parse
from lakehouse.storage import FolderStorage
from lakehouse.tables import ContractError
from query import connect
from tests.conftest import Lake
from tests.lakehouse.films import jsonl
from tests.pipelines import datasets

pytestmark = pytest.mark.usefixtures("interpreted")
FOLDER = datasets.SAMPLES / "prices"
SCRIPT = datasets.load_script(FOLDER / "prices.py")
TEXT = (FOLDER / "prices.yaml").read_text(encoding="utf-8")
TOLERANT = TEXT.replace("price between 0 and 100", "price between 0 and 300")
BY_TIME = TOLERANT.replace("newest_by: [valid_from]", "newest_by: [announced_at]")
"""The declaration, with a rule that no price fails, and with a timestamp in place of a day too."""
HIGHEST = {TEXT: 100, TOLERANT: 300, BY_TIME: 300}
FOREVER = {"valid_from": "9999-12-31", "announced_at": "9999-12-31 00:00:00+00"}
COLUMNS = ("shop", "product", "category", "price", "withdrawn", "valid_from", "announced_at", "_valid_to", "_record_id")
Row = tuple[Any, ...]
Versions = dict[Row, Row]
"""All versions by shop, product and moment, in the columns above; days and times as text."""
Record = tuple[int, str, dict[str, Any]]
"""The time of a record's file, its identity, its fields."""


@dataclass(frozen=True)
class File:
    """One file of price changes: its key, content, time and records."""

    key: str
    content: bytes
    at: int
    records: list[Record]


class Feed:
    """Files of price changes, made by chance."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.files: list[File] = []

    def change(self, days: range) -> dict[str, Any]:
        """A change of some product's price: of few products and days, so that some have several."""
        chance = self.chance
        price = chance.choice((chance.randrange(100), chance.randrange(100), 200))
        return {
            "shop": chance.randrange(10),
            "product": chance.choice(("tea", "oats")),
            "category": chance.choice((None, *(f"category {number}" for number in range(60)))),
            "price": f"{price}.{chance.randrange(100):02d}",
            "withdrawn": chance.random() < 0.2,
            "valid_from": f"2026-11-{chance.choice(days):02d}",
            "announced_at": f"2026-10-{chance.choice(days):02d}T08:00:00{chance.choice(('', '.000001', '.5'))}Z",
        }

    def add_day(self, size: int, days: range) -> None:
        """Two files of changes, some of which repeat others, some of these with another moment.

        The second file is as old as an earlier one, or older.
        """
        for at in (len(self.files), self.chance.randrange(3)):
            known = [fields for file in self.files for _, _, fields in file.records]
            changes = [self.change(days) for _ in range(size)]
            again = [self.chance.choice([*known, *changes]) for _ in range(size // 4)]
            moments = [{name: self.change(days)[name] for name in FOREVER} for _ in again[::2]]
            changes += [*again, *(fields | moment for fields, moment in zip(again[::2], moments, strict=True))]
            key, content = f"prices/{len(self.files):03d}.jsonl", jsonl(*changes)
            text = f"raw/{key}\n{hashlib.sha256(content).hexdigest()}"
            identity = hashlib.sha256(text.encode()).hexdigest()[:16]
            records = [(at, f"{identity}-{place:012d}", fields) for place, fields in enumerate(changes)]
            self.files.append(File(key, content, at, records))


def rebuild(files: list[File], text: str, moment: str = "valid_from") -> Versions:
    """All versions from all records at once: the last record for a moment counts, until the key's next moment."""
    last: Versions = {}
    for _, identity, fields in sorted((each for file in files for each in file.records), key=lambda each: each[:2]):
        if (price := Decimal(fields["price"])) <= HIGHEST[text]:
            announced = fields["announced_at"].replace("T", " ").replace("Z", "+00")
            row = {**fields, "price": price, "announced_at": announced, "_record_id": identity}
            last[row["shop"], row["product"], row[moment]] = tuple(row.get(name) for name in COLUMNS)
    ends = {before: after[2] for before, after in itertools.pairwise(sorted(last)) if before[:2] == after[:2]}
    return {key: (*row[:-2], ends.get(key, FOREVER[moment]), row[-1]) for key, row in last.items()}


def stored(lake: Lake, moment: str = "valid_from") -> Versions:
    """The versions that silver holds."""
    times = ("valid_from", "announced_at", "_valid_to")
    columns = ", ".join(f"{name}::varchar" if name in times else name for name in COLUMNS)
    rows = connect(lake.root).execute(f"SELECT {columns} FROM oakvale_silver.prices").fetchall()
    found = {(*row[:2], row[COLUMNS.index(moment)]): row for row in rows}
    assert len(found) == len(rows)
    return found


def groups(prices: Versions) -> list[Row]:
    """Gold as it should be: category, versions, offers, highest price among these."""
    of_category = defaultdict(list)
    for row in prices.values():
        of_category[row[2]].append(row)
    offers = {
        category: [row[3] for row in rows if row[-2] == FOREVER["valid_from"] and not row[4]]
        for category, rows in of_category.items()
    }
    found = [
        (name, len(rows), len(offers[name]), max(offers[name], default=None)) for name, rows in of_category.items()
    ]
    return sorted(found, key=repr)


@contextmanager
def declared(text: str) -> Iterator[None]:
    """Within the block a job finds this declaration."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(job, "find_declaration", lambda name: parse(name, text, f"{name}.yaml"))
        yield


def run(lake: Lake, text: str, *layers: str) -> list[dict[str, Any]]:
    """Runs layers of the pipeline by this declaration."""
    with declared(text):
        return lake.run(*layers, script=SCRIPT, pipeline="prices")


def land(lake: Lake, files: list[File]) -> None:
    """Lands files with their times."""
    for file in files:
        lake.land(file.key, file.content, at=1_790_000_000 + file.at)


@dataclass(frozen=True)
class Day:
    """What a day has made of the lake: silver and gold with the records of their runs, and what they should be."""

    expected: Versions
    stored: Versions
    groups: list[Row]
    silver: dict[str, Any]
    gold: dict[str, Any]


@dataclass(frozen=True)
class Past:
    """A lake after three days, and what it was before silver took the last of them."""

    files: list[File]
    lake: Lake
    two_days: Lake
    days: list[Day]


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, interpreted: None) -> Past:
    """Three days in their order. On the second all prices are tolerated, so the first day's rejects come late.

    The third has few changes, of days between those of others.
    """
    folder, feed = tmp_path_factory.mktemp("history"), Feed(seed=30)
    lake, days = Lake(folder / "lake", spark), list[Day]()
    for text, size, of_days in ((TEXT, 30, range(8, 20)), (TOLERANT, 30, range(1, 28)), (TOLERANT, 4, range(5, 9))):
        feed.add_day(size, of_days)
        land(lake, feed.files[-2:])
        run(lake, text, "bronze")
        if len(days) == 2:
            two_days = lake.copy(folder / "two_days")
        silver, gold = run(lake, text, "silver", "gold")
        expected, actual = rebuild(feed.files, text), stored(lake)
        days.append(Day(expected, actual, lake.rows("gold/categories"), silver, gold))
    return Past(feed.files, lake, two_days, days)


def test_equals_a_rebuild_after_every_batch(past: Past) -> None:
    for day in past.days:
        assert day.stored == day.expected
    assert [len(day.stored) for day in past.days] == [38, 111, 119]


def test_each_version_ends_where_the_next_begins(past: Past) -> None:
    for day in past.days:
        spans = defaultdict(list)
        for shop, product, moment in sorted(day.stored):
            spans[shop, product].append((moment, day.stored[shop, product, moment][-2]))
        for of_key in spans.values():
            assert [end for _, end in of_key] == [*(moment for moment, _ in of_key[1:]), FOREVER["valid_from"]]


def equations(account: dict[str, Any]) -> dict[str, Any]:
    """Both sides of each equation of an account by their name."""
    return {each["name"]: (each["left"], each["right"]) for each in account["equations"]}


def test_each_batch_is_one_merge_with_the_counts_of_two_rebuilds(past: Past) -> None:
    assert past.lake.versions()["silver/prices"] == len(past.days)
    for version, (before, day) in enumerate(itertools.pairwise(past.days), start=2):
        old, new = before.expected, day.expected
        other = {key for key in old if old[key] != new[key]}
        (account,) = day.silver["accounts"]
        keys, became = equations(account)["keys"]
        assert keys["closed"] == sum(old[key][-1] == new[key][-1] for key in other)
        assert (became["inserted"], became["updated"]) == (len(new) - len(old), len(other))
        commit = delta_log.read_commit(FolderStorage(past.lake.root), "silver/prices", version)
        assert commit.operation == "MERGE"
        # The bound is a literal on a column of the table, by which Delta skips files.
        assert re.search(r"\(_valid_to#\d+ > 2026-11-0", commit.parameters["predicate"])


def test_all_that_can_happen_to_a_version_happens(past: Past) -> None:
    """Ties lost (stale) and won (updated without being closed), repeats, rejects that come back, equal neighbours."""
    _, day, _ = past.days
    found = equations(day.silver["accounts"][0])
    assert found["reopened"] == ({"reopened": 24}, {"readmitted": 24, "rejected again": 0})
    assert found["entered"] == ({"entered": 106}, {"versions": 82, "duplicates": 24})
    assert found["keys"] == ({"versions": 82, "closed": 18}, {"inserted": 73, "updated": 23, "stale": 4})
    versions = [row for _, row in sorted(day.stored.items())]
    neighbours = [pair for pair in itertools.pairwise(versions) if pair[0][:2] == pair[1][:2]]
    assert sum(version[4] for version, _ in neighbours) == 18  # withdrawn, and later offered or withdrawn again
    assert sum(before[2:5] == after[2:5] for before, after in neighbours) == 5


def test_gold_is_computed_from_all_versions(past: Past) -> None:
    assert [day.groups for day in past.days] == [groups(day.expected) for day in past.days]
    assert past.days[2].gold["refreshed"][0]["computed"] == "17 touched groups"


def test_running_again_commits_nothing(past: Past) -> None:
    before = past.lake.files()
    assert [record["outcome"] for record in run(past.lake, TOLERANT)] == ["idle"] * 3
    assert past.lake.files() == before


def test_files_in_another_order_end_in_the_same_table(
    past: Past, tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a timestamp; a crash leaves the first batch unchecked, and the next run checks both."""
    lake = Lake(tmp_path_factory.mktemp("order") / "lake", spark)
    land(lake, past.files[:2:-1])
    run(lake, BY_TIME, "bronze")
    with monkeypatch.context() as patched:
        patched.delattr(accounting, "silver_account")
        with pytest.raises(AttributeError, match="silver_account"):
            run(lake, BY_TIME, "silver")
    assert stored(lake, "announced_at") == rebuild(past.files[3:], BY_TIME, "announced_at")
    land(lake, past.files[2::-1])
    _, record = run(lake, BY_TIME, "bronze", "silver")
    first, second = (equations(account) for account in record["accounts"])
    assert first["entered"] == ({"entered": 53}, {"versions": 51, "duplicates": 2})
    assert first["keys"] == ({"versions": 51, "closed": 0}, {"inserted": 51, "updated": 0, "stale": 0})
    assert second["entered"] == ({"entered": 123}, {"versions": 95, "duplicates": 28})
    assert second["keys"] == ({"versions": 95, "closed": 20}, {"inserted": 87, "updated": 27, "stale": 1})
    assert stored(lake, "announced_at") == rebuild(past.files, BY_TIME, "announced_at")


def test_a_version_that_is_not_closed_is_not_published(
    past: Past, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = past.two_days.copy(tmp_path_factory.mktemp("unclosed") / "lake")
    gate = lake.gate("silver", "prices")
    monkeypatch.setattr(history, "changed", lambda versions: versions.where("_was is null").drop("_was"))
    told = r"11 versions \+ 8 closed is not 8 inserted \+ 2 updated \+ 1 stale\. Nothing of it is published"
    with pytest.raises(Unbalanced, match=told):
        run(lake, TOLERANT, "silver")
    assert lake.gate("silver", "prices") == gate


def test_a_table_that_was_no_history_before_is_refused(past: Past, tmp_path_factory: pytest.TempPathFactory) -> None:
    lake = past.two_days.copy(tmp_path_factory.mktemp("refused") / "lake")
    with pytest.raises(
        ContractError, match=r"silver/prices: the stored table differs .* not declared \[_valid_to date\]"
    ):
        run(lake, TOLERANT.replace("    history: true\n", "", 1), "silver")
