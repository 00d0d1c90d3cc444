"""Reads JSON lines: one object a line, strictly, and a name for everything that isn't."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse import raw_text
from lakehouse.discovery import File
from lakehouse.tables import Run
from lakehouse.values import WHITE_SPACE


def read_json_lines(run: Run, files: list[File]) -> DataFrame:
    """One row per line that isn't blank: its text, its problem, and its fields as a map of name to text.

    The line is parsed as an array's elements between two marks, so that nothing behind the object can be lost
    silently, and as a variant, which is strict JSON and keeps numbers to 38 digits. What that refuses is looked at
    again for the reason (and for NaN, which is a bad value, not a bad record).
    """
    text = F.col("value")
    lines = run.spark.read.text(raw_text.escaped(run, files)).select("value", *raw_text.place())
    lines = lines.where(text.rlike(f"[^{WHITE_SPACE}]"))
    fits = (F.octet_length(text) <= raw_text.MAX_RECORD) & F.is_valid_utf8(text) & ~_has_half_character(text)
    strict = _between_marks(F.expr("try_variant_get(try_parse_json(_wrapped), '$', 'array<map<string,string>>')"))
    parsed = (
        lines.withColumn("_wrapped", F.when(fits, _wrap(text)))
        .withColumn("_strict", strict)
        .withColumn("_second", F.when(F.col("_strict").isNull() & fits, _parse_leniently(F.col("_wrapped"))))
        .withColumn("_objects", F.coalesce("_strict", "_second"))
    )
    apart = _parse_leniently(_wrap(F.regexp_replace(text, r"\}\s*\{", "},{")))
    repeated = F.col("_second").isNotNull() & (F.size("_second") == 3) & _has_repeats(F.map_keys(F.col("_second")[1]))
    problem = (
        F.when(F.octet_length(text) > raw_text.MAX_RECORD, "record_too_large")
        .when(~F.is_valid_utf8(text), "invalid_utf8")
        .when(
            F.col("_objects").isNull(),
            F.when(F.size(apart) > 3, "several_records").otherwise("malformed_record"),
        )
        .when(F.exists("_objects", lambda each: each.isNull()), "malformed_record")
        .when(F.size("_objects") != 3, "several_records")
        .when(repeated, "repeated_field")
    )
    values = F.col("_objects")[1].alias("_values")
    return parsed.select(
        *raw_text.PLACE,
        problem.alias("_problem"),
        raw_text.printable(text).alias("_text"),
        values,
    )


def _wrap(text: Column) -> Column:
    return F.concat(F.lit('[{"(":""},'), text, F.lit(',{")":""}]'))


def _between_marks(elements: Column) -> Column:
    """The elements; null when something ends the array before the closing mark, since parsers stop reading there."""
    return F.when(F.element_at(F.try_element_at(elements, F.lit(-1)), ")") == "", elements)


def _parse_leniently(wrapped: Column) -> Column:
    return _between_marks(F.from_json(wrapped, "array<map<string,string>>", {"allowSingleQuotes": "false"}))


def _has_half_character(text: Column) -> Column:
    r"""Whether there is one half of a surrogate pair, such as \ud800 alone: no text, and Spark would make it a `?`."""
    escapes = F.regexp_replace(text, r"\\\\", "")
    high, low = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    half = escapes.rlike(f"{high}(?!{low})|(?<!{high}){low}")
    return (F.contains(text, F.lit(r"\ud")) | F.contains(text, F.lit(r"\uD"))) & half


def _has_repeats(names: Column) -> Column:
    return F.size(names) != F.size(F.array_distinct(names))
