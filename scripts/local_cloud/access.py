"""IAM on the laptop as on AWS, where MiniStack differs."""

from __future__ import annotations


def install() -> None:
    """Puts this part into MiniStack."""
