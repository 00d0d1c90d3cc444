"""The shell command: writes days whole, leaves what is there alone, explains what is wrong."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

import generate_movies
from film_dirt import KINDS
from film_settings import Settings
from generate_movies import generate_counted, key, main

FIRST, SECOND, THIRD = date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3)
SCRIPT = Path(generate_movies.__file__)


def files(lake: Path) -> list[str]:
    return sorted(path.relative_to(lake).as_posix() for path in lake.rglob("*") if path.is_file())


def test_the_command_writes_days_and_leaves_them_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake = tmp_path / "new" / "lake"
    given = "--start 2026-11-01 --days 3 --movies 40 --dirt all=0.03 line_blank=0.1 --dirt stale=0"
    arguments = ["--lake", str(lake), *given.split()]
    settings = Settings(movies=40, dirt=dict.fromkeys(KINDS, 0.03) | {"line_blank": 0.1, "stale": 0})
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert files(lake) == [key(day) for day in (FIRST, SECOND, THIRD)]
    for day in (FIRST, SECOND, THIRD):
        data, summary = generate_counted(day, settings)
        assert (lake / key(day)).read_bytes() == data
        assert f"{key(day)} {summary.records:>9} {summary.bytes:>12}  written" in printed
    before = (lake / key(FIRST)).stat()
    assert main(arguments) == 0
    assert capsys.readouterr().out == printed.replace("written", "unchanged")
    assert (lake / key(FIRST)).stat().st_mtime_ns == before.st_mtime_ns
    assert before.st_nlink == 1


def test_the_command_never_replaces_other_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / key(FIRST)
    target.parent.mkdir(parents=True)
    target.write_bytes(b"mine")
    assert main(["--lake", str(tmp_path), "--start", "2026-11-01", "--movies", "5"]) == 1
    assert "other bytes" in capsys.readouterr().err
    assert target.read_bytes() == b"mine"
    assert files(tmp_path) == [key(FIRST)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--start", "1/11/2026"], "--start"),
        (["--start", "2026-10-31"], "first_day"),
        (["--days", "0"], "--days"),
        (["--days", "90000"], "2100-12-31"),
        (["--movies", "many"], "movies"),
        (["--seed", "1.5"], "seed"),
        (["--corrections", "2"], "corrections"),
        (["--first-day", "now"], "first_day"),
        (["--dirt", "mud=0.1"], "'mud'"),
        (["--dirt", "all=0.5"], "add up to 1"),
    ],
)
def test_a_wrong_value_is_one_line_and_code_2(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--lake", str(tmp_path), "--start", "2026-11-01", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert message in printed.err
    assert not printed.out
    assert not files(tmp_path)


def test_the_command_explains_itself() -> None:
    printed = subprocess.run([sys.executable, str(SCRIPT), "--help"], check=True, capture_output=True, text=True)
    assert all(kind in printed.stdout for kind in KINDS)
    wrong = subprocess.run([sys.executable, str(SCRIPT), "--start"], check=False, capture_output=True, text=True)
    assert wrong.returncode == 2
