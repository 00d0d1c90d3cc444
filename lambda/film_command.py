"""The shell command of `generate_movies.py`: writes the files of some days under a lake folder."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from dataclasses import fields
from datetime import date, timedelta
from filecmp import cmp
from pathlib import Path

from film_dirt import DEFAULT_RATES
from film_file import Summary, key, write
from film_settings import Settings, read_day, read_settings


def main(arguments: list[str] | None = None) -> int:
    """Write the files that the arguments ask for; 0: done, 1: a file can't be written, 2: a wrong value."""
    options = _parser().parse_args(arguments)
    try:
        days = _days(options.start, options.days)
        settings = _settings(options)
        for day in (days[0], days[-1]):
            settings.check_day(day)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    try:
        _write_days(days, settings, Path(options.lake))
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def write_once(day: date, settings: Settings, lake: Path) -> tuple[str, Summary]:
    """Write the day's file whole or not at all; "unchanged" when the same bytes were there already."""
    target = lake / key(day)
    # Outside raw/, where a reader would take the unfinished file for a day's, but on the same file system.
    unfinished = lake / f".movies-{day}-{os.getpid()}.partial"
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with unfinished.open("wb") as stream:
            summary = write(day, settings, stream)
            stream.flush()
            os.fsync(stream.fileno())
        return _put_in_place(unfinished, target), summary
    finally:
        unfinished.unlink(missing_ok=True)


def _put_in_place(unfinished: Path, target: Path) -> str:
    try:
        # A rename would silently replace a file that another process has just put there; a link refuses to.
        target.hardlink_to(unfinished)
    except FileExistsError as error:
        if not cmp(unfinished, target, shallow=False):
            raise FileExistsError(f"{target} is there with other bytes; it was left as it is") from error
        return "unchanged"
    return "written"


def _write_days(days: list[date], settings: Settings, lake: Path) -> None:
    planted: Counter[str] = Counter()
    print(f"{'key':<45} {'records':>9} {'bytes':>12}  outcome")
    for day in days:
        outcome, summary = write_once(day, settings, lake)
        planted += summary.planted
        print(f"{key(day):<45} {summary.records:>9} {summary.bytes:>12}  {outcome}")
    print("\nplanted" if planted else "\nno dirt planted")
    for kind, count in sorted(planted.items()):
        print(f"  {kind:<26} {count:>9}")


def _days(start: str, count: str) -> list[date]:
    if not count.isascii() or not count.isdigit() or not 1 <= int(count) <= 100_000:
        raise ValueError(f"--days must be a whole number from 1 to 100000, not {count!r}")
    first = read_day("--start", start)
    try:
        return [first + timedelta(number) for number in range(int(count))]
    except OverflowError as error:
        raise ValueError(f"--days {count} from {start} on goes beyond the calendar") from error


def _settings(options: argparse.Namespace) -> Settings:
    named = {setting.name: getattr(options, setting.name) for setting in fields(Settings)}
    named["dirt"] = " ".join(options.dirt)
    return read_settings({name: value for name, value in named.items() if value is not None})


def _parser() -> argparse.ArgumentParser:
    usual = Settings()
    parser = argparse.ArgumentParser(
        prog="generate_movies.py",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Write one file of films a day under FOLDER/raw/movies, with dirt on purpose.\n"
        "The same values give the same bytes. A file that is there is never changed:\n"
        "with the same bytes it is left alone, with other bytes it is an error.",
        epilog="kinds of dirt and their usual rates, as a share of --movies; all=RATE sets every kind:\n"
        + "".join(f"  {kind:<26} {rate:g}\n" for kind, rate in DEFAULT_RATES.items()),
    )
    add = parser.add_argument
    add("--lake", required=True, metavar="FOLDER", help="the lake's root folder; made when it isn't there")
    add("--start", required=True, metavar="DAY", help="the first day to write, such as 2026-11-01")
    add("--days", default="1", metavar="N", help="how many days to write (1)")
    add("--seed", metavar="N", help=f"another seed is another catalogue ({usual.seed})")
    add("--movies", metavar="N", help=f"new films a day ({usual.movies})")
    add(
        "--first-day",
        metavar="DAY",
        help=f"the catalogue's start, nothing earlier is corrected ({usual.first_day})",
    )
    add(
        "--corrections",
        metavar="RATE",
        help=f"corrections of earlier films per new film ({usual.corrections})",
    )
    add(
        "--dirt",
        nargs="+",
        action="extend",
        default=[],
        metavar="KIND=RATE",
        help="rates other than the usual ones, see below",
    )
    return parser
