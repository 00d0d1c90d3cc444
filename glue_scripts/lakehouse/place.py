"""Places in a declaration: what is expected there, and complaints that name the file and the key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lakehouse.declaration import DeclarationError

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


class Place:
    """Where in which file the reader is; every complaint goes through it."""

    def __init__(self, file: str, key: str = "") -> None:
        self.file, self.key = file, key

    def at(self, key: str) -> Place:
        return Place(self.file, f"{self.key}.{key}" if self.key else key)

    def error(self, problem: str) -> DeclarationError:
        return DeclarationError(f"{self.file}: {self.key or 'top level'}: {problem}")

    def mapping(self, value: Any, required: set[str], optional: frozenset[str] = frozenset()) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.error(f"expected a mapping with {', '.join(sorted(required))}, found {value!r}")
        for key in value:
            if key not in required | optional:
                raise self.at(str(key)).error(f"unknown key; known here: {', '.join(sorted(required | optional))}")
        for key in sorted(required - value.keys()):
            raise self.at(key).error("missing key")
        return value

    def text(self, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.error(f"expected a text, found {value!r}")
        return value.strip()

    def name(self, value: Any) -> str:
        if not isinstance(value, str) or not NAME.fullmatch(value):
            raise self.error(f"expected a name (lower case, digits, underscores; at most 63), found {value!r}")
        return value

    def names(self, value: Any, known: Mapping[str, Any] | None = None, *, empty: bool = False) -> tuple[str, ...]:
        if not isinstance(value, list) or (not value and not empty):
            raise self.error(f"expected a list of names, found {value!r}")
        names = tuple(self.name(item) for item in value)
        if len(set(names)) < len(names):
            raise self.error(f"names repeat: {', '.join(names)}")
        for name in names:
            if known is not None and name not in known:
                raise self.error(f"{name!r} isn't one of: {', '.join(known)}")
        return names

    def tables(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or not value:
            raise self.error("expected at least one table")
        return {self.at(str(name)).name(name): body for name, body in value.items()}
