"""What a sample suggests: legal names, types, the key, which version is the newest, and a first gold table."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot.dialects import Trino

from column_types import propose_type
from lakehouse.place import NAME
from sample import Sample, SampleError

RESERVED = frozenset(Trino.Generator.RESERVED_KEYWORDS)
"""Words that Athena's SQL wants quotes around: a column of such a name would trouble everybody who asks for it."""
UPDATED = {"updated", "update", "modified", "changed", "revised", "edited"}
LONGEST = 63
FEW = 50
"""Groups that a person can still look through."""


@dataclass(frozen=True)
class Field:
    """One field of the source that becomes a silver column."""

    source: str
    name: str
    type: str
    note: str = ""

    @property
    def kept(self) -> bool:
        """Whether bronze has it as a column; else it stands among the fields that aren't declared."""
        return self.source == self.name


@dataclass(frozen=True)
class Proposal:
    """A dataset of one table. `group`: what gold counts by; of a timestamp it takes the day."""

    name: str
    sample: Sample
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    newest_by: tuple[str, ...]
    group: Field

    @property
    def declared(self) -> list[str]:
        """The fields that bronze declares: also those that silver leaves out, if their names are legal."""
        left_out = [name for name in self.sample.unclear if is_legal(name)]
        return [field.source for field in self.fields if field.kept] + left_out

    @property
    def group_name(self) -> str:
        """The key of the gold table."""
        return "day" if self.group.type == "timestamp" else self.group.name

    @property
    def gold(self) -> str:
        """The name of the gold table."""
        return f"{self.name}_by_{self.group_name}"[:LONGEST]

    @property
    def count(self) -> str:
        """The gold column that counts."""
        return self.name if self.name != self.group_name else f"number_of_{self.name}"[:LONGEST]


def propose(name: str, sample: Sample, key: str | None) -> Proposal:
    """A dataset for a sample. Raises SampleError when there is no key in it, or nothing that can be declared."""
    names = legal_names(list(sample.columns), name)
    fields = tuple(
        Field(source, names[source], *propose_type(values))
        for source, values in sample.columns.items()
        if source not in sample.unclear
    )
    if not any(field.kept for field in fields):
        raise SampleError(
            f"{sample.file}: none of its names can be kept ({', '.join(sample.columns)}); give the files at least one "
            "of lower case, digits and underscores"
        )
    chosen = _given_key(sample, fields, key) if key else _find_key(name, sample, fields)
    newest_by = tuple(_newest_by(sample, fields, chosen))
    others = [field for field in fields if field.name not in (*chosen, *newest_by)]
    group = _group(sample, others) or next(field for field in fields if field.name in (*newest_by, *chosen))
    return Proposal(name, sample, fields, chosen, newest_by, group)


def is_legal(name: str) -> bool:
    """Whether a column can have this name, in a declaration and in SQL without quotes."""
    return bool(NAME.fullmatch(name)) and name not in RESERVED


def legal_names(sources: list[str], table: str) -> Mapping[str, str]:
    """A name for each field of a source: its own if that is legal, else one that is like it; none twice."""
    names = {source: source for source in sources if is_legal(source)}
    for number, source in enumerate(sources, 1):
        if source not in names:
            base = _snake_case(source) or f"column_{number}"
            base = base if is_legal(base[:LONGEST]) else f"{table}_{base}"
            tries = [base[:LONGEST], *(f"{base[: LONGEST - 5]}_{again}" for again in range(2, len(sources) + 2))]
            names[source] = next(each for each in tries if each not in names.values())
    return names


def _snake_case(name: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", ascii_only)
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")


def _given_key(sample: Sample, fields: tuple[Field, ...], key: str) -> tuple[str, ...]:
    columns = {spelling: field for field in fields for spelling in (field.source, field.name)}
    chosen: list[Field] = []
    for part in map(str.strip, key.split(",")):
        if part not in columns:
            raise SampleError(
                f"KEY={key}: {sample.file} has no column {part!r} to identify rows by; "
                f"there are: {', '.join(field.name for field in fields)}"
            )
        if None in (values := sample.columns[columns[part].source]):
            raise SampleError(f"KEY={key}: {part} has no value in record {values.index(None) + 1} of {sample.file}")
        chosen.append(columns[part])
    return tuple(dict.fromkeys(field.name for field in chosen))


def _find_key(table: str, sample: Sample, fields: tuple[Field, ...]) -> tuple[str, ...]:
    """The column that identifies rows: never null and without repeats, by preference one that is named an id."""
    own = {"id", f"{table}_id", f"{table.removesuffix('s')}_id", f"{table.removesuffix('es')}_id"}

    def rank(field: Field) -> tuple[bool, bool]:
        return field.name not in own, "id" not in field.name.split("_")

    unique = [
        field
        for field in fields
        if field.type in ("string", "bigint", "date") and _is_unique(sample.columns[field.source])
    ]
    if not unique:
        raise SampleError(
            f"{sample.file}: no column identifies its rows, since each is empty somewhere or repeats a value; name one "
            f"or several that do with KEY=column or KEY=column,column; there are: {', '.join(f.name for f in fields)}"
        )
    return (min(unique, key=rank).name,)


def _is_unique(values: list[str | None]) -> bool:
    return None not in values and len(set(values)) == len(values)


def _newest_by(sample: Sample, fields: tuple[Field, ...], key: tuple[str, ...]) -> list[str]:
    """The column that tells when a row was changed, if there is one; without it the newest file wins."""
    found = [
        field
        for field in fields
        if field.type in ("timestamp", "date")
        and UPDATED & set(field.name.split("_"))
        and field.name not in key
        and None not in sample.columns[field.source]
    ]
    return [field.name for field in sorted(found, key=lambda field: field.type != "timestamp")][:1]


def _group(sample: Sample, others: list[Field]) -> Field | None:
    """What rows are counted by: a text with few values, else a day, else whatever repeats."""

    def given(field: Field) -> list[str]:
        return [value for value in sample.columns[field.source] if value is not None]

    def distinct(field: Field) -> int:
        return len(set(given(field)))

    def is_category(field: Field) -> bool:
        return 2 <= distinct(field) <= min(FEW, len(given(field)) - 1)

    def rank(field: Field) -> tuple[bool, int]:
        return "id" in field.name.split("_"), distinct(field)

    categories = [field for field in others if is_category(field)]
    texts = sorted((field for field in categories if field.type == "string"), key=rank)
    days = sorted((field for field in others if field.type in ("date", "timestamp")), key=lambda field: field.type)
    rest = [field for kind in ("boolean", "bigint") for field in categories if field.type == kind]
    return next(iter([*texts, *days, *rest, *others]), None)
