"""The cost model: figures that can be followed by hand."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

import cost
from cost import bill, objects, run_of, shards, show

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "events.md").read_text(encoding="utf-8")


def of(name: str, events: int, runs: int = 24) -> tuple[str, float]:
    """Amount and price of one line of the bill."""
    (item,) = (item for item in bill(events, runs) if item.name == name)
    return item.amount, round(item.usd, 4)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (0, 1),
        (21_600_000, 1),  # 250 a second, 1,000 in the busiest one
        (21_600_001, 2),
        (1_000_000_000, 47),
    ],
)
def test_shards_take_the_busiest_second(events: int, expected: int) -> None:
    assert shards(events) == expected


def test_a_stream_costs_its_shards_and_tells_what_it_would_on_demand() -> None:
    # A shard for 24 hours is 0.36, and 0.48 for what it keeps longer than a day; a million puts are 0.014. On demand:
    # 0.96, 1.024 GB in, 0.215 GB out, and as much kept for two of thirty days.
    assert of("Kinesis", 1_000_000) == ("1 shard; on demand 1.05", 0.854)
    # 47 shards are 39.48, a thousand million puts 14.00; on demand 0.96, 81.92, 8.60 and 1.43.
    assert of("Kinesis", 1_000_000_000) == ("47 shards; on demand 92.91", 53.48)


def test_firehose_counts_small_records_as_large_ones() -> None:
    assert of("Firehose", 1_000_000) == ("5.12 GB, each record as 5 KiB", 0.1485)


def test_a_run_is_billed_a_minute_at_least_and_grows_by_workers() -> None:
    assert run_of("silver", 0) == (2, 60)
    assert run_of("silver", 5_000 * 4 * 100) == (2, 145)
    assert run_of("silver", 5_000 * 4 * 601) == (3, 345.5)
    assert run_of("silver", 0, keys=4 * 10**8) == (2, 145)
    assert run_of("silver", 10**12)[0] == cost.MOST_DPUS
    # 24 runs of two DPUs and a minute are 0.8 DPU-hours.
    assert of("Glue, silver", 1_000) == ("24 x 2 DPU x 60 s", round(0.8 * 0.308, 4))
    assert of("Glue, silver", 1_000, runs=1) == ("1 x 2 DPU x 60 s", round(0.8 * 0.308 / 24, 4))


def test_firehose_writes_an_object_per_buffer_or_per_wait() -> None:
    assert objects(0) == 0
    assert objects(7) == 7
    assert objects(1_000_000) == 288  # one each five minutes
    assert objects(1_000_000_000) == 3_204  # 215 GB in buffers of 64 MiB


def test_the_bill_adds_up() -> None:
    written = io.StringIO()
    show(Console(file=written, width=100), 1_000_000, 24)
    total = sum(item.usd for item in bill(1_000_000))
    printed = " ".join(written.getvalue().replace("│", " ").split())
    assert f"a day {total:,.2f} 30 days {30 * total:,.2f} a million events {total:,.2f}" in printed


def test_the_page_shows_the_model() -> None:
    scales = (1_000, 1_000_000, 1_000_000_000)
    bills = [bill(events) for events in scales]
    shown = [
        f"| {items[0].name} | " + " | ".join(f"{item.usd:,.2f}" for item in items) + " |"
        for items in zip(*bills, strict=True)
    ]
    totals = [sum(item.usd for item in items) for items in bills]
    shown.append("| **a day** | " + " | ".join(f"**{total:,.2f}**" for total in totals) + " |")
    assert [line for line in shown if line not in PAGE.splitlines()] == []
    once = sum(item.usd for item in bill(1_000, runs=1))
    assert f"{once:,.2f} with one run a day" in PAGE
