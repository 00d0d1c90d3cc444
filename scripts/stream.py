"""Sends invented events to a deployed stream: `make stream RATE=50 SECONDS=60`, to the laptop cloud or AWS (ENV=)."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import deployment
import progress
from environments import DeployError
from stream_sender import Sender, StreamError, by_second

SOURCE = "events"
"""The path below raw/ where the events land."""


def stream(
    console: Console,
    sender: Sender,
    records: Iterable[bytes],
    rate: float,
    seconds: int,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> str:
    """Sends records at a rate, second by second, showing how far it is; returns a summary."""
    columns = (TextColumn("events"), BarColumn(), MofNCompleteColumn(), TextColumn("s"), TimeElapsedColumn())
    start = clock()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=seconds)
        for second, group in enumerate(by_second(records, rate)):
            pause(max(0.0, start + second - clock()))
            sender.send(group)
            bar.update(task, completed=second + 1)
    took = max(clock() - start, 0.001)
    speed = f"in {took:.1f} s: {sender.sent / took:,.1f} a second"
    return f"{sender.sent:,} records sent, {sender.repeated:,} of them again, {speed}"


def invent(rate: float, seconds: int) -> Iterator[bytes]:
    """Events of the coming seconds, at a rate."""
    generator = importlib.import_module("generate_events")  # not at the top: nothing else here needs it
    found: Iterator[bytes] = generator.records(generator.Settings(rate=rate), datetime.now(UTC), seconds)
    return found


def main() -> int:
    """Command line; exit code 1 when records can't be sent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", required=True, help="local, dev, staging or production")
    parser.add_argument("--rate", type=float, required=True, help="events a second")
    parser.add_argument("--seconds", type=int, required=True, help="how long")
    options = parser.parse_args()
    if not (options.rate > 0 and options.seconds > 0):
        parser.error("--rate and --seconds must be more than nothing")
    console = progress.open_console()
    try:
        deployed = deployment.connect(options.environment)
        name = deployed.named("streams", SOURCE)
        console.print(f"{options.rate:g} events a second for {options.seconds} s to the stream {name}", markup=False)
        invented = invent(options.rate, options.seconds)
        sender = Sender(deployed.client("kinesis"), name)
        console.print(stream(console, sender, invented, options.rate, options.seconds), markup=False)
    except (DeployError, StreamError, BotoCoreError, ClientError) as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
