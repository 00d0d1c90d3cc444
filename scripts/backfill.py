"""Invokes a deployed generator for some days: `make backfill START=2026-11-01 DAYS=3`; landed files start the runs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

import deployment
import progress
from environments import DeployError

ERRORS = (DeployError, BotoCoreError, ClientError)


class InvocationError(Exception):
    """The function failed; the message is its own."""


def invoke(functions: Any, name: str, event: dict[str, Any]) -> dict[str, Any]:
    """Calls a function, waits for it and returns its answer. Raises InvocationError when it failed."""
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    payload: dict[str, Any] = json.loads(answer["Payload"].read() or b"{}")
    if "FunctionError" in answer:
        raise InvocationError(f"{name} failed for {event}: {payload.get('errorType')}: {payload.get('errorMessage')}")
    return payload


def backfill(
    deployed: deployment.Deployment, function: str, first: date, days: int, note: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Makes the files of some days, one call a day; returns what the function answered."""
    functions, name, answers = deployed.client("lambda"), deployed.named("functions", function), []
    for number in range(days):
        day = first + timedelta(days=number)
        answers.append(invoke(functions, name, {"date": day.isoformat()}))
        note(f"{answers[-1]['key']} {answers[-1]['outcome']}, {answers[-1]['records']:,} records")
    return answers


def main() -> int:
    """Command line; exit code 1 when a call fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", required=True, help="local, dev, staging or production")
    parser.add_argument("--function", default="generate_movies", help="the generator's name in lambda/")
    parser.add_argument("--start", type=date.fromisoformat, required=True, help="first day, such as 2026-11-01")
    parser.add_argument("--days", type=int, required=True, help="number of days")
    options = parser.parse_args()
    if options.days < 1:
        parser.error(f"--days must be at least 1, not {options.days}")
    console: Console = progress.open_console()
    try:
        deployed = deployment.connect(options.environment)
        backfill(deployed, options.function, options.start, options.days, lambda line: console.print(line))
    except (*ERRORS, InvocationError) as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
