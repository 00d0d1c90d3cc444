"""Builds what is deployed: every declaration as canonical JSON, and the engine with all pipelines as one zip.

Checks all of it first; the same sources give the same bytes, on any machine.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import zipfile
from pathlib import Path

import pipeline_checks
from lakehouse.declaration import DeclarationError

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "glue_scripts"
TARGET = ROOT / "build" / "package"
ARCHIVE = "lakehouse.zip"
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the zip: the earliest that the format knows."""


def package(source: Path = SOURCE, target: Path = TARGET) -> list[Path]:
    """Checks all pipelines and writes the package; returns its files. Raises DeclarationError at the first mistake."""
    pipelines = pipeline_checks.check_all(source / "pipelines")
    declarations = {f"pipelines/{each.name}.json": each.canonical_json().encode() for each in pipelines}
    code = [*(source / "lakehouse").glob("*.py"), *(source / "pipelines").glob("*.py")]
    members = declarations | {path.relative_to(source).as_posix(): path.read_bytes() for path in code}
    (target / "pipelines").mkdir(parents=True, exist_ok=True)
    for stale in set((target / "pipelines").iterdir()) - {target / name for name in declarations}:
        stale.unlink()
    for name, content in declarations.items():
        (target / name).write_bytes(content)
    _write_archive(target / ARCHIVE, members)
    return [*(target / name for name in declarations), target / ARCHIVE]


def _write_archive(path: Path, members: dict[str, bytes]) -> None:
    """One file after the other in the order of names, as they are: compressed bytes depend on the machine's zlib."""
    unfinished = path.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            member = zipfile.ZipInfo(name, EARLIEST)
            member.create_system = 3  # Unix, on every system
            member.external_attr = 0o100644 << 16
            archive.writestr(member, members[name])
    unfinished.replace(path)


def show(files: list[Path]) -> None:
    """Prints what was built."""
    print(f"{'file':<40} {'bytes':>9}  sha256")
    for path in files:
        content = path.read_bytes()
        name = path.relative_to(ROOT).as_posix()
        print(f"{name:<40} {len(content):>9,}  {hashlib.sha256(content).hexdigest()[:12]}")


def main() -> int:
    """Command line: exit code 1 with the one mistake that was found first."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    try:
        files = package()
    except DeclarationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    show(files)
    return 0


if __name__ == "__main__":
    sys.exit(main())
