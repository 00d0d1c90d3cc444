"""What a day of events costs on AWS, modelled and not billed: `make cost EVENTS_PER_DAY=1000000`.

List prices of us-east-1 without free tier or discount. docs/events.md says where each assumption comes from.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from glue_costs import LEAST_SECONDS, USD_PER_DPU_HOUR

GB, MIB = 10**9, 2**20
DAY = 86_400

EVENT_BYTES = 215
"""A generated event as JSON, with its end of line."""
COMPRESSED = 0.15
"""What gzip leaves of generated events."""
PEAK = 4
"""Events of the busiest second by those of a mean one."""

SHARD_RECORDS, SHARD_BYTES = 1_000, 10**6
"""What a shard takes in a second."""
USD_SHARD_HOUR, USD_MILLION_PUTS = 0.015 + 0.020, 0.014
"""With what is kept for more than a day, as `stream.retention_hours` says."""
USD_STREAM_HOUR, USD_GB_IN, USD_GB_OUT = 0.04, 0.08, 0.04
"""A stream on demand, which has no shards to reckon with."""
ON_DEMAND_LEAST = 1_024
"""Bytes that a stream on demand counts of a record, at least."""
KEPT_DAYS, USD_KEPT_GB_MONTH = 2, 0.10
"""Beyond the first day, on demand."""
FIREHOSE_LEAST = 5_120
"""Bytes that Firehose counts of a record, at least."""
USD_FIREHOSE_GB = 0.029
BUFFER_SECONDS, BUFFER_BYTES = 300, 64 * MIB

DPUS = {"bronze": 2, "silver": 2, "gold": 2}
"""Two workers, of which one is the driver: the least that a job takes."""
START_SECONDS = 45
"""Of a job's billed time, before it has read anything."""
ROWS_PER_CORE_SECOND = {"bronze": 12_000, "silver": 5_000, "gold": 60_000}
KEYS_PER_CORE_SECOND, WINDOW_DAYS = 1_000_000, 7
"""Silver's MERGE reads the keys of all rows that may come again."""
CORES = 4
"""Of a DPU."""
MOST_DPUS = 64
"""A run gets more workers rather than more than ten minutes, up to so many."""
AIM_SECONDS = 600

USD_THOUSAND_PUTS, USD_THOUSAND_GETS, USD_GB_MONTH = 0.005, 0.0004, 0.023
RUN_PUTS, RUN_GETS = 30, 250
"""Requests of one job's run that finds little, as counted on the laptop cloud."""
STORED = 1.6
"""Bytes of bronze, silver and gold by those of raw."""
USD_TB_SCANNED, QUERIES, LEAST_SCAN = 5.0, 50, 10 * MIB
USD_FIXED_MONTH = 2 * 1.00 + 27 * 0.10 + 6 * 0.30
"""Two keys, the alarms of a whole environment, and the metrics of three gold tables."""


@dataclass(frozen=True)
class Item:
    """One line of the bill: what, how much of it a day, and US dollars a day."""

    name: str
    amount: str
    usd: float


def bill(events: int, runs: int = 24) -> list[Item]:
    """A day of so many events, with so many runs of bronze and silver and one of gold."""
    return [
        _stream(events),
        _firehose(events),
        *_jobs(events, runs),
        *_storage(events, runs),
        _athena(events),
        _fixed(),
    ]


def shards(events: int) -> int:
    """Shards that take the busiest second."""
    records = events / DAY * PEAK
    return max(1, math.ceil(records / SHARD_RECORDS), math.ceil(records * EVENT_BYTES / SHARD_BYTES))


def run_of(layer: str, rows: float, keys: float = 0) -> tuple[int, float]:
    """DPUs and billed seconds of a job's run over so many rows, and beside them so many keys."""
    core_seconds = rows / ROWS_PER_CORE_SECOND[layer] + keys / KEYS_PER_CORE_SECOND
    wanted = 1 + math.ceil(core_seconds / CORES / AIM_SECONDS)  # the driver has no tasks
    dpus = min(MOST_DPUS, max(DPUS[layer], wanted))
    return dpus, max(LEAST_SECONDS, START_SECONDS + core_seconds / CORES / (dpus - 1))


