"""Invents product events as they are sent: the same bytes for the same settings, second by second.

Some come twice, late, too late or from a clock that is ahead, and some are broken, each as often as asked.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 11, 1, tzinfo=UTC)
NAMES = {
    "account:created": 3,
    "account:closed": 1,
    "lesson:started": 6,
    "lesson:completed": 4,
    "payment:order:started": 3,
    "payment:order:completed": 2,
    "page:viewed": 9,
}
"""Names of events, and how often each is drawn."""
TEXTS = ("Grüße", "店", "naïve \U0001f600", 'a "quoted" word', "line\nbreak", "")
DELAYS = (90, 3_000, 14_400, 90_000, 200_000, 700_000)
"""Seconds that a late event may need; the last are more than a week."""
AHEAD = (60, 900, 3_500, 7_300, 90_000)
"""Seconds that a clock may be ahead."""
SILENT = 0.05
"""Share of events that tell nothing else."""
RESENT = 50_000
"""Seconds after which an event is sent again, at most."""


@dataclass(frozen=True)
class Settings:
    """How much is sent, by how many, and which share of it isn't as it should be.

    `rate`: events a second. `hot_user`: the share of events that are one user's. `anonymous`: those that are nobody's.
    """

    seed: int = 1
    rate: float = 1.0
    users: int = 50
    duplicates: float = 0.05
    late: float = 0.05
    skewed: float = 0.02
    malformed: float = 0.01
    hot_user: float = 0.1
    anonymous: float = 0.03


def records(how: Settings, start: datetime, seconds: int) -> Iterator[bytes]:
    """What is sent in some seconds, in order: a record of JSON each, without an end of line."""
    first = int(start.timestamp())
    for second in range(first, first + seconds):
        for number in range(_count(second, how)):
            draw = random.Random(f"{how.seed} {second} {number} sending")
            record = _event(second, number, how)
            yield _broken(record, draw) if draw.random() < how.malformed else _encoded(record)
            if draw.random() < how.duplicates:
                earlier = range(second - draw.randint(1, RESENT), second)
                found = next((each for each in earlier if _count(each, how)), None)
                yield _encoded(_event(second if found is None else found, 0, how))


def _count(second: int, how: Settings) -> int:
    """The events that are sent first in a second: the rate on average."""
    return int(how.rate * (second + 1)) - int(how.rate * second)


def _event(second: int, number: int, how: Settings) -> dict[str, Any]:
    """An event, by the second in which it is first sent and its number there."""
    draw = random.Random(f"{how.seed} {second} {number}")
    created = second
    if (chance := draw.random()) < how.late:
        created -= draw.randint(1, draw.choice(DELAYS))
    elif chance < how.late + how.skewed:
        created += draw.choice(AHEAD)
    record: dict[str, Any] = {
        "event_uuid": str(uuid.UUID(int=draw.getrandbits(128), version=4)),
        "event_name": draw.choices(list(NAMES), list(NAMES.values()))[0],
        "created_at": created,
        "user_id": _user(draw, how),
        "payload": {
            "app": {"locale": draw.choice(("de", "fr", "zh")), "version": draw.randint(1, 9)},
            "tags": draw.sample(TEXTS, draw.randint(0, 2)),
            "text": draw.choice(TEXTS),
        },
    }
    return record | {"payload": None} if draw.random() < SILENT else record


def _user(draw: random.Random, how: Settings) -> str | None:
    chance = draw.random()
    if chance < how.anonymous:
        return None
    return "user-0" if chance < how.anonymous + how.hot_user else f"user-{draw.randint(1, how.users)}"


def _broken(record: dict[str, Any], draw: random.Random) -> bytes:
    """The record with one mistake: cut off, without a field, or with a value that can't be."""
    kind = draw.randrange(5)
    if kind == 0:
        return _encoded(record)[: draw.randint(1, 60)]
    wrong = (("event_uuid", ""), ("event_name", "Nothing"), ("created_at", "noon"), ("payload", "text"))
    return _encoded(record | dict([wrong[kind - 1]]))


def _encoded(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def hour(how: Settings, start: datetime) -> tuple[str, bytes]:
    """The object of one hour of arrival: its key below raw/, and its bytes."""
    lines = b"".join(record + b"\n" for record in records(how, start, 3600))
    return f"events/{start:%Y/%m/%d/%H}/events-{start:%Y-%m-%d-%H}.jsonl.gz", gzip.compress(lines, mtime=0)


def main() -> int:
    """Command line: puts the objects of some hours into a lake's folder, each with the time at which its hour ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lake", required=True, type=Path, help="the lake's folder")
    parser.add_argument("--start", type=datetime.fromisoformat, default=START, help="first hour: 2026-11-01T00:00:00Z")
    parser.add_argument("--hours", type=int, default=1, help="number of hours")
    parser.add_argument("--seed", type=int, default=Settings.seed, help="another seed, other events")
    parser.add_argument("--rate", type=float, default=Settings.rate, help="events a second")
    parser.add_argument("--users", type=int, default=Settings.users, help="number of users")
    options = parser.parse_args()
    if options.start.tzinfo is None or options.start.timestamp() % 3600:
        parser.error("--start: expected a full hour with its time zone, such as 2026-11-01T00:00:00Z")
    how = Settings(seed=options.seed, rate=options.rate, users=options.users)
    for number in range(options.hours):
        begin = options.start.astimezone(UTC) + timedelta(hours=number)
        key, content = hour(how, begin)
        path = options.lake / "raw" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (begin.timestamp() + 3600,) * 2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
