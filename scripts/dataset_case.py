"""Writes out the first case of a proposed dataset: the sample's first records, and all rows that they become."""

from __future__ import annotations

import csv
import io
from collections import Counter

from column_types import typed
from proposal import Proposal
from sample import EXCERPT

Row = dict[str, str | None]


def case(proposal: Proposal) -> dict[str, bytes]:
    """The files by their places in the case's folder."""
    rows = _silver(proposal)
    group, names = proposal.group, [field.name for field in proposal.fields]
    values = [row[group.name] for row in rows]
    days = [value and value[:10] for value in values] if group.type == "timestamp" else values
    counts = [[value, str(count)] for value, count in Counter(days).items()]
    texts = {
        f"silver/{proposal.name}.csv": _csv(names, [list(row.values()) for row in rows]),
        f"quarantine/{proposal.name}.csv": _csv([*proposal.declared, "_rules"], []),
        f"gold/{proposal.gold}.csv": _csv([proposal.group_name, proposal.count], counts),
    }
    raw = {f"raw/{proposal.name}/{proposal.sample.file}": proposal.sample.excerpt}
    return raw | {place: text.encode() for place, text in texts.items()}


def _silver(proposal: Proposal) -> list[Row]:
    """The newest version of each key in the excerpt; of equally new ones the last."""
    newest: dict[tuple[str | None, ...], Row] = {}
    columns = proposal.sample.columns
    for number in range(min(EXCERPT, len(next(iter(columns.values()))))):
        row = {field.name: typed(columns[field.source][number], field.type) for field in proposal.fields}
        key = tuple(row[name] for name in proposal.key)
        if key not in newest or _moments(proposal, row) >= _moments(proposal, newest[key]):
            newest[key] = row
    return list(newest.values())


def _moments(proposal: Proposal, row: Row) -> list[str]:
    # Both have one spelling per moment, and times of whole seconds come before those with fractions.
    return [(row[name] or "").removesuffix("+00") for name in proposal.newest_by]


def _csv(header: list[str], rows: list[list[str | None]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()
