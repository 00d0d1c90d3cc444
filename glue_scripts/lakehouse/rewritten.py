"""Raw files that an erasure has rewritten, known as the files that they were.

A record's identity is made of its file's content and of its place there. A rewritten file has neither any more, so what
they were is kept: with it, its records are the same in every rebuild, and it isn't taken for a new file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from lakehouse.declaration import Pipeline
from lakehouse.inspection import Inspection
from lakehouse.storage import Storage


@dataclass(frozen=True)
class Rewritten:
    """By key and hash of the rewritten content: the hash that it had before (`was`), and the places of what is gone."""

    files: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def recognise(self, key: str, found: Inspection) -> Inspection:
        """What was found in a file, as of the file that it was."""
        known = self.files.get(key, {}).get(found.content_hash)
        return replace(found, content_hash=known["was"], erased=tuple(known["erased"])) if known else found

    def as_stored(self, key: str, known: Inspection) -> Inspection:
        """What is known of a file, with the hash of its bytes as the last erasure has left them."""
        left = [now for now, before in self.files.get(key, {}).items() if before["was"] == known.content_hash]
        return replace(known, content_hash=left[-1]) if left else known

    def add(self, key: str, now: str, was: str, erased: list[int]) -> None:
        """Notes a file that is about to be rewritten."""
        known = self.files.setdefault(key, {})
        known.pop(now, None)
        known[now] = {"was": was, "erased": erased}  # the last one


def read_rewritten(lake: Storage, pipeline: Pipeline) -> Rewritten:
    """The rewritten files of a pipeline; none, unasked, when it holds no persons."""
    found = lake.read(_key(pipeline)) if pipeline.holds_persons else None
    return Rewritten(json.loads(found[0])) if found else Rewritten()


def write_rewritten(lake: Storage, pipeline: Pipeline, known: Rewritten) -> None:
    """Keeps them."""
    lake.write(_key(pipeline), json.dumps(known.files, indent=1).encode())


def _key(pipeline: Pipeline) -> str:
    return f"erasures/{pipeline.name}/files.json"