def _stream(events: int) -> Item:
    gigabytes, count = events * EVENT_BYTES / GB, shards(events)
    provisioned = count * USD_SHARD_HOUR * 24 + events / 10**6 * USD_MILLION_PUTS
    taken = events * max(EVENT_BYTES, ON_DEMAND_LEAST) / GB
    kept = gigabytes * KEPT_DAYS * USD_KEPT_GB_MONTH / 30
    on_demand = USD_STREAM_HOUR * 24 + taken * USD_GB_IN + gigabytes * USD_GB_OUT + kept
    amount = f"{count:,} shard{'s' * (count > 1)}; on demand {on_demand:,.2f}"
    return Item("Kinesis", amount, provisioned)


def _firehose(events: int) -> Item:
    gigabytes = events * max(EVENT_BYTES, FIREHOSE_LEAST) / GB
    return Item("Firehose", f"{gigabytes:,.2f} GB, each record as 5 KiB", gigabytes * USD_FIREHOSE_GB)


def _jobs(events: int, runs: int) -> list[Item]:
    items = []
    for layer, times in (("bronze", runs), ("silver", runs), ("gold", 1)):
        dpus, seconds = run_of(layer, events / times, WINDOW_DAYS * events if layer == "silver" else 0)
        hours = times * dpus * seconds / 3600
        amount = f"{times} x {dpus} DPU x {seconds:,.0f} s"
        items.append(Item(f"Glue, {layer}", amount, hours * USD_PER_DPU_HOUR))
    return items


def objects(events: int) -> int:
    """Objects that Firehose writes: one per full buffer, or per time that it waits."""
    return max(min(DAY // BUFFER_SECONDS, events), math.ceil(events * EVENT_BYTES / BUFFER_BYTES))


def _storage(events: int, runs: int) -> list[Item]:
    jobs, landed = 2 * runs + 1, objects(events)
    puts, gets = landed + jobs * RUN_PUTS, 2 * landed + jobs * RUN_GETS
    requests = puts / 1000 * USD_THOUSAND_PUTS + gets / 1000 * USD_THOUSAND_GETS
    gigabytes = 30 * events * EVENT_BYTES * COMPRESSED * (1 + STORED) / GB
    return [
        Item("S3, requests", f"{puts:,} puts, {gets:,} gets", requests),
        Item("S3, 30 days kept", f"{gigabytes:,.2f} GB", gigabytes * USD_GB_MONTH / 30),
    ]


def _athena(events: int) -> Item:
    scanned = QUERIES * max(LEAST_SCAN, events * 0.001) / 10**12
    return Item("Athena", f"{QUERIES} queries of gold", scanned * USD_TB_SCANNED)


def _fixed() -> Item:
    return Item("Keys, alarms, metrics", "", USD_FIXED_MONTH / 30)


def show(console: Console, events: int, runs: int) -> None:
    """Prints the bill."""
    table = Table(title=f"{events:,} events a day, {runs} runs of silver: modelled US dollars a day")
    table.add_column("what")
    table.add_column("how much")
    table.add_column("USD", justify="right")
    items = bill(events, runs)
    for item in items:
        table.add_row(item.name, item.amount, f"{item.usd:,.2f}")
    total = sum(item.usd for item in items)
    table.add_section()
    table.add_row("a day", "", f"{total:,.2f}")
    table.add_row("30 days", "", f"{30 * total:,.2f}")
    if events:
        table.add_row("a million events", "", f"{total / events * 10**6:,.2f}")
    console.print(table)


def main() -> int:
    """Command line."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--events-per-day", type=_whole, required=True, help="events of a day")
    arguments.add_argument("--runs", type=_whole, default=24, help="runs of bronze and silver a day (default: 24)")
    options = arguments.parse_args()
    show(Console(highlight=False), options.events_per_day, max(1, options.runs))
    return 0


def _whole(text: str) -> int:
    number = int(text.replace(",", "").replace("_", ""))
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return number


if __name__ == "__main__":
    sys.exit(main())
