"""The whole journey on this laptop: three days of films, three runs, gold as tables, then a run with nothing to do."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import laptop_spark
import query
import run
import run_report

FIRST_DAY, DAYS = date(2026, 11, 1), 3
MARK = ".demo"
"""A file that says: this lake was made here and may be emptied."""
GOLD = "movies, total_budget, total_box_office, profit, return_on_investment, average_vote, best_movie"
QUERIES = {
    "Films by genre": f"SELECT genre, {GOLD} FROM movies_by_genre ORDER BY profit DESC",
    "Films by studio (the ten with the most profit)": (
        f"SELECT studio, {GOLD} FROM movies_by_studio ORDER BY profit DESC LIMIT 10"
    ),
    "Films by release year (the last ten)": (
        f"SELECT release_year, {GOLD} FROM movies_by_release_year ORDER BY release_year DESC LIMIT 10"
    ),
    "Quarantine by reason": (
        "SELECT reason, count(*) AS records, min(_record_id) AS for_example "
        "FROM oakvale_silver.movies_quarantine CROSS JOIN UNNEST(_rules) AS failed (reason) "
        "GROUP BY reason ORDER BY records DESC, reason"
    ),
    "What happened to each file": (
        "SELECT batch, key, outcome, records FROM oakvale_bronze.movies_files ORDER BY batch, key"
    ),
}


class Steps:
    """Runs one step after the other behind a progress bar; plain lines where there is no terminal."""

    def __init__(self, console: Console, total: int) -> None:
        self.console, self.number = console, 0
        columns = (TextColumn("{task.description:<40}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.task, self.total = self.progress.add_task("", total=total), total

    def run(self, what: str, do: Callable[[], Any]) -> Any:
        """Runs one step; whatever it raises ends the demonstration."""
        self.number += 1
        self.progress.update(self.task, description=what)
        if not self.console.is_terminal:
            self.console.print(f"[{self.number}/{self.total}] {what}", highlight=False, markup=False)
        result = do()
        self.progress.advance(self.task)
        return result


def land_day(lake: Path, day: date) -> None:
    """Makes one day's file of films, as the Lambda function does."""
    sys.path.insert(0, str(laptop_spark.ROOT / "lambda"))
    from film_command import write_once
    from film_settings import Settings

    write_once(day, Settings(first_day=FIRST_DAY), lake)


def run_layers(steps: Steps, lake: Path, label: str) -> list[dict[str, Any]]:
    """Runs bronze, silver and gold and shows what they did; returns their run records."""
    records = []
    for layer in run.LAYERS:
        records.append(steps.run(f"{label}: {layer}", partial(run.run_layer, "movies", layer, lake, lake)))
        run_report.show(steps.console, records[-1])
    return records


def show_results(console: Console, lake: Path) -> None:
    """Prints gold, quarantine and ledger, asked in Athena's SQL."""
    connection = query.connect(lake)
    for title, sql in QUERIES.items():
        console.print(f"\n{title}", style="bold", highlight=False)
        query.show(query.query(connection, sql))


def demonstrate(console: Console, lake: Path) -> None:
    """Three days, three runs, the results, and a run that has nothing to do."""
    began = time.monotonic()
    steps = Steps(console, total=1 + DAYS * 4 + len(run.LAYERS))
    with steps.progress:
        steps.run("preparing Spark", run.prepare_spark)
        for number in range(DAYS):
            day = FIRST_DAY + timedelta(days=number)
            steps.run(f"{day}: films arrive", partial(land_day, lake, day))
            run_layers(steps, lake, str(day))
        before = sorted(lake.glob("*/*/_delta_log/*"))
        again = run_layers(steps, lake, "again, nothing is new")
    busy = [record["layer"] for record in again if record["outcome"] != "idle"]
    if busy or sorted(lake.glob("*/*/_delta_log/*")) != before:
        raise RuntimeError(f"a run with nothing new should commit nothing, but did: {', '.join(busy) or 'a commit'}")
    show_results(console, lake)
    console.print("\nThe fourth run found nothing new and committed nothing.", style="bold", highlight=False)
    console.print(
        f"\nDone in {time.monotonic() - began:.0f} s. The lake is in {lake}. Ask it something:", highlight=False
    )
    console.print('  make query SQL="SELECT * FROM movies_by_genre"', highlight=False)


def main() -> int:
    """Command line; exit code 1 when a step fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--lake", type=Path, required=True, help="folder for the lake; an earlier demo there is removed"
    )
    lake = parser.parse_args().lake.absolute()
    console = Console() if sys.stdout.isatty() else Console(width=160, color_system=None)
    if lake.exists() and any(lake.iterdir()) and not (lake / MARK).exists():
        parser.error(f"{lake} isn't a lake of an earlier demonstration; it is left alone: name another folder")
    shutil.rmtree(lake, ignore_errors=True)
    lake.mkdir(parents=True)
    (lake / MARK).touch()
    try:
        demonstrate(console, lake)
    except Exception as error:
        console.print(f"error: {type(error).__name__}: {error}", style="red", markup=False, highlight=False)
        console.print("make doctor says what is missing on this machine.", highlight=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
