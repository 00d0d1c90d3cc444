"""What a Lambda function is made of: its own modules, found by reading its imports, never by running them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

RUNTIME = ("boto3", "botocore")
"""What Lambda's Python has beside the standard library, as far as functions may count on it."""


class FunctionError(Exception):
    """A function can't be packaged."""


def handlers(folder: Path) -> list[Path]:
    """The files that are functions: those that define `handler`."""
    return [path for path in sorted(folder.glob("*.py")) if _defines_handler(_parse(path))]


def reached(handler: Path, dependencies: Collection[str]) -> tuple[list[Path], set[str]]:
    """The files of the handler's folder that it imports, itself included, and which dependencies they import."""
    files, used, waiting = {handler}, set(), [handler]
    while waiting:
        path = waiting.pop()
        for name in _imports(_parse(path)):
            beside = path.with_name(f"{name}.py")
            if beside.is_file():
                if beside not in files:
                    files.add(beside)
                    waiting.append(beside)
            elif name in dependencies:
                used.add(name)
            elif name not in sys.stdlib_module_names and name not in RUNTIME:
                raise FunctionError(
                    f"{path} imports {name}, which neither Lambda's Python nor requirements-lambda.txt has: "
                    "add it to the group `lambda` of pyproject.toml and run make requirements"
                )
    return sorted(files), used


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), filename=str(path))


def _defines_handler(module: ast.Module) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == "handler" for node in module.body)


def _imports(node: ast.AST) -> Iterator[str]:
    """The first part of every imported name, wherever the import stands, except for type checkers only."""
    if isinstance(node, ast.Import):
        yield from (name.name.partition(".")[0] for name in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield (node.module or "").partition(".")[0]
    children = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        children = iter(node.orelse)
    for child in children:
        yield from _imports(child)
