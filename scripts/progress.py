"""Shows people how far long work is: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Result = TypeVar("Result")


def open_console() -> Console:
    """A console that is wide and without colours where no terminal is: in a pipe or a log nothing may be cut."""
    return Console(highlight=False) if sys.stdout.isatty() else Console(width=160, color_system=None, highlight=False)


class Steps:
    """Runs one step after the other and says which; whatever a step raises ends them all."""

    def __init__(self, console: Console, total: int) -> None:
        self.console, self.total, self.number = console, total, 0
        columns = (
            TextColumn("{task.description:<60}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self.progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task, self._what = self.progress.add_task("", total=total), ""

    def run(self, what: str, do: Callable[[], Result]) -> Result:
        """Runs one step and returns what it returns."""
        self.number, self._what = self.number + 1, what
        self.progress.update(self._task, description=what)
        self.console.print(f"[{self.number}/{self.total}] {what}", markup=False)
        result = do()
        self.progress.advance(self._task)
        return result

    def note(self, detail: str) -> None:
        """Says how far the present step is."""
        self.progress.update(self._task, description=f"{self._what}: {detail}")
        if not self.console.is_terminal:
            self.console.print(f"      {detail}", markup=False)
