"""Shows run records to people: what a run did, and how its rows balance."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def show(console: Console, record: dict[str, Any]) -> None:
    """Prints one run: a line for the layer, its files and tables, a row per equation."""
    name = f"{record['pipeline']} {record['layer']}"
    console.print(f"{name}: {record['outcome']} in {record['seconds']:.1f} s", highlight=False)
    if record["files"]:
        console.print(
            "  files: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(record["files"].items())),
            highlight=False,
        )
    for table in record["restored"]:
        console.print(f"  {table['table']}: set back to version {table['version']}", highlight=False)
    for table in record["refreshed"]:
        console.print(f"  {table['table']}: version {table['version']}, {table['computed']}", highlight=False)
    if record["accounts"]:
        console.print(accounting_table(record["accounts"]))


def accounting_table(accounts: list[dict[str, Any]]) -> Table:
    """One row per equation of each table and batch range."""
    table = Table("table", "batches", "equation", "", title="row accounting", title_justify="left")
    for account in accounts:
        batches = (
            f"{account['after'] + 1}"
            if account["to"] == account["after"] + 1
            else f"{account['after'] + 1}-{account['to']}"
        )
        for equation in account["equations"]:
            sides = [sum(equation[side].values()) for side in ("left", "right")]
            words = " = ".join(
                " + ".join(f"{count:,} {term}" for term, count in equation[side].items()) for side in ("left", "right")
            )
            balanced = sides[0] == sides[1]
            mark = Text("ok", style="green") if balanced else Text(f"{sides[0] - sides[1]:+,}", style="red")
            table.add_row(account["table"], batches, words, mark)
    return table
