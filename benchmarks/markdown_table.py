"""Rows as a table of the page."""

from __future__ import annotations

from collections.abc import Iterable


def markdown(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """The table, its head first."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
