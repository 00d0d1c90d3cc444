"""The films that are loaded: made once by the generator, a handful of daily files, kept for later runs."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

GENERATOR_FOLDER = Path(__file__).resolve().parent.parent / "lambda"
FIRST_DAY = "2026-11-01"
DAYS = 5
BYTES_PER_FILM = 302.6  # of the input for each new film, corrections and dirt included
# Dirt of all kinds at its usual rate, save lines that a JSON reader alone can't refuse as the contract wants.
DIRT = ("field_repeated=0", "lines_joined=0", "invalid_utf8=0")


@dataclass(frozen=True)
class FilmInput:
    """The folder above raw/, and what is in it."""

    root: Path
    files: int
    records: int
    bytes: int


def make(folder: Path, mebibytes: int) -> FilmInput:
    """The input of about this size; made when it isn't there or the generator has changed."""
    films = round(mebibytes * 1024 * 1024 / DAYS / BYTES_PER_FILM)
    days = ["--start", FIRST_DAY, "--days", str(DAYS), "--first-day", FIRST_DAY]
    arguments = [*days, "--movies", str(films), "--dirt", *DIRT]
    name = f"films-{mebibytes}-mebibytes"
    root = folder / f"{name}-{_fingerprint(arguments)}"
    if not root.exists():
        for outdated in folder.glob(f"{name}-*"):
            shutil.rmtree(outdated)
        unfinished = root.with_name(f"{root.name}.part")
        print(f"Making {mebibytes} MiB of films in {DAYS} daily files ...", flush=True)
        command = [sys.executable, str(GENERATOR_FOLDER / "generate_movies.py"), "--lake", str(unfinished)]
        subprocess.run([*command, *arguments], check=True)
        unfinished.rename(root)
    return _counted(root)


def _fingerprint(arguments: list[str]) -> str:
    digest = hashlib.sha256("\n".join(arguments).encode())
    for path in sorted(GENERATOR_FOLDER.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def _counted(root: Path) -> FilmInput:
    """Count by reading everything, which also puts it into the page cache."""
    files = sorted((root / "raw" / "movies").rglob("*.jsonl"))
    records = 0
    for path in files:
        with path.open("rb") as stream:
            records += sum(not line.isspace() for line in stream)
    return FilmInput(root, len(files), records, sum(path.stat().st_size for path in files))
