"""Where there is no terminal, each step is a line, and so is what it says of itself."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from progress import Steps


def steps() -> tuple[Steps, io.StringIO]:
    """Two steps to run, and what they print."""
    printed = io.StringIO()
    return Steps(Console(file=printed, width=80), total=2), printed


def test_each_step_and_its_notes_are_lines() -> None:
    two, printed = steps()

    def second() -> str:
        two.note("half [way]")
        return "done"

    with two.progress:
        assert two.run("first", lambda: 1) == 1
        assert two.run("second", second) == "done"
    assert printed.getvalue().splitlines() == ["[1/2] first", "[2/2] second", "      half [way]"]


def test_what_a_step_raises_ends_the_steps() -> None:
    two, printed = steps()
    with pytest.raises(ZeroDivisionError), two.progress:
        two.run("first", lambda: 1 / 0)
    assert printed.getvalue().splitlines() == ["[1/2] first"]
