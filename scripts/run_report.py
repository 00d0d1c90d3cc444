"""Shows run records to people: what a run did, and how its rows balance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

LOSS = "nothing is published, since rows that are served would be lost (fewer rows, or records that now fail a check):"
ALL_THE_SAME = "Mend the declaration or the script, or migrate all the same with ACCEPT_LOSS=1"


def show(console: Console, record: dict[str, Any]) -> None:
    """Prints one run: a line for the layer, its files and tables, a row per equation."""
    name = f"{record['pipeline']} {record['layer']}"
    console.print(f"{name}: {record['outcome']} in {record['seconds']:.1f} s", highlight=False)
    if record["files"]:
        console.print(
            "  files: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(record["files"].items())),
            highlight=False,
        )
    for name, fields in record.get("undeclared_fields", {}).items():  # what is deployed may be older
        console.print(f"  {undeclared(name, fields)}", markup=False, highlight=False, soft_wrap=True)
    if record["mode"] == "erase" and record["outcome"] == "idle":
        console.print("  nothing of this person is there: no record in raw files, no row in a table", highlight=False)
    for name, count in record.get("erased", {}).items():  # what is deployed may be older
        console.print(f"  {name}: {count:,} rows erased", highlight=False)
    for table in record["restored"]:
        console.print(f"  {table['table']}: set back to version {table['version']}", highlight=False)
    for table in record["maintained"]:
        done = f"{table['compacted']} files made one or few, {table['deleted']} deleted"
        left_alone = f"; files are left alone: {table['left_alone']}" if table["left_alone"] else ""
        console.print(f"  {table['table']}: {done}{left_alone}", highlight=False, markup=False)
    for table in record["refreshed"]:
        console.print(f"  {table['table']}: version {table['version']}, {table['computed']}", highlight=False)
    if record["compared"]:
        console.print(proof(record["compared"]))
    if record["accounts"]:
        console.print(accounting_table(record["accounts"]))


def is_damaged(record: dict[str, Any]) -> bool:
    """Whether a replay has found a table that isn't what was written."""
    return any(each["verdict"] == "damaged" for each in record["compared"])


def undeclared(table: str, fields: list[str]) -> str:
    """The fields of new records that a table's declaration doesn't name."""
    # A name is whatever stood in a file: escapes keep it on its line, and from the terminal.
    return f"{table}: fields that aren't declared, kept in _extra: {', '.join(map(repr, fields))}"


def loss(records: Iterable[dict[str, Any]]) -> str:
    """What of the served tables wouldn't be in those that are rebuilt, as the error of a migration; else nothing."""
    lost = [
        f"{each['table']}: {', '.join(f'{count:,} {what}' for what, count in each['lost'].items())}"
        for record in records
        for each in record["compared"]
        if each["lost"]
    ]
    return f"{LOSS} {'; '.join(lost)}. {ALL_THE_SAME}" if lost else ""


def proof(compared: list[dict[str, Any]]) -> Table:
    """One row per table that was rebuilt."""
    table = Table(
        "table", "rows served", "rows rebuilt", "same content", "verdict", title="proof", title_justify="left"
    )
    for each in compared:
        served = "-" if each["rows_served"] is None else f"{each['rows_served']:,}"
        equal = each["verdict"] == "equal"
        verdict = ": ".join(filter(None, (each["verdict"], each["reason"])))
        mark = Text("yes" if equal else "no", style="green" if equal else "red")
        table.add_row(each["table"], served, f"{each['rows_rebuilt']:,}", mark, Text(verdict))
    return table


def accounting_table(accounts: list[dict[str, Any]]) -> Table:
    """One row per equation of each commit."""
    table = Table("table", "batches", "equation", "", title="row accounting", title_justify="left")
    for account in accounts:
        taken = _taken(account["after"] + 1, account["to"], account["attempt"])
        for equation in account["equations"]:
            sides = [sum(equation[side].values()) for side in ("left", "right")]
            words = " = ".join(
                " + ".join(f"{count:,} {term}" for term, count in equation[side].items()) for side in ("left", "right")
            )
            balanced = sides[0] == sides[1]
            mark = Text("ok", style="green") if balanced else Text(f"{sides[0] - sides[1]:+,}", style="red")
            table.add_row(account["table"], taken, words, mark)
    return table


def _taken(first: int, last: int, attempt: int) -> str:
    """The batches that a commit has taken, and its attempt at open rejects."""
    batches = [f"{first}" if first == last else f"{first}-{last}"] if first <= last else []
    return ", ".join([*batches, *([f"attempt {attempt}"] if attempt else [])])
