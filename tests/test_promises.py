"""docs/promises.md names nothing that isn't there: tests, commands and pages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
HEADER = ("promise", "kept by", "test", "seen in")
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in PAGE.splitlines()
    if line.startswith("|") and not line.startswith("|---")
]
PROMISES = [row for row in ROWS if row != HEADER]


def functions(file: Path) -> set[str]:
    """The functions that a file defines at its top."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_is_whole() -> None:
    assert len(PROMISES) > 10
    assert [row for row in PROMISES if len(row) != len(HEADER) or not all(row)] == []


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise[0])
def test_what_proves_a_promise_is_there(promise: tuple[str, str, str, str]) -> None:
    tests = re.findall(r"`(tests/\S+\.py)::(\w+)`", promise[2])
    assert len(tests) == promise[2].count("`") // 2 > 0
    assert [test for test in tests if test[1] not in functions(ROOT / test[0])] == []
    commands = re.findall(r"`make ([a-z-]+)`", promise[3])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert len(commands) == promise[3].count("`") // 2 > 0
    assert [command for command in commands if not re.search(rf"^{command}:.* ## ", makefile, re.MULTILINE)] == []
