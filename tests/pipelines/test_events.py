"""events against the oracle: silver and gold after days whose hours come in uneven batches, row for row."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from generate_events import START, Settings, hour
from query import connect
from tests.conftest import Lake
from tests.oracles import events as oracle

pytestmark = pytest.mark.usefixtures("interpreted")
SENT = Settings(
    seed=3, rate=0.008, users=9, duplicates=0.15, late=0.1, skewed=0.06, malformed=0.06, hot_user=0.2, anonymous=0.05
)
BATCHES = ((0, 20), (20, 21), (22, 40), (21, 22), (40, 48))
"""Hours of arrival, from and to, that come before each run; one comes after the hours that follow it."""
GOLD = ("events_by_day", "funnel_by_day", "sessions_by_day")


def land(lake: Lake, begin: int, end: int) -> None:
    """The objects of some hours, each with the time at which its hour ends."""
    for number in range(begin, end):
        start = START + timedelta(hours=number)
        lake.land(*hour(SENT, start), at=int(start.timestamp()) + 3600)


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, interpreted: None) -> tuple[Lake, Lake]:
    """The lake after all batches but the last, and after all."""
    folder = tmp_path_factory.mktemp("events")
    lake = Lake(folder / "lake", spark)
    for number, batch in enumerate(BATCHES):
        if number == len(BATCHES) - 1:
            before = lake.copy(folder / "before")
        land(lake, *batch)
        lake.run(pipeline="events")
    return before, lake


def rows(connection: duckdb.DuckDBPyConnection, table: str, columns: str) -> Counter[str]:
    """All rows of a table, with times in UTC."""
    found = connection.execute(f"SELECT {columns} FROM {table}").fetchall()
    return Counter(repr(tuple(map(_in_utc, row))) for row in found)


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC).replace(tzinfo=None) if getattr(value, "tzinfo", None) else value


def differences(lake: Path) -> dict[str, tuple[list[str], list[str]]]:
    """For each table the rows that only the oracle has, and those that only the lake has."""
    expected, actual, found = oracle.compute(lake), connect(lake), {}
    for layer, tables in (("silver", ("events",)), ("gold", GOLD)):
        for table in tables:
            columns = ", ".join(row[0] for row in expected.execute(f"DESCRIBE {layer}_{table}").fetchall())
            left = rows(expected, f"{layer}_{table}", columns)
            right = rows(actual, f"oakvale_{layer}.{table}", columns)
            found[table] = (list(left - right), list(right - left))
    return found


def test_hours_in_uneven_batches_equal_the_oracle(lakes: tuple[Lake, Lake]) -> None:
    assert differences(lakes[1].root) == {table: ([], []) for table in ("events", *GOLD)}


def test_all_that_can_happen_has_happened(lakes: tuple[Lake, Lake]) -> None:
    asked, lake = connect(lakes[1].root), lakes[1]
    rules = "SELECT DISTINCT unnest(_rules) FROM oakvale_silver.events_quarantine"
    assert {name for (name,) in asked.execute(rules).fetchall()} == {
        *("malformed_record", "event_uuid_missing", "created_at_invalid", "created_datetime_missing"),
        *("created_datetime_too_old", "created_datetime_in_future"),
        *("event_name_is_type_and_subtype", "payload_is_object"),
    }
    accounts = [each for record in lake.records("silver", "events") for each in record["accounts"]]
    terms: Counter[str] = Counter()
    for equation in (each for account in accounts for each in account["equations"]):
        terms.update(equation["right"])
    assert min(terms[name] for name in ("duplicates", "updated", "rejected")) > 20
    computed = [each["computed"] for record in lake.records("gold", "events") for each in record["refreshed"]]
    assert sum(each.endswith(" touched groups") for each in computed) >= 6
    over_midnight = (
        "SELECT count(*) FROM oakvale_silver.events WHERE following_date > event_date AND user_id IS NOT NULL"
    )
    assert asked.execute(over_midnight).fetchall()[0][0] > 5


def test_files_of_partitions_that_did_not_change_stay(lakes: tuple[Lake, Lake]) -> None:
    before, now = (partitions(lake, "silver/events") for lake in lakes)
    same = {place for place, (rows, _) in before.items() if now.get(place, ((), {}))[0] == rows}
    assert len(same) > 5
    assert len(now.keys() - same) > 1
    assert {place: now[place][1] for place in same} == {place: before[place][1] for place in same}


def partitions(lake: Lake, table: str) -> dict[str, tuple[tuple[str, ...], dict[str, int]]]:
    """For each partition of a table its rows, and its files with the times at which they were written."""
    found: dict[str, tuple[list[str], dict[str, int]]] = {}
    frame = lake.spark.read.format("delta").load(str(lake.root / table))
    for *row, place in frame.select("*", "_metadata.file_path").collect():
        file = Path(place.removeprefix("file:"))
        rows, files = found.setdefault(str(file.parent.relative_to(lake.root)), ([], {}))
        rows.append(repr(row))
        files[file.name] = file.stat().st_mtime_ns
    return {place: (tuple(sorted(rows)), files) for place, (rows, files) in found.items()}


def test_a_later_run_is_idle_and_a_replay_equal(lakes: tuple[Lake, Lake]) -> None:
    lake, before = lakes[1], lakes[1].files()
    assert [record["outcome"] for record in lake.run(pipeline="events")] == ["idle"] * 3
    assert lake.files() == before
    replayed = lake.run(pipeline="events", options=("--mode", "replay"))
    compared = [(each["table"], each["verdict"]) for record in replayed for each in record["compared"]]
    assert {verdict for _, verdict in compared} == {"equal"}
    assert len(compared) == 6


def test_silver_reads_no_row_that_can_not_be_repeated(lakes: tuple[Lake, Lake], tmp_path: Path) -> None:
    """Of all files but those of one hour the values are damaged, so that nobody can read them; only counts are left."""
    lake, later = lakes[0].copy(tmp_path / "lake"), START + timedelta(days=8)
    key, content = hour(SENT, later)
    lake.land(key, content, at=int(later.timestamp()) + 3600)
    bound = (later + timedelta(hours=1) - timedelta(days=7)).replace(tzinfo=None)
    frame = lake.spark.read.format("delta").load(str(lake.root / "silver/events"))
    older = frame.where(f"created_datetime < timestamp'{bound} UTC'").inputFiles()
    newer = frame.where(f"created_datetime >= timestamp'{bound} UTC'").inputFiles()
    damaged = [Path(file.removeprefix("file:")) for file in set(older) - set(newer)]
    assert len(damaged) > 20
    assert len(newer) > 5
    for path in damaged:
        damage(path)
    with pytest.raises(Py4JJavaError):
        lake.spark.read.parquet(str(damaged[0])).collect()
    _, silver = lake.run("bronze", "silver", pipeline="events")
    equations = {each["name"]: each["right"] for each in silver["accounts"][0]["equations"]}
    assert equations["silver rows"]["inserted"] > 10


def damage(path: Path) -> None:
    """Overwrites the values of a Parquet file; its footer, which counts its rows, stays."""
    content = path.read_bytes()
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    path.write_bytes(content[:4] + b"\xff" * (footer - 4) + content[footer:])
    path.with_name(f".{path.name}.crc").unlink()
