"""The archive of loaded classes (AppCDS) that halves the start of Spark's Java process on a laptop.

Java ignores an archive that doesn't fit its version, jars or class path exactly. All of these are part
of the file's name, so that an archive which no longer fits is simply not found.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

TRAINING_SCRIPT = Path(__file__).resolve().with_name("class_archive_training.py")
TIMEOUT_SECONDS = 600


class ArchiveError(Exception):
    """The training run that writes the archive has failed."""


def archive_path(folder: Path, java_version: str, jar_folders: list[Path]) -> Path:
    """Where the archive for this Java and these jars belongs, whether it is there yet or not."""
    parts = [java_version]
    for jar_folder in jar_folders:
        parts.append(str(jar_folder))
        for jar in sorted(jar_folder.glob("*.jar")):
            status = jar.stat()
            # Java compares size and time of each jar too: a reinstalled pyspark has other times.
            parts.append(f"{jar.name} {status.st_size} {status.st_mtime_ns}")
    return folder / f"classes-{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:16]}.jsa"


def unfinished_path(archive: Path) -> Path:
    """Where this process lets Java write the archive, so that nobody sees half of it."""
    return archive.with_suffix(f".{os.getpid()}.part")


def write_archive(archive: Path, unfinished: Path, environment: dict[str, str]) -> None:
    """Run the training script, whose Java writes the unfinished archive, and move that into place."""
    try:
        answer = subprocess.run(
            [sys.executable, str(TRAINING_SCRIPT)],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        if answer.returncode != 0 or not unfinished.exists():
            raise ArchiveError(f"the training run failed:\n{answer.stdout}{answer.stderr}".rstrip())
        for outdated in archive.parent.glob("classes-*.jsa"):
            outdated.unlink()
        os.replace(unfinished, archive)
    finally:
        unfinished.unlink(missing_ok=True)
