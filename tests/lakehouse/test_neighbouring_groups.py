"""Gold of events by increments equals gold computed whole, around midnight too; files of other days stay."""

from __future__ import annotations

import importlib
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from lakehouse import gold
from lakehouse.delta_log import Commit
from lakehouse.job import find_declaration
from lakehouse.silver_hop import silver_table
from lakehouse.tables import Run
from tests.lakehouse.test_gold_increments import Row, Silver, assert_equals_the_whole

pytestmark = pytest.mark.usefixtures("interpreted")
FIRST, DAYS = datetime(2026, 11, 1, tzinfo=UTC), 40
NAMES = ("account:created", "lesson:started", "payment:order:completed", "page:viewed")
DATE, FOLLOWING = 6, 8


def event(number: int, chance: random.Random, **others: Any) -> Row:
    """A row of silver events near a midnight."""
    created = FIRST + timedelta(days=chance.randint(1, DAYS), minutes=10 * chance.randint(-6, 6))
    name = chance.choice(NAMES)
    row = {
        "event_uuid": f"{number:03d}",
        "event_name": name,
        "event_type": name.partition(":")[0],
        "event_subtype": name.partition(":")[2],
        "created_at": int(created.timestamp()),
        "created_datetime": created,
        "event_date": created.date(),
        "event_hour": created.hour,
        "following_date": (created + timedelta(minutes=30)).date(),
        "user_id": chance.choice((None, "a", "b")),
        "payload": "{}",
    }
    return (*(row | others).values(), f"id-{number}", FIRST, 1)


def days(rows: list[Row], *places: int) -> set[date]:
    """The days in some columns of rows."""
    return {row[place] for row in rows for place in places}


def of_days(files: set[str], touched: set[date]) -> set[str]:
    """Those of a table's files that hold rows of some days."""
    return {file for file in files if any(f"event_date={day}/" in file for day in touched)}


def test_sessions_over_midnight(run: Run) -> None:
    pipeline, script, chance = (
        find_declaration("events"),
        importlib.import_module("pipelines.events"),
        random.Random(19),
    )
    events = Silver(silver_table(run, pipeline.silver["events"]))
    events.append([event(number, chance) for number in range(200)])
    commits, files = dict[tuple[int, str], Commit](), dict[str, set[str]]()
    for step in range(3):
        touched, events.touched = events.touched, []
        for name, declared in pipeline.gold.items():
            versions = {"events": events.table.version()}
            hop = gold.gold_hop(run, declared, script, {"events": events.table}, versions)
            done = gold.refresh(hop)
            assert done is not None
            groups = {
                "events_by_day": {(row[2], row[DATE]) for row in touched},
                "funnel_by_day": days(touched, DATE),
                "sessions_by_day": days(touched, DATE, FOLLOWING),
            }[name]
            assert done[1] == (f"{len(groups)} touched groups" if step else "all groups: first time")
            commits[step, name] = done[0]
            assert_equals_the_whole(hop)
            now = set(hop.table.load().inputFiles())
            others = files.get(name, set()) - of_days(now | files.get(name, set()), days(touched, DATE, FOLLOWING))
            assert others <= now
            assert len(others) > (20 if step else -1)
            files[name] = now
        if step == 0:
            events.merge([event(number, chance) for number in (3, 4, 5)])
            events.append([event(200, chance)])
            events.delete(["010", "011"])
        else:
            last = next(row for row in events.rows.values() if row[DATE] != row[FOLLOWING])
            events.merge([(*last[:10], '{"other": 1}', *last[11:])])
    for name in pipeline.gold:
        assert commits[2, name].metrics["numTargetFilesRemoved"] == commits[2, name].rows_written == 0
        assert commits[1, name].rows_written > 0
