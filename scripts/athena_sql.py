"""Athena's SQL (engine version 3, tables in Delta Lake format) checked and translated to DuckDB's.

The parser alone is lenient: it also accepts what Athena would refuse. So each query is also held against
the tables that exist, the words that Athena lets stand before a parenthesis, and its missing syntax.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import pairwise

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from athena_words import WORDS_BEFORE_PARENTHESIS

# What it can't parse it would also log; the error that follows says it better.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

# Tables by schema, columns by table, DuckDB's name of the type by column.
Tables = dict[str, dict[str, dict[str, str]]]

UNNAMED = "_unnamed_column_"
"""How names of columns begin that the query doesn't name: Athena calls them _col0, _col1, ... by their place."""

FOREIGN_TOKENS = {
    TokenType.DCOLON: "`::` (write cast(value as type))",
    TokenType.ILIKE: "ILIKE (write lower(value) like ...)",
    TokenType.L_BRACE: "braces",
    TokenType.SEMI: "SEMI JOIN (write exists or in)",
    TokenType.ANTI: "ANTI JOIN (write not exists or not in)",
    TokenType.ASOF: "ASOF JOIN",
    TokenType.PIVOT: "PIVOT",
    TokenType.UNPIVOT: "UNPIVOT",
}


class QueryError(Exception):
    """The query is not one that Athena would run on these tables; the message says why."""


def translate(sql: str, tables: Tables, default_schema: str) -> str:
    """The DuckDB text of one SELECT in Athena's SQL; a QueryError for anything else."""
    try:
        query = _one_select(sql)
        tokens = sqlglot.tokenize(sql, read="athena")
        _refuse_foreign_tokens(tokens)
        _refuse_foreign_functions(tokens, query)
        _refuse_foreign_syntax(query)
        _refuse_unknown_tables(query, tables, default_schema)
        _mark_unnamed_columns(query)
        schema = MappingSchema({**tables}, dialect="duckdb")
        # Athena, unlike DuckDB, knows an alias of the select list only in ORDER BY.
        query = qualify(query, schema=schema, dialect="athena", db=default_schema, expand_alias_refs=False)
        # Without types `/` of two integers would be translated to a division with decimals.
        return annotate_types(query, schema=schema, dialect="athena").sql("duckdb")
    except SqlglotError as error:
        # The parser underlines the place with terminal codes in the lines that follow.
        raise QueryError(str(error).splitlines()[0]) from error


def with_parameters(sql: str, parameters: Sequence[str]) -> str:
    """A query whose `?` are filled in with execution parameters, each the text of a literal."""
    try:
        places = [token for token in sqlglot.tokenize(sql, read="athena") if token.token_type is TokenType.PLACEHOLDER]
    except SqlglotError:
        return sql  # what is wrong with the text is said where it is parsed
    if len(places) != len(parameters):
        raise QueryError(f"Incorrect number of parameters: expected {len(places)} but found {len(parameters)}")
    for place, parameter in reversed(list(zip(places, parameters, strict=True))):
        sql = f"{sql[: place.start]}{parameter}{sql[place.end + 1 :]}"
    return sql


def tables_named(sql: str, default_schema: str) -> list[tuple[str, str]]:
    """Schema and name of each table that a query reads, each once; empty when the text can't be parsed."""
    try:
        statements = [statement for statement in sqlglot.parse(sql, read="athena") if statement is not None]
    except SqlglotError:
        return []
    found: dict[tuple[str, str], None] = {}
    for statement in statements:
        named_here = {cte.alias.lower() for cte in statement.find_all(exp.CTE)}
        for table in statement.find_all(exp.Table):
            if table.name and (table.db or table.name.lower() not in named_here):
                found[table.db.lower() or default_schema, table.name.lower()] = None
    return list(found)


def _one_select(sql: str) -> exp.Query:
    statements = [statement for statement in sqlglot.parse(sql, read="athena") if statement is not None]
    if len(statements) != 1:
        raise QueryError(f"one SELECT is needed, these are {len(statements)} statements")
    if not isinstance(statements[0], (exp.Select, exp.SetOperation, exp.Subquery)):
        raise QueryError("only SELECT is possible here: nothing in the lake is changed by a query")
    return statements[0]


def _refuse_foreign_tokens(tokens: list[Token]) -> None:
    if tokens[0].token_type is TokenType.FROM:
        raise QueryError("Athena needs SELECT before FROM")
    depth, depths_of_limit = 0, set()
    for token in tokens:
        kind = token.token_type
        depth += (kind is TokenType.L_PAREN) - (kind is TokenType.R_PAREN)
        if kind in FOREIGN_TOKENS:
            raise QueryError(f"Athena has no {FOREIGN_TOKENS[kind]}")
        if kind is TokenType.LIMIT:
            depths_of_limit.add(depth)
        if kind is TokenType.OFFSET and depth in depths_of_limit:
            raise QueryError("Athena needs OFFSET before LIMIT")


def _refuse_foreign_functions(tokens: list[Token], query: exp.Query) -> None:
    # `with name (column) as` and `as name (column)` look like the call of a function.
    known = WORDS_BEFORE_PARENTHESIS | {alias.name.lower() for alias in query.find_all(exp.TableAlias)}
    for token, following in pairwise(tokens):
        word = token.text.lower()
        is_word = word[:1].isalpha() and token.token_type is not TokenType.STRING
        if following.token_type is TokenType.L_PAREN and is_word and word not in known:
            raise QueryError(f"Athena has no function {word}")


def _refuse_foreign_syntax(query: exp.Query) -> None:
    for star in query.find_all(exp.Star):
        if any(star.args.get(part) for part in ("except_", "replace", "rename")):
            raise QueryError("Athena has no EXCLUDE, EXCEPT, REPLACE or RENAME after `*`: name the columns")
    for distinct in query.find_all(exp.Distinct):
        if distinct.args.get("on"):
            raise QueryError("Athena has no DISTINCT ON: use row_number()")
    if query.find(exp.Into, exp.Lock):
        raise QueryError("Athena has no SELECT INTO and no FOR UPDATE")
    for table in query.find_all(exp.Table):
        if table.args.get("version") or table.args.get("when"):
            raise QueryError("Athena has no time travel on Delta Lake tables")


def _mark_unnamed_columns(query: exp.Query) -> None:
    """Gives what has no name in Athena none that the parser would invent, such as `1` for a 1."""
    for number, projection in enumerate(query.selects):
        if not isinstance(projection.unnest(), (exp.Alias, exp.Column, exp.Dot, exp.Star)):
            projection.replace(exp.alias_(projection.copy(), f"{UNNAMED}{number}"))


def _refuse_unknown_tables(query: exp.Query, tables: Tables, default_schema: str) -> None:
    named_here = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
    for table in query.find_all(exp.Table):
        schema, name = table.db.lower(), table.name.lower()
        if not isinstance(table.this, exp.Identifier):
            raise QueryError("only the tables of the lake can stand after FROM and JOIN, no functions")
        if not schema and name in named_here:
            continue
        if table.catalog or name not in tables.get(schema or default_schema, {}):
            there = ", ".join(f"{each}.{name}" for each in sorted(tables) for name in sorted(tables[each]))
            raise QueryError(f"no table {table.sql('athena', comments=False)}; there are: {there}")
