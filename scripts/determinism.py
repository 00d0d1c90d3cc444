"""What a transform must not use: functions that give another value in another run, for the same files.

A clock, a random number or a place in a partition makes a rerun differ from the run that it repeats, and a partial
computation of gold from a full one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import zip_longest

import sqlglot
from sqlglot.errors import SqlglotError

FORBIDDEN = frozenset(
    {"curdate", "current_date", "current_time", "current_timestamp", "localtimestamp", "now", "today", "utcnow"}
    | {
        "rand",
        "randn",
        "random",
        "randstr",
        "sample",
        "sampleby",
        "randomsplit",
        "shuffle",
        "uniform",
        "urandom",
        "uuid",
    }
    | {"current_catalog", "current_database", "current_schema", "current_timezone", "current_user", "session_user"}
    | {"input_file_block_length", "input_file_block_start", "input_file_name"}
    | {"monotonically_increasing_id", "spark_partition_id"}
)
CLOCKS = frozenset({"unix_timestamp"})
"""Functions that read the clock when they get no argument."""
WITHOUT_BRACKETS = frozenset({"current_date", "current_time", "current_timestamp", "current_user", "session_user"})
"""Functions that SQL also knows without (); elsewhere a text may mean a column."""
MODULES = frozenset({"random", "secrets", "time", "uuid"})
SQL_CALLS = frozenset({"expr", "filter", "selectExpr", "sql", "where"})
CALLS_BY_NAME = frozenset({"call_function", "call_udf", "getattr"})


def in_sql(text: str, *, whole: bool = True) -> str | None:
    """The first forbidden function of a SQL text. `whole`: the text is SQL, not only maybe a part of it."""
    try:
        tokens = sqlglot.tokenize(text, dialect="spark")
    except SqlglotError:
        return None  # no SQL, or for the reader of the rule to complain about
    for token, after, last in zip_longest(tokens, tokens[1:], tokens[2:]):
        name = token.text.lower()
        called = after is not None and after.token_type.name == "L_PAREN"
        empty = called and last is not None and last.token_type.name == "R_PAREN"
        bare = whole and token.token_type.name != "IDENTIFIER" and name in WITHOUT_BRACKETS
        if token.token_type.name == "STRING":
            continue
        if (name in FORBIDDEN and called) or (name in CLOCKS and empty) or bare:
            return f"{name}()"
    return None


def in_script(tree: ast.Module) -> tuple[str, int, str] | None:
    """The first forbidden thing in a script: the table function that it is in (or `top level`), line, and name."""
    modules = {alias.asname for alias in _imports(tree) if alias.name.rpartition(".")[2] == "functions"}
    for statement in tree.body:
        place = statement.name if isinstance(statement, ast.FunctionDef) else "top level"
        texts = _docstrings(statement)
        for node in ast.walk(statement):
            if id(node) not in texts and (name := _forbidden(node, modules)):
                return place, getattr(node, "lineno", statement.lineno), name
    return None


def _imports(tree: ast.Module) -> Iterator[ast.alias]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from node.names


def _docstrings(statement: ast.stmt) -> set[int]:
    """Ids of constants that are a statement of their own."""
    return {id(node.value) for node in ast.walk(statement) if isinstance(node, ast.Expr)}


def _forbidden(node: ast.AST, modules: set[str | None]) -> str | None:
    match node:
        case ast.Import(names=names) if found := [each.name for each in names if each.name.split(".")[0] in MODULES]:
            return f"import {found[0]}"
        case ast.ImportFrom(module=str(module)) if module.split(".")[0] in MODULES:
            return f"from {module} import ..."
        case ast.ImportFrom(names=names) if found := [each.name for each in names if each.name.lower() in FORBIDDEN]:
            return f"{found[0]}()"
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in modules and name.lower() in FORBIDDEN:
            return f"{name}()"
        case ast.Call():
            return _forbidden_call(node)
        case ast.Constant(value=str(text)):
            return in_sql(text, whole=False)
    return None


def _forbidden_call(call: ast.Call) -> str | None:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name.lower() in FORBIDDEN or (name in CLOCKS and not call.args and not call.keywords):
        return f"{name}()"
    nodes = [node for argument in (*call.args, *call.keywords) for node in ast.walk(argument)]
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    if name in CALLS_BY_NAME and (named := [text for text in texts if text.lower() in FORBIDDEN | CLOCKS]):
        return f"{named[0]}()"
    return next(filter(None, map(in_sql, texts)), None) if name in SQL_CALLS else None
