"""Reads a declaration: YAML (or its canonical JSON) -> checked objects.

One reader for the jobs, the build and the tests. It is strict: an unknown or missing key, an unknown type or name
stops at once with the file and the key, because a setting that is ignored silently is found only when the data is
wrong.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from lakehouse.clauses import read_arrival, read_days, read_expectation, read_partition_by, read_touched_by
from lakehouse.declaration import CHECKS, PROBLEMS, WAITS, Column, GoldTable, Pipeline, SilverTable, Source
from lakehouse.place import Place
from lakehouse.relations import check_person, check_reference, parents_first

RAW_PATH = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+)*")
TYPES = "string, boolean, int, bigint, double, date, timestamp, decimal(p,s)"
TYPE = re.compile(r"string|boolean|int|bigint|double|date|timestamp|decimal\((\d{1,2}),(\d{1,2})\)")
FORMATS = ("csv", "json")
ORCHESTRATORS = ("glue_workflow", "step_functions", "schedules")
MOMENTS = ("date", "timestamp")


def read(path: Path) -> Pipeline:
    """The declaration in a YAML or canonical JSON file; the file's name is the pipeline's name."""
    return parse(path.stem, path.read_text(encoding="utf-8"), path.name)


def parse(name: str, text: str, file: str) -> Pipeline:
    """The declaration in `text`; `file` is named in errors, and its suffix tells the language."""
    place = Place(file)
    if file.endswith(".json"):
        try:
            document = json.loads(text)
        except ValueError as error:
            raise place.error(f"not JSON: {error}") from error
    else:
        import yaml  # not at the top: the jobs read JSON, and Glue need not carry a YAML reader

        try:
            document = yaml.load(text, _unique_keys(yaml))
        except yaml.YAMLError as error:
            raise place.error(f"not YAML: {' '.join(str(error).split())}") from error
    body = place.mapping(document, {"description", "bronze", "silver", "gold"}, frozenset({"orchestrator"}))
    bronze = {n: _source(place.at(f"bronze.{n}"), n, b) for n, b in place.at("bronze").tables(body["bronze"]).items()}
    silver = {
        n: _silver(place.at(f"silver.{n}"), n, b, bronze) for n, b in place.at("silver").tables(body["silver"]).items()
    }
    silver = _related(place.at("silver"), silver, bronze)
    gold = {n: _gold(place.at(f"gold.{n}"), n, b, silver) for n, b in place.at("gold").tables(body["gold"]).items()}
    if "runs" in bronze:
        raise place.at("bronze.runs").error("is what the table of run records is called; choose another name")
    paths = [source.path for source in bronze.values()]
    for source in bronze.values():
        if (
            any(other != source.path and f"{source.path}/".startswith(f"{other}/") for other in paths)
            or paths.count(source.path) > 1
        ):
            raise place.at(f"bronze.{source.name}.path").error(
                "lies inside another source's path: its files would be read twice"
            )
        if source.path.split("/")[0] != name:
            raise place.at(f"bronze.{source.name}.path").error(f"must begin with the pipeline's name: {name}/...")
    if both := silver.keys() & gold.keys():
        raise place.at(f"gold.{min(both)}").error("a silver table has this name, and both are functions of one script")
    orchestrator = body.get("orchestrator", ORCHESTRATORS[0])
    if orchestrator not in ORCHESTRATORS:
        raise place.at("orchestrator").error(f"expected one of {', '.join(ORCHESTRATORS)}, found {orchestrator!r}")
    description = place.at("description").text(body["description"])
    return Pipeline(place.at("name").name(name), description, bronze, silver, gold, orchestrator)


def _unique_keys(yaml: ModuleType) -> Any:
    class Loader(yaml.SafeLoader):  # type: ignore[misc,name-defined]
        """SafeLoader keeps the last of two equal keys silently; this one refuses."""

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen = set()
            for key_node, _ in node.value:
                key = self.construct_object(key_node, deep=True)
                if key in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"key {key!r} stands twice", key_node.start_mark
                    )
                seen.add(key)
            return super().construct_mapping(node, deep)

    return Loader


def _source(place: Place, name: str, value: Any) -> Source:
    days_of = ("archive_days", "lateness_days")
    body = place.mapping(value, {"description", "path", "format", "fields"}, frozenset({*days_of, "person", "stream"}))
    path = place.at("path").text(body["path"])
    if not RAW_PATH.fullmatch(path):
        raise place.at("path").error(f"expected a path below raw/ such as retail/orders, found {path!r}")
    if body["format"] not in FORMATS:
        raise place.at("format").error(f"expected one of {', '.join(FORMATS)}, found {body['format']!r}")
    days = {key: read_days(place.at(key), body[key]) for key in days_of if body.get(key) is not None}
    description = place.at("description").text(body["description"])
    fields = place.at("fields").names(body["fields"])
    person = _person(place, body, dict.fromkeys(fields))
    stream = _stream(place.at("stream"), body.get("stream", False), body["format"])
    return Source(name, description, path, body["format"], fields, **days, person=person, stream=stream)


def _stream(place: Place, value: Any, form: str) -> bool:
    if not isinstance(value, bool):
        raise place.error(f"expected true or false, found {value!r}")
    if value and form != "json":
        raise place.error(
            f"a stream's records are written one a line, without a header: needs format json, found {form}"
        )
    return value


def _person(place: Place, body: dict[str, Any], known: Mapping[str, Any]) -> str | None:
    return place.at("person").names([body["person"]], known)[0] if "person" in body else None


def _columns(place: Place, value: Any, *, silver: bool) -> dict[str, Column]:
    if not isinstance(value, list) or not value:
        raise place.error("expected a list of columns; the order is part of the contract")
    # Tables may share columns by a YAML anchor; the alias is then a list inside the list.
    flat = [item for entry in value for item in (entry if isinstance(entry, list) else [entry])]
    columns: dict[str, Column] = {}
    for number, item in enumerate(flat):
        here = place.at(str(item["name"]) if isinstance(item, dict) and "name" in item else f"[{number}]")
        body = here.mapping(item, {"name", "type", "description"}, frozenset({"required"} if silver else ()))
        name = here.name(body["name"])
        if name in columns:
            raise here.error("stands twice")
        match = TYPE.fullmatch(str(body["type"]))
        if not match or (match[1] and not 1 <= int(match[1]) <= 38) or (match[2] and int(match[2]) > int(match[1])):
            raise here.at("type").error(f"unknown type {body['type']!r}; known: {TYPES}")
        if body.get("required", False) not in (True, False):
            raise here.at("required").error(f"expected true or false, found {body['required']!r}")
        description = here.at("description").text(body["description"])
        columns[name] = Column(name, body["type"], description, bool(body.get("required", False)))
    return columns


def _silver(place: Place, name: str, value: Any, bronze: Mapping[str, Source]) -> SilverTable:
    required = {"description", "reads", "key", "newest_by", "columns", "rules"}
    optional = frozenset({"arrival", "history", "partition_by", "person", "references"})
    body = place.mapping(value, required, optional)
    columns = _columns(place.at("columns"), body["columns"], silver=True)
    reads = place.at("reads").names([body["reads"]], bronze)[0]
    key = place.at("key").names(body["key"], columns)
    newest_by = place.at("newest_by").names(body["newest_by"], columns, empty=True)
    for column in (*key, *newest_by):
        if not columns[column].required:
            raise place.at(f"columns.{column}").error("is part of key or newest_by, so it needs `required: true`")
    history = _history(place, body.get("history", False), key, [columns[name] for name in newest_by])
    rules = _rules(place.at("rules"), body["rules"], columns)
    references = _references(place.at("references"), body.get("references", {}), columns)
    description = place.at("description").text(body["description"])
    given: dict[str, Any] = {"references": references, "person": _person(place, body, columns)}
    if "arrival" in body:
        given["arrival"] = read_arrival(place.at("arrival"), body["arrival"], columns, history=history)
    if "partition_by" in body:
        given["partition_by"] = read_partition_by(place.at("partition_by"), body["partition_by"], columns, columns)
    return SilverTable(
        name, description, reads, key, newest_by, tuple(columns.values()), rules, history=history, **given
    )


def _rules(place: Place, value: Any, columns: Mapping[str, Column]) -> dict[str, str]:
    if not isinstance(value, dict):
        raise place.error("expected a mapping of rule name to SQL condition (or {})")
    for rule, condition in value.items():
        place.at(str(rule)).name(rule)
        place.at(str(rule)).text(condition)
        of_column = functools.reduce(str.removesuffix, CHECKS, rule) in columns
        if rule in PROBLEMS or rule.startswith(WAITS) or of_column:
            raise place.at(rule).error("is a name that the engine gives by itself; choose another")
    return dict(value)


def _references(place: Place, value: Any, columns: dict[str, Column]) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise place.error(f"expected a mapping of a silver table to the columns that are its key, found {value!r}")
    return {place.at(str(n)).name(n): place.at(str(n)).names(by, columns) for n, by in value.items()}


def _related(place: Place, silver: dict[str, SilverTable], bronze: Mapping[str, Source]) -> dict[str, SilverTable]:
    """The silver tables, each after those that it references, when they fit each other and their sources."""
    for child in silver.values():
        if problem := check_person(child, bronze[child.reads]):
            raise place.at(f"{child.name}.person").error(problem)
        for parent in child.references:
            if problem := check_reference(child, parent, silver):
                raise place.at(f"{child.name}.references.{parent}").error(problem)
    ordered = parents_first(silver)
    if isinstance(ordered, str):
        raise place.error(ordered)
    return ordered


def _history(place: Place, value: Any, key: tuple[str, ...], newest_by: list[Column]) -> bool:
    if not isinstance(value, bool):
        raise place.at("history").error(f"expected true or false, found {value!r}")
    here, meaning = place.at("newest_by"), "is the moment from which a version holds, since this is a history;"
    if value and len(newest_by) != 1:
        found = ", ".join(column.name for column in newest_by) or "none"
        raise here.error(f"{meaning} expected exactly one column, found {found}")
    for column in newest_by if value else []:
        if column.type not in MOMENTS:
            raise here.error(f"{meaning} expected a date or timestamp, found {column.name} of type {column.type}")
        if column.name in key:
            raise here.error(
                f"{meaning} {column.name} can't be part of the key too: each version would have a key of its own"
            )
    return value


def _gold(place: Place, name: str, value: Any, silver: Mapping[str, SilverTable]) -> GoldTable:
    required = {"description", "reads", "key", "touched_by", "columns"}
    body = place.mapping(value, required, frozenset({"expect", "partition_by"}))
    columns = _columns(place.at("columns"), body["columns"], silver=False)
    reads = place.at("reads").names(body["reads"], silver)
    key = place.at("key").names(body["key"], columns)
    touched = place.at("touched_by").mapping(body["touched_by"], set(reads))
    grouped = {name: columns[name] for name in key}
    touched_by = {
        table: read_touched_by(place.at(f"touched_by.{table}"), by, grouped, {c.name: c for c in silver[table].columns})
        for table, by in touched.items()
    }
    given: dict[str, Any] = {}
    if "partition_by" in body:
        given["partition_by"] = read_partition_by(place.at("partition_by"), body["partition_by"], columns, key)
    if "expect" in body:
        given["expect"] = read_expectation(place.at("expect"), body["expect"])
    description = place.at("description").text(body["description"])
    return GoldTable(name, description, reads, key, touched_by, tuple(columns.values()), **given)
