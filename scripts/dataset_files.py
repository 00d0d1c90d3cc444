"""Writes out the two files of a proposed dataset: its declaration and its script."""

from __future__ import annotations

import json
from collections.abc import Iterable

import yaml

from lakehouse.sql_text import literal
from proposal import Field, Proposal

DECLARATION = """\
description: {description}

bronze:
  {name}:
    description: One row per record of a file of {name}, as text.
    path: {name}
    format: {format}
    fields: [{fields}]

silver:
  {name}:
    description: {silver_description}
    reads: {name}
    key: [{key}]
    newest_by: [{newest_by}]
    columns:
{columns}
    rules:{rules}

gold:
  {gold}:
    description: {gold_description}
    reads: [{name}]
    key: [{group}]
    touched_by: {{{name}: {touched_by}}}
    columns:
      - {{name: {group}, type: {group_type}, description: {group_description}}}
      - {{name: {count}, type: bigint, description: Number of {name}.}}
"""

SCRIPT = '''\
"""{name}: typed as a sample of the files suggests, and counted by {group}."""

from __future__ import annotations

import sys

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse import values
from lakehouse.job import main


def {name}(bronze: DataFrame) -> DataFrame:
    """One row per record of a file of {name}."""
    return bronze.select(
{columns}
        "_record",
    )


def {gold}({name}: DataFrame) -> DataFrame:
    """One row per {group}."""
    return {name}.groupBy({by}).agg(F.count(F.lit(1)).alias("{count}"))


if __name__ == "__main__":
    main(sys.modules[__name__])
'''


def declaration(proposal: Proposal) -> str:
    """The text of the YAML file."""
    name, group = proposal.name, proposal.group
    newest = f"newest {proposal.newest_by[0]}" if proposal.newest_by else "newest file"
    day = group.type == "timestamp"
    return DECLARATION.format(
        name=name,
        description=_plain(f"{_words(name)} as in {proposal.sample.file}; to be described.", flow=False),
        format=proposal.sample.format,
        fields=", ".join(map(_plain, proposal.declared)),
        silver_description=_plain(f"One row per {' and '.join(proposal.key)}, {newest} wins.", flow=False),
        key=", ".join(map(_plain, proposal.key)),
        newest_by=", ".join(map(_plain, proposal.newest_by)),
        columns="\n".join(line for field in proposal.fields for line in _column(proposal, field)) + _left_out(proposal),
        rules="".join(f"\n      {rule}" for rule in _rules(proposal)) or " {}",
        gold=proposal.gold,
        gold_description=_plain(f"One row per {proposal.group_name}.", flow=False),
        group=_plain(proposal.group_name),
        touched_by="all" if day else f"[{_plain(group.name)}]",
        group_type="date" if day else _plain(group.type),
        group_description=f"Day of {group.name}." if day else _plain(_described(group.name)),
        count=proposal.count,
    )


def _plain(text: str, *, flow: bool = True) -> str:
    """A text in YAML: bare where that means the same, else in quotes. `flow`: within brackets, where less is bare."""
    try:
        same = yaml.safe_load(f"{{a: {text}, b: [{text}]}}" if flow else f"a: {text}")
    except yaml.YAMLError:
        same = None
    return text if same == ({"a": text, "b": [text]} if flow else {"a": text}) else json.dumps(text, ensure_ascii=False)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _described(name: str) -> str:
    return f"{_words(name)}; to be described."


def _column(proposal: Proposal, field: Field) -> Iterable[str]:
    if not field.kept:
        called = json.dumps(field.source, ensure_ascii=False)
        yield f"      # {field.name}: {called} in the files, which can't name a column, so bronze has it in _extra."
    if field.note:
        yield f"      # {field.name}: {field.note}."
    required = "required: true, " if field.name in (*proposal.key, *proposal.newest_by) else ""
    name, kind, described = map(_plain, (field.name, field.type, _described(field.name)))
    yield f"      - {{name: {name}, type: {kind}, {required}description: {described}}}"


def _left_out(proposal: Proposal) -> str:
    return "".join(
        f"\n      # {json.dumps(source, ensure_ascii=False)} holds {held}: it stays in bronze, as text."
        for source, held in proposal.sample.unclear.items()
    )


def _rules(proposal: Proposal) -> list[str]:
    """What the engine checks by itself for the fields that bronze declares: a value that is given can be typed."""
    return [
        f"{field.name[:57]}_typed: "
        + _plain(f"{field.name} is not null or trim(_record._extra[{literal(field.source)}]) = ''", flow=False)
        for field in proposal.fields
        if not field.kept and field.type != "string"
    ]


def script(proposal: Proposal) -> str:
    """The text of the Python file, before ruff has formatted it."""
    group = proposal.group
    return SCRIPT.format(
        name=proposal.name,
        group=proposal.group_name,
        columns="\n".join(f"        {_typing(field)}.alias({json.dumps(field.name)})," for field in proposal.fields),
        gold=proposal.gold,
        by=f'F.to_date("{group.name}").alias("day")' if group.type == "timestamp" else json.dumps(group.name),
        count=proposal.count,
    )


def _typing(field: Field) -> str:
    escaped = field.source.replace("`", "``")
    place = json.dumps(field.name if field.kept else f"_record._extra.`{escaped}`", ensure_ascii=False)
    if field.type.startswith("decimal"):
        precision, scale = field.type[len("decimal(") : -1].split(",")
        return f"values.decimal({place}, {precision}, {scale})"
    if field.type == "boolean":
        return f'values.text({place}).try_cast("boolean")'
    function = {"string": "text", "bigint": "integer"}.get(field.type, field.type)
    return f"values.{function}({place})"
