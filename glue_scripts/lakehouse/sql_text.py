"""Text inside Spark's SQL."""

from __future__ import annotations


def literal(text: str) -> str:
    """A text as a literal, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
