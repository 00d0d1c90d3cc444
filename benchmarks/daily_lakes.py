"""Lakes with a past of some days, built by the pipeline itself in a folder, and the same new day for each of them.

A day has new films, and newer versions of a few earlier ones. A lake that is several times as large has larger days,
all but its last one: the day that a clustered batch corrects is the same everywhere.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from film_catalogue import Record, draw, new_film, revised
from lakehouse import job
from lakehouse.storage import FolderStorage, StoredObject

FIRST = date(2026, 1, 1)
SEED = 7
LAYERS = ("bronze", "silver", "gold")
CORRECTIONS = 10
"""For so many new films of a day there is a newer version of an earlier one."""
NONE, NEWEST, ANY = "none", "newest", "any"
"""Which films a day corrects: none; some of the day before, next to its own in the order of keys; some of all days."""


@dataclass(frozen=True)
class Past:
    """How much a lake holds before the new day: days of `films` new films, all but the last `times` as many.

    `corrects`: which earlier films each of these days corrects.
    """

    days: int
    films: int
    times: int = 1
    corrects: str = NONE

    def size(self, day: int) -> int:
        """New films of a day, counted from 0; the day after the past is the new batch."""
        return self.films * (self.times if day < self.days - 1 else 1)


def batch(past: Past, day: int, corrects: str) -> bytes:
    """A day's file; the first day has nothing to correct."""
    films = [_film(day, number) for number in range(past.size(day))]
    corrections = len(films) // CORRECTIONS if day and corrects != NONE else 0
    for number in range(corrections):
        corrected = number * day // corrections if corrects == ANY else day - 1
        earlier = _film(corrected, number * past.size(corrected) // corrections)
        films.append(revised(earlier, draw(SEED, b"correction", _date(day), number), _date(day)))
    return "".join(f"{json.dumps(film)}\n" for film in films).encode()


def key(day: int) -> str:
    """Where a day's file lies."""
    return f"raw/movies/{_date(day):%Y/%m/%d}/movies.jsonl"


def run(root: str, layer: str, *options: str) -> dict[str, Any]:
    """Runs a layer of films in this process; returns the run record."""
    script = importlib.import_module("pipelines.movies")
    return job.main(script, ["--pipeline", "movies", "--layer", layer, "--lake", root, "--raw", root, *options])


def build(root: Path, past: Past, *, begin: int = 0, layers: tuple[str, ...] = LAYERS) -> None:
    """Lands the days of a past one by one, from `begin` on, and runs layers after each."""
    with tagged_as_on_s3():
        for day in range(begin, past.days):
            path = root / key(day)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(batch(past, day, past.corrects))
            for layer in layers:
                run(str(root), layer)


def maintain(root: Path, layers: tuple[str, ...] = LAYERS) -> None:
    """Maintains the tables of layers, as it is done each week."""
    with tagged_as_on_s3():
        for layer in layers:
            run(str(root), layer, "--mode", "maintain")


class TaggedFolder(FolderStorage):
    """A folder whose ETags are those that S3 gives the same bytes, so that a lake built in it goes on in a bucket."""

    def find(self, key: str) -> StoredObject | None:
        found = super().find(key)
        return found and replace(found, etag=hashlib.md5((self.root / key).read_bytes()).hexdigest())


@contextmanager
def tagged_as_on_s3() -> Iterator[None]:
    """Has runs in this process know the files of a folder by S3's ETags."""
    with mock.patch.object(job, "open_storage", lambda root: TaggedFolder(Path(root))):
        yield


def objects(folder: Path, *without: str) -> dict[str, bytes]:
    """The files of a folder as objects, without the sums that Hadoop adds to each on a disk."""
    found = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    kept = {name: path for name, path in found.items() if name.parts[0] not in (".tmp", *without)}
    return {str(name): path.read_bytes() for name, path in kept.items() if not re.fullmatch(r"\..*\.crc", name.name)}


def _film(day: int, number: int) -> Record:
    return new_film(draw(SEED, b"film", _date(day), number), _date(day), number)


def _date(day: int) -> date:
    return FIRST + timedelta(day)
