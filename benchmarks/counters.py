"""What a run did to its storage, counted from the requests to S3 that it made, by the place that each was for.

A place is a table (`silver/movies`), a table's log (`silver/movies/_delta_log`), raw files of a source (`raw/movies`),
or what else the lake holds (`gates`, `runs`). Leases are left out: how often one is renewed depends on time.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from counting_s3 import Exchange

COMMIT = re.compile(r"(.+)/_delta_log/\d{20}\.json")
LOG = "_delta_log"
KINDS = {"HEAD": "head", "PUT": "put", "DELETE": "delete", "POST": "delete"}
"""How requests are called; a POST deletes several objects, or writes a large one in parts."""


@dataclass
class Counters:
    """Requests by kind, objects listed, and by place: files and bytes read and written, commits."""

    requests: Counter[str] = field(default_factory=Counter)
    objects_listed: int = 0
    files_read: Counter[str] = field(default_factory=Counter)
    bytes_read: Counter[str] = field(default_factory=Counter)
    files_written: Counter[str] = field(default_factory=Counter)
    bytes_written: Counter[str] = field(default_factory=Counter)
    commits: Counter[str] = field(default_factory=Counter)

    def totals(self) -> dict[str, int]:
        """The figures that aren't to grow with a lake's history, all places together."""
        summed = ("requests", "files_read", "bytes_read", "files_written", "bytes_written")
        return {**{name: getattr(self, name).total() for name in summed}, "objects_listed": self.objects_listed}

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return vars(self).copy()


def from_dict(kept: dict[str, Any]) -> Counters:
    """Counters as they were kept."""
    counted = {name: Counter(value) for name, value in kept.items() if name != "objects_listed"}
    return Counters(objects_listed=kept["objects_listed"], **counted)


def count(exchanges: Iterable[Exchange]) -> Counters:
    """Counts what some requests did."""
    counters, read, written = Counters(), defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for exchange in exchanges:
        request = exchange.request
        key = request.key.partition("/")[2]
        if key.startswith("leases/"):
            continue
        kind = KINDS.get(request.method) or ("get" if key else "list")
        counters.requests[kind] += 1
        counters.objects_listed += exchange.listed
        if kind == "list":
            continue
        place = place_of(key)
        if kind == "get" and exchange.status < 300:
            read[place].add(key)
            counters.bytes_read[place] += exchange.received
        elif kind == "put" and exchange.status < 300:
            written[place].add(key)
            counters.bytes_written[place] += exchange.sent
            if match := COMMIT.fullmatch(key):
                counters.commits[match[1]] += 1
    counters.files_read += Counter({place: len(keys) for place, keys in read.items()})
    counters.files_written += Counter({place: len(keys) for place, keys in written.items()})
    return counters


def place_of(key: str) -> str:
    """The place that an object belongs to."""
    first, *others = key.split("/")
    if first in ("gates", "runs") or not others:
        return first
    return "/".join((first, others[0], LOG) if LOG in others else (first, others[0]))
