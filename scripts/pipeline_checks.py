"""Checks a pipeline before it is shipped or run on a folder: its declaration, its script, and each rule.

What is wrong is one DeclarationError that names the file and the key, here instead of in the first run.
"""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

import sqlglot
from pyspark.sql import functions
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types

import determinism
from lakehouse.bronze import PROVENANCE
from lakehouse.declaration import DeclarationError, Pipeline, SilverTable, check_functions
from lakehouse.quality import RECORD
from lakehouse.reader import parse, read

DIALECT = "spark"
NOT_OF_ONE_RECORD = (exp.Query, exp.AggFunc, exp.Window, exp.UDTF, exp.Star, exp.Placeholder, exp.Parameter, exp.Block)
PAIR = (".yaml", ".py")
AGAIN = "gives another value in another run; take it from a field of the record"


def check_all(folder: Path) -> list[Pipeline]:
    """All pipelines of a folder, in the order of their names. Raises DeclarationError at the first mistake."""
    files = sorted(path for path in folder.glob("[!_.]*") if path.is_file())
    for path in files:
        if path.suffix not in PAIR:
            raise DeclarationError(f"{path.name}: a pipeline is a pair of files, <name>.yaml and <name>.py")
        _refuse_alone(path)
    return [check(path) for path in files if path.suffix == ".yaml"]


def _refuse_alone(path: Path) -> None:
    if not path.with_suffix(other := PAIR[1 - PAIR.index(path.suffix)]).exists():
        raise DeclarationError(f"{path.name}: there is no {path.stem}{other} beside it")


def check(path: Path) -> Pipeline:
    """The pipeline of a declaration's file. Raises DeclarationError at the first mistake in it or in its script."""
    _refuse_alone(path)
    pipeline = read(path)
    if parse(pipeline.name, pipeline.canonical_json(), f"{pipeline.name}.json") != pipeline:
        raise DeclarationError(f"{path.name}: top level: means something else as canonical JSON")
    for table in pipeline.silver.values():
        known = _known(pipeline, table)
        for rule, condition in table.rules.items():
            try:
                _check_rule(condition, known)
            except ValueError as error:
                raise DeclarationError(f"{path.name}: silver.{table.name}.rules.{rule}: {error}") from error
    check_functions(pipeline, _load(path.with_suffix(".py")))
    return pipeline


def _known(pipeline: Pipeline, table: SilverTable) -> dict[str, str]:
    """What a rule may name, and its type."""
    bronze = {**dict.fromkeys(pipeline.bronze[table.reads].fields, "string"), **{c.name: c.type for c in PROVENANCE}}
    return {
        **{column.name: column.type for column in table.columns},
        **{f"{RECORD}.{name}": type_name for name, type_name in bronze.items()},
    }


def _check_rule(condition: str, known: dict[str, str]) -> None:
    """Raises ValueError unless the text is a condition on the known columns, the same in every run."""
    try:
        parsed = sqlglot.parse_one(condition, into=exp.Condition, dialect=DIALECT)
    except SqlglotError as error:
        near = next((each["highlight"] for each in getattr(error, "errors", ()) if each.get("highlight")), condition)
        raise ValueError(f"not SQL near {near!r}") from error
    if called := determinism.in_sql(condition):
        raise ValueError(f"{called} {AGAIN}")
    if found := parsed.find(*NOT_OF_ONE_RECORD):
        raise ValueError(f"not a condition on one record: {found.sql(DIALECT)}")
    for column in parsed.find_all(exp.Column):
        if (name := ".".join(part.name for part in column.parts)) not in known:
            raise ValueError(f"unknown column {name}; known: {', '.join(known)}")
    for function in parsed.find_all(exp.Anonymous):
        if not hasattr(functions, function.name.lower()):
            raise ValueError(f"unknown function {function.name}()")
    kind = _type(parsed, known)
    if not kind.is_type(exp.DType.BOOLEAN, exp.DType.UNKNOWN):
        raise ValueError(f"expected a condition, found a value of type {kind.sql(DIALECT).lower()}")


def _type(condition: exp.Expr, known: dict[str, str]) -> exp.DataType:
    """The type of the text's value."""

    def typed(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        name = ".".join(part.name for part in node.parts)
        return exp.cast(exp.Null(), known[name], dialect=DIALECT)

    return annotate_types(condition.transform(typed), dialect=DIALECT).type or exp.DataType.build("unknown")


def _load(path: Path) -> ModuleType:
    """The script as a module. It runs nothing but definitions, since Spark isn't there yet."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise DeclarationError(f"{path.name}: line {error.lineno}: not Python: {error.msg}") from error
    if found := determinism.in_script(tree):
        place, line, name = found
        raise DeclarationError(f"{path.name}: {place}: line {line}: {name} {AGAIN}")
    spec = importlib.util.spec_from_file_location(f"pipelines.{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(script)
    except Exception as error:
        problem = " ".join(f"{type(error).__name__}: {error}".split())
        raise DeclarationError(f"{path.name}: top level: can't be imported: {problem}") from error
    return script
