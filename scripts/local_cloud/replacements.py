"""Replaces functions inside MiniStack, and stops when its inside isn't the one that we know."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from importlib.metadata import version
from types import ModuleType
from typing import Any


class ChangedInside(Exception):
    """A name inside MiniStack that we build on is gone or takes other parameters."""

    def __init__(self, module: ModuleType, name: str, found: str) -> None:
        super().__init__(
            f"MiniStack {version('ministack')} has changed inside: {module.__name__}.{name} {found}. "
            "Install the version that pyproject.toml pins (make setup), or adapt the part that uses this name."
        )


def require(module: ModuleType, name: str, parameters: Sequence[str] | None = None) -> Any:
    """Returns an attribute of a module that we use; with `parameters`, a function that takes exactly these."""
    try:
        found = getattr(module, name)
    except AttributeError:
        raise ChangedInside(module, name, "is gone") from None
    if parameters is None:
        return found
    if not callable(found):
        raise ChangedInside(module, name, "is no function")
    taken = list(inspect.signature(found).parameters)
    if taken != list(parameters):
        raise ChangedInside(module, name, f"takes ({', '.join(taken)}), not ({', '.join(parameters)})")
    return found


def replace(module: ModuleType, name: str, new: Any, *, parameters: Sequence[str]) -> Any:
    """Puts `new` in the place of a function that takes exactly these parameters; returns the original."""
    original = require(module, name, parameters)
    setattr(module, name, new)
    return original
