"""The invented events: the same bytes for the same second and settings, with all that is asked for in them."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import generate_events
from generate_events import START, Settings, hour, records

ROOT = Path(__file__).resolve().parents[2]
CLEAN = Settings(rate=0.5, duplicates=0, late=0, skewed=0, malformed=0, anonymous=0, hot_user=0.5)
SECOND = int(START.timestamp())


def sent(how: Settings, seconds: int = 7200) -> list[dict[str, Any]]:
    """The events of some seconds."""
    return [json.loads(record) for record in records(how, START, seconds)]


def test_the_same_bytes_again_however_they_are_asked_for() -> None:
    how = Settings(rate=2.5)
    whole = list(records(how, START, 600))
    halves = [*records(how, START, 300), *records(how, START + timedelta(seconds=300), 300)]
    assert whole == halves
    assert whole != list(records(replace(how, seed=2), START, 600))
    assert not any(b"\n" in record for record in whole)


@pytest.mark.parametrize("rate", [0.1, 1.0, 2.5])
def test_a_clean_stream(rate: float) -> None:
    found = sent(replace(CLEAN, rate=rate), 1000)
    assert len(found) == 1000 * rate
    assert len({event["event_uuid"] for event in found}) == len(found)
    created = [event["created_at"] for event in found]
    assert created == sorted(created)
    assert SECOND <= created[0] <= created[-1] < SECOND + 1000
    assert 0.4 < sum(event["user_id"] == "user-0" for event in found) / len(found) < 0.6


def test_what_is_asked_for_occurs() -> None:
    found = sent(replace(CLEAN, duplicates=0.2, late=0.2, skewed=0.1, anonymous=0.1))
    again = Counter(event["event_uuid"] for event in found)
    assert sum(count > 1 for count in again.values()) > 50
    assert len({json.dumps(event) for event in found}) == len(again)
    created = [event["created_at"] for event in found]
    assert sum(moment < SECOND - 7 * 86_400 for moment in created) > 5
    assert sum(moment > SECOND + 7200 + 3600 for moment in created) > 5
    assert sum(event["user_id"] is None for event in found) > 100
    payloads = [event["payload"] for event in found]
    assert any("店" in payload["text"] for payload in payloads if payload)
    assert payloads.count(None) > 50
    broken = list(records(replace(CLEAN, malformed=0.2), START, 3600))
    kinds = Counter(record.endswith(b"}}") for record in broken)
    assert min(kinds.values()) > 50


def test_the_command_line(tmp_path: Path) -> None:
    script = [sys.executable, generate_events.__file__, "--lake", str(tmp_path)]
    command = [*script, "--start", "2026-11-01T01:00:00+02:00", "--hours", "2", "--rate", "0.1"]
    subprocess.run(command, check=True, cwd=ROOT)
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert [path.relative_to(tmp_path / "raw").as_posix() for path in files] == [
        "events/2026/10/31/23/events-2026-10-31-23.jsonl.gz",
        "events/2026/11/01/00/events-2026-11-01-00.jsonl.gz",
    ]
    assert files[1].stat().st_mtime == SECOND + 3600
    assert ("events/2026/11/01/00/events-2026-11-01-00.jsonl.gz", files[1].read_bytes()) == hour(
        Settings(rate=0.1), START
    )
    assert len(gzip.decompress(files[1].read_bytes()).splitlines()) >= 360
    wrong = subprocess.run([*script, "--start", "2026-11-01T00:30:00"], capture_output=True, text=True, cwd=ROOT)
    assert wrong.returncode == 2
    assert "--start: expected a full hour with its time zone, such as 2026-11-01T00:00:00Z" in wrong.stderr
