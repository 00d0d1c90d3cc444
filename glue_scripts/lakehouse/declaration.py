"""A pipeline's declaration: what exists, typed and frozen. `reader.py` makes it from YAML or JSON."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType

PROBLEMS = (
    "malformed_record",
    "several_records",
    "repeated_field",
    "record_too_large",
    "invalid_utf8",
    "column_count",
    "repeated_header",
)
"""What can be wrong with how a record reads; bronze names them."""

CHECKS = ("_missing", "_invalid", "_too_old", "_in_future")
"""How the engine's own checks of a column end."""
WAITS = "waits_for_"
"""How the check begins that a record fails while a table that it references doesn't hold its row."""


TouchedBy = tuple[str, ...] | Mapping[str, tuple[str, ...]]
"""Columns of a gold table's key, by their own names or each with those that may hold its value."""
OPTIONAL: Mapping[str, object] = {
    "archive_days": None,
    "arrival": None,
    "expect": None,
    "history": False,
    "lateness_days": None,
    "partition_by": (),
    "person": None,
    "references": {},
    "stream": False,
}
"""Keys of a table that its canonical JSON leaves out where they say nothing."""


class DeclarationError(ValueError):
    """A declaration that can't be used; the message names file, key and what to do."""


@dataclass(frozen=True)
class Column:
    """One column of a silver or gold table, in the order of the contract."""

    name: str
    type: str
    description: str
    required: bool = False


@dataclass(frozen=True)
class Source:
    """One bronze table: the files below `raw/<path>/`, and the fields that their records declare.

    `lateness_days`: keys below `path` begin with `YYYY/MM/DD/`, and a day's files come at most that many days after
    the newest day seen; listing then doesn't grow with history. Without it every run lists all keys.
    `archive_days`: files are copied to `archive/<path>/` once silver has published their records, and the copies kept
    so long. Without it nothing is archived.
    `person`: the field that says whose a record is, so that a person can be erased.
    `stream`: records come one by one through a stream, which Firehose delivers to `raw/<path>/YYYY/MM/DD/HH/`.
    """

    name: str
    description: str
    path: str
    format: str
    fields: tuple[str, ...]
    lateness_days: int | None = None
    archive_days: int | None = None
    person: str | None = None
    stream: bool = False


@dataclass(frozen=True)
class Arrival:
    """How late a record may come: by its file's time at most so many days after the moment in a column."""

    column: str
    days: int


@dataclass(frozen=True)
class SilverTable:
    """One silver table: one row per key, the newest version by `newest_by`, then file time, then record id.

    `history`: one row per version of a key instead; `newest_by` is the moment from which it holds.
    `references`: silver tables, each with the columns that are its key and stand here too. A record isn't admitted
    before each of these tables holds its row; where one of the columns is null, there is nothing to wait for.
    `person`: the column that says whose a row is; its source says the same of its records.
    `arrival`: records that come later are rejected, so a commit looks at no row that is older.
    `partition_by`: columns by whose values its files lie in folders.
    """

    name: str
    description: str
    reads: str
    key: tuple[str, ...]
    newest_by: tuple[str, ...]
    columns: tuple[Column, ...]
    rules: Mapping[str, str]
    history: bool = False
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    person: str | None = None
    arrival: Arrival | None = None
    partition_by: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns that tell its rows apart."""
        return (*self.key, *self.newest_by) if self.history else self.key


@dataclass(frozen=True)
class Expectation:
    """That a gold table is written at least once in so many hours, from at least so many new rows of silver."""

    hours: int
    rows: int


@dataclass(frozen=True)
class GoldTable:
    """One gold table: a pure function of silver tables, recomputed where `touched_by` says that a change matters.

    `touched_by` maps each table read to columns that it shares with the key: a changed row there touches the groups
    with its values. A mapping instead of columns: of the key's columns, each to the columns there any of which may hold
    its value. None ("all" in YAML): any change touches every group.
    `partition_by`: columns of the key by whose values its files lie in folders.
    `expect`: what is alarmed when it doesn't hold.
    """

    name: str
    description: str
    reads: tuple[str, ...]
    key: tuple[str, ...]
    touched_by: Mapping[str, TouchedBy | None]
    columns: tuple[Column, ...]
    partition_by: tuple[str, ...] = ()
    expect: Expectation | None = None


@dataclass(frozen=True)
class Pipeline:
    """All that exists of one pipeline: its sources (bronze), silver and gold tables by name.

    A silver table comes after those that it references. `orchestrator`: what runs the layers one after the other. When
    files have landed: a workflow of Glue or a state machine of Step Functions. By the clock: `schedules`, each hour up
    to silver, each day gold.
    """

    name: str
    description: str
    bronze: Mapping[str, Source]
    silver: Mapping[str, SilverTable]
    gold: Mapping[str, GoldTable]
    orchestrator: str = "glue_workflow"

    @property
    def holds_persons(self) -> bool:
        """Whether it says of records whose they are."""
        return any(source.person for source in self.bronze.values())

    def canonical_json(self) -> str:
        """The declaration as JSON with one spelling: the build product that jobs and Terraform read."""
        document = dataclasses.asdict(self)
        for section in ("bronze", "silver", "gold"):
            for table in document[section].values():
                del table["name"]
        for gold in document["gold"].values():
            for column in gold["columns"]:
                del column["required"]  # gold is computed, not given: nothing there can be missing
            gold["touched_by"] = {name: "all" if by is None else by for name, by in gold["touched_by"].items()}
        for table in (table for section in ("bronze", "silver", "gold") for table in document[section].values()):
            for key in [key for key, nothing in OPTIONAL.items() if table.get(key, ...) == nothing]:
                del table[key]
        if document["orchestrator"] == "glue_workflow":
            del document["orchestrator"]
        del document["name"]
        return json.dumps(document, indent=1, ensure_ascii=False)


def check_functions(pipeline: Pipeline, script: ModuleType) -> None:
    """Stops unless the script has exactly one function per table, with the parameters that the declaration names."""

    def error(name: str, problem: str) -> DeclarationError:
        return DeclarationError(f"{pipeline.name}.py: {name}: {problem}")

    functions = {
        name: function
        for name, function in vars(script).items()
        if inspect.isfunction(function) and function.__module__ == script.__name__ and not name.startswith("_")
    }
    expected = {
        **dict.fromkeys(pipeline.silver, ("bronze",)),
        **{name: table.reads for name, table in pipeline.gold.items()},
    }
    for name in sorted(expected.keys() - functions.keys()):
        raise error(name, f"{pipeline.name}.yaml declares this table, but the script has no function of that name")
    for name in sorted(functions.keys() - expected.keys()):
        raise error(
            name,
            f"{pipeline.name}.yaml declares no table of that name; begin the name of an inner function with _",
        )
    for name, reads in expected.items():
        parameters = tuple(inspect.signature(functions[name]).parameters)
        if sorted(parameters) != sorted(reads):
            raise error(
                name,
                f"has the parameters ({', '.join(parameters)}), the declaration says ({', '.join(reads)})",
            )
