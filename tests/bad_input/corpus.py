"""The corpus: every kind of bad file. As a program it writes them all: `python -m tests.bad_input.corpus FOLDER`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bad_input import csv_files, csv_records, json_files, json_records, json_values
from tests.bad_input.kind import Kind

JSON = (*json_files.KINDS, *json_records.KINDS, *json_values.KINDS)
CSV = (*csv_files.KINDS, *csv_records.KINDS)


def write(kinds: Sequence[Kind], folder: Path) -> None:
    """Writes files as `<source>/<kind>/<file>` below a folder."""
    for kind in kinds:
        path = folder / kind.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(kind.content)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: writes the corpus and tells where."""
    parser = argparse.ArgumentParser(description="Write one file of each kind of bad input.")
    parser.add_argument("folder", type=Path, help="where the files go, as <source>/<kind>/<file>")
    folder = parser.parse_args(arguments).folder
    write((*JSON, *CSV), folder)
    print(f"{len(JSON)} kinds of JSON files and {len(CSV)} of CSV files are in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
