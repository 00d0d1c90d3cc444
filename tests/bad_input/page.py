"""The tables of docs/bad-input.md. As a program it writes them anew: `make docs`."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import laptop_spark
from tests.bad_input import corpus
from tests.bad_input.kind import Kind

PAGE = Path(__file__).resolve().parents[2] / "docs" / "bad-input.md"
SECTIONS = {"JSON": corpus.JSON, "CSV": corpus.CSV}
COMPUTED = "<!-- Computed: make docs -->\n"


def computed(plain: Mapping[str, str]) -> str:
    """The page's computed part. `plain`: what plain Spark makes of each kind."""
    return "\n".join(f"## {title}\n\n{_table(kinds, plain)}" for title, kinds in SECTIONS.items())


def written() -> tuple[str, str]:
    """The page's two parts as they are: the text above the mark, and what is computed."""
    text, _, tables = PAGE.read_text(encoding="utf-8").partition(COMPUTED)
    return text, tables


def _table(kinds: Sequence[Kind], plain: Mapping[str, str]) -> str:
    rows = [f"| `{kind.name}` | {kind.what} | {plain[kind.name]} | {_lake(kind)} |\n" for kind in kinds]
    return "".join(("| kind | what is wrong | plain Spark | the lake |\n|---|---|---|---|\n", *rows))


def _lake(kind: Kind) -> str:
    if kind.outcome == "empty":
        return f"empty file: {kind.reason}"
    if kind.outcome == "unreadable":
        assert kind.reason is not None
        return f"file refused: `{kind.reason.split(':')[0]}`"
    rejects = Counter(", ".join(f"`{name}`" for name in names) for names in kind.rejects)
    parts = [f"{count} rejected: {names}" for names, count in rejects.items()]
    parts += [f"{len(kind.loads)} loaded"] if kind.loads else []
    parts += [f"{kind.duplicates} of the same key"] if kind.duplicates else []
    return "; ".join(parts)


def main() -> int:
    """Command line: computes the tables and writes the page."""
    os.environ.update(laptop_spark.environment())
    from lakehouse.session import open_session
    from tests.bad_input import plain_spark

    spark = open_session()
    spark.sparkContext.setLogLevel("OFF")  # what stops a read is in the table
    with tempfile.TemporaryDirectory() as folder:
        corpus.write((*corpus.JSON, *corpus.CSV), Path(folder))
        plain = plain_spark.judge(spark, Path(folder), (*corpus.JSON, *corpus.CSV))
    PAGE.write_text(written()[0] + COMPUTED + computed(plain), encoding="utf-8")
    print(f"{len(plain)} kinds are in {PAGE.relative_to(PAGE.parents[1])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
