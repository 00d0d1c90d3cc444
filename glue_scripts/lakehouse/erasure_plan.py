"""What an erasure is going to take away, found before anything changes and kept until all is done.

The plan lies in the lake as `erasures/<pipeline>/pending.json`. While it is there, no other run begins; an erasure that
ended early is finished by it, since what it has taken away already can't be found again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from lakehouse import bronze, persons
from lakehouse.declaration import Pipeline, Source
from lakehouse.discovery import File, Ledger
from lakehouse.inspection import Inspection
from lakehouse.persons import Keys
from lakehouse.raw_erasure import ROOTS, ErasureError, Rewrite, planned
from lakehouse.rebuilt import hops_beside
from lakehouse.silver_hop import SilverHop
from lakehouse.storage import Storage
from lakehouse.tables import Run, Table

NOWHERE = 0
"""In place of the batch of a file that is looked into as it lies there."""


@dataclass(frozen=True)
class Plan:
    """One erasure. `person` is a hash, `rows` counts by table, `batches` has files with their batch in bronze.

    `records`: by bronze table the identities of the records. `unsearched`: files that no one can read.
    """

    erasure: str
    begun: str
    salt: str
    person: str
    records: dict[str, list[str]] = field(default_factory=dict)
    batches: list[list[Any]] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    files: list[Rewrite] = field(default_factory=list)
    unsearched: list[str] = field(default_factory=list)

    def is_of(self, person: str) -> bool:
        """Whether it is this person's erasure."""
        return self.person == sealed(person, self.salt)

    @property
    def is_empty(self) -> bool:
        """Whether nothing of the person is there."""
        return not self.files and not any(self.rows.values())


def sealed(person: str, salt: str) -> str:
    """A hash by which a record can be told to be of a person whose id is known; slow, since ids can be guessed."""
    return hashlib.scrypt(person.encode(), salt=bytes.fromhex(salt), n=1 << 14, r=8, p=1, dklen=32).hex()


def read_plan(lake: Storage, pipeline: Pipeline) -> Plan | None:
    """The plan of the erasure that isn't finished; None: there is none."""
    found = lake.read(plan_key(pipeline)) if pipeline.holds_persons else None
    if found is None:
        return None
    written = json.loads(found[0])
    return Plan(**{**written, "files": [Rewrite(**each) for each in written["files"]]})


def write_plan(lake: Storage, pipeline: Pipeline, plan: Plan) -> None:
    """Keeps the plan, before the first change."""
    lake.write(plan_key(pipeline), json.dumps(asdict(plan)).encode())


def plan_key(pipeline: Pipeline) -> str:
    """Where the plan lies."""
    return f"erasures/{pipeline.name}/pending.json"


def refuse_unfinished(lake: Storage, pipeline: Pipeline) -> None:
    """Raises ErasureError while an erasure is under way that has ended early."""
    if plan := read_plan(lake, pipeline):
        raise ErasureError(
            f"the erasure that run {plan.erasure} has begun isn't finished: "
            f"`make erase PIPELINE={pipeline.name} PERSON=...` with the same person finishes it"
        )


def make_plan(run: Run, pipeline: Pipeline, script: ModuleType, person: str) -> Plan:
    """Looks for a person's records in all raw files and in bronze, parents first; nothing changes."""
    salt = os.urandom(16).hex()
    plan = Plan(run.run_id, datetime.now(UTC).isoformat(), salt, sealed(person, salt))
    hops = {hop.table.name: hop for hop in hops_beside(run, pipeline, script)}
    ledger, vanished = Ledger(run, pipeline), dict[str, Keys]()
    raw, ids = dict[str, list[File]](), defaultdict[str, set[str]](set)
    places: dict[str, set[int]] = defaultdict(set)
    batches = set[tuple[str, int]]()
    for name, declared in persons.concerned(pipeline).items():
        hop, source = hops[name], pipeline.bronze[declared.reads]
        if source.name not in raw:
            raw[source.name] = _raw_files(run, ledger, source)
            unread = [file.stored.key for file in raw[source.name] if file.inspection.outcome == "unreadable"]
            plan.unsearched.extend(unread)
        keys = set()
        for row in _find(hop, source, raw[source.name], person, vanished):
            keys.add(tuple(row)[: len(declared.key)])
            if row["_batch"] == NOWHERE:
                places[row["_file"]].add(int(row["_record_id"].rpartition("-")[2]))
            else:
                ids[source.name].add(row["_record_id"])
                batches.add((row["_file"], row["_batch"]))
        if hop.table.exists() and any(name in other.references for other in pipeline.silver.values()):
            vanished[name] = persons.without(hop, sorted(ids[source.name])).vanishing(keys) if keys else set()
    plan.batches.extend([file, batch] for file, batch in sorted(batches))
    plan.records.update({source: sorted(found) for source, found in ids.items()})
    for name in persons.concerned(pipeline):
        plan.rows.update(_count(hops[name], plan.records.get(hops[name].bronze.name, [])))
    files = {file.stored.key: file for found in raw.values() for file in found}
    plan.files.extend(planned(run, pipeline, files[key], found) for key, found in sorted(places.items()))
    return plan


def _raw_files(run: Run, ledger: Ledger, source: Source) -> list[File]:
    """All files of a source, known or not, and their copies, with what is found in them."""
    listed = [stored for root in ROOTS for stored in run.raw.list(f"{root}/{source.path}/")]
    return ledger.look_into(
        [File(NOWHERE, source.name, each, each.modified_at, Inspection("found")) for each in listed]
    )


def _find(hop: SilverHop, source: Source, files: list[File], person: str, vanished: dict[str, Keys]) -> list[Row]:
    """The person's records in files as they lie there, and in bronze."""
    with bronze.in_pieces(hop.run.spark):
        records = bronze.records(hop.run, source, [file for file in files if file.inspection.outcome == "read"])
        if hop.bronze.exists():
            records = records.unionByName(hop.bronze.load())
        return persons.find(hop, source, records, person, vanished).collect()


def _count(hop: SilverHop, ids: list[str]) -> dict[str, int]:
    """How many rows of each table of a hop come from some records."""
    tables = [each for each in tables_of(hop) if each.exists()]
    counted = {table.key: 0 for table in tables}
    if not ids:
        return counted
    origin = [each.load().select("_record_id", F.lit(each.key).alias("table")) for each in tables]
    rows = functools.reduce(DataFrame.unionByName, origin).join(
        persons.without(hop, ids).gone, "_record_id", "left_semi"
    )
    return counted | dict(rows.groupBy("table").count().collect())


def tables_of(hop: SilverHop) -> list[Table]:
    """The tables that hold rows of a hop's records: silver last, since what waits is counted for it."""
    return [hop.bronze, hop.quarantine.rejects, hop.quarantine.events, hop.table]
