"""Row accounting: every record of every file is somewhere, or the batch isn't published.

    bronze rows  = rows before + records in files
    read         = entered + rejected (+ waiting, where the table has references)
    entered      = keys + duplicates
    keys         = inserted + updated + stale
    silver rows  = rows before + inserted

A history has a row for each version of a key, and its commit also closes versions that others now follow:

    entered           = versions + duplicates
    versions + closed = inserted + updated + stale

A commit that also tries open rejects says instead:

    read + reopened = entered + rejected (+ waiting) + rejected again (+ waiting again)
    reopened        = readmitted + rejected again (+ waiting again)

The two sides of an equation come from different places: another parser's count, the data as it lies there now, what
was observed while writing, and what the commit says of itself. The verdict is a gate object per layer: the next layer
reads up to the gate and no further, so a wrong batch stops there until it is repaired. A crash between commit and
verdict loses nothing: the next run checks whatever lies behind the gate.
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass, field
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse import delta_log
from lakehouse.delta_log import Commit, hop_commits
from lakehouse.discovery import File
from lakehouse.gate import State
from lakehouse.quarantine import ARRIVED
from lakehouse.references import is_waiting
from lakehouse.silver import count_again
from lakehouse.silver_hop import SilverHop
from lakehouse.tables import Table
from lakehouse.work import Work, work_of

REPAIR = (
    "set the tables back and run again: on a folder by `make repair PIPELINE=name LAKE=folder`, on Glue by a run of "
    "this job with the argument --mode repair and then a run of the workflow"
)


ENDED_EARLY = "Maybe a switch has ended early; then switch or migrate again. "


class Unbalanced(RuntimeError):
    """An equation doesn't hold; the message says which, where, and what to do."""


@dataclass(frozen=True)
class Equation:
    """One equation of one batch range and table; `left` and `right` are sums of the named terms."""

    name: str
    left: dict[str, int]
    right: dict[str, int]

    @property
    def balanced(self) -> bool:
        """Whether both sides are equal."""
        return sum(self.left.values()) == sum(self.right.values())

    def __str__(self) -> str:
        sides = (" + ".join(f"{count} {name}" for name, count in side.items()) for side in (self.left, self.right))
        return (" = " if self.balanced else " is not ").join(sides)


@dataclass(frozen=True)
class Account:
    """The equations of one commit of a table. `attempt`: the one at open rejects that it holds; 0 for none."""

    table: str
    version: int
    after: int
    to: int
    equations: list[Equation] = field(default_factory=list)
    hint: str = ""
    attempt: int = 0

    @property
    def taken(self) -> str:
        """What the commit has taken, in words."""
        batches = f"batches {self.after + 1} to {self.to}" if self.to > self.after else ""
        return ", ".join(filter(None, (batches, f"attempt {self.attempt}" if self.attempt else "")))

    @property
    def rows(self) -> int:
        """Rows of the table after the commit."""
        (counted,) = (each.left.values() for each in self.equations if each.name.endswith(" rows"))
        return sum(counted)

    def verify(self) -> None:
        """Raises Unbalanced unless all equations hold."""
        for equation in self.equations:
            if not equation.balanced:
                raise Unbalanced(
                    f"{self.table} version {self.version} ({self.taken}): {equation}. "
                    f"{self.hint}Nothing of it is published. When you know why, {REPAIR}."
                )

    def as_dict(self) -> dict[str, Any]:
        """For the run record."""
        return asdict(self)


def unverified(table: Table, published: State) -> tuple[State, list[Commit]]:
    """The commits behind what is published, oldest first, and what they build on (version -1: nothing).

    That is the published version itself, unless the table has been restored to an older one.
    """
    commits: list[Commit] = []
    for commit in hop_commits(table.run.lake, table.key):
        if commit.version <= published.version:
            older = not table.same_rows(commit.version, published.version)
            return State(commit.version, table.load(commit.version).count()) if older else published, commits[::-1]
        if not (commits and "switched" in commits[-1].hop):  # nothing is left of what was before a switch
            commits.append(commit)
    # The commit that makes a checkpoint may have taken the published one out of the log.
    cleaned_up = commits and published.version < delta_log.versions(table.run.lake, table.key)[0]
    return published if cleaned_up else State(-1, 0), commits[::-1]


def _count(**frames: DataFrame) -> dict[str, int]:
    """The rows of each frame, in one action."""
    counts = [frame.agg(F.lit(name).alias("name"), F.count(F.lit(1)).alias("rows")) for name, frame in frames.items()]
    return {row.name: row.rows for row in functools.reduce(DataFrame.unionByName, counts).collect()}


def bronze_account(table: Table, commit: Commit, before: int, files: list[File]) -> Account:
    """Records counted in the files of a batch against the rows in bronze. `before`: rows of the version built on."""
    batch = int(commit.hop["batch"])
    if "switched" in commit.hop:
        return Account(table.key, commit.version, 0, batch, [_switched(table, commit)], ENDED_EARLY)
    mine = [file for file in files if file.batch == batch and file.source == table.name]
    counted = {file.stored.key: file.inspection.records for file in mine if file.inspection.outcome == "read"}
    parts = {"rows before": before, "records in files": sum(counted.values())}
    equation = Equation("bronze rows", {"bronze rows": table.load(commit.version).count()}, parts)
    hint = "" if equation.balanced else _differing_files(table, commit, batch, counted)
    return Account(table.key, commit.version, batch - 1, batch, [equation], hint)


def _differing_files(table: Table, commit: Commit, batch: int, counted: dict[str, int]) -> str:
    rows = table.load(commit.version).where(F.col("_batch") == batch).groupBy("_file").count().collect()
    found = {row["_file"]: row["count"] for row in rows}
    wrong = [
        f"{key}: {records} records, {found.get(key, 0)} rows"
        for key, records in counted.items()
        if records != found.get(key, 0)
    ]
    return (
        f"Files that differ: {'; '.join(wrong[:5])}. Such a file can be moved out of raw/ before the repair. "
        if wrong
        else ""
    )


def silver_account(hop: SilverHop, commit: Commit, before: int, counted: dict[str, int]) -> Account:
    """The equations of one silver commit. `before`: rows of the version that it was built on.

    `counted`: what was observed while writing; else it is counted again.
    """
    if "switched" in commit.hop:
        return _switch_account(hop, commit)
    if not counted and commit.hop["code"] != hop.run.code:
        raise Unbalanced(
            f"{hop.table.key} version {commit.version} was written by other code than today's, and not checked then. "
            f"To go on, {REPAIR}."
        )
    work, entered = work_of(commit), commit.hop["counts"]["entered"]
    found = counted or count_again(hop, commit)
    inserted = commit.metrics.get("numTargetRowsInserted", commit.metrics.get("numOutputRows", 0))
    updated = commit.metrics.get("numTargetRowsUpdated", 0)
    unit, closed = ("versions", {"closed": found.get("closed", 0)}) if hop.declared.history else ("keys", {})
    rejects, waits = hop.quarantine.rejects_of(work.after, work.to), is_waiting("_rules")
    quarantined = {"rejected": rejects.where(~waits), "waiting": rejects.where(waits)}
    now = hop.table.load(commit.version).count()  # alone, Delta tells it from the log; with others it reads all files
    rows = _count(
        read=hop.bronze_rows(work.after, work.to),
        **(quarantined if hop.declared.references else {"rejected": rejects}),
    )
    read = rows.pop("read")
    equations = [
        *_judged_equations(hop, work, {"read": read}, {"entered": entered, **rows}),
        Equation("entered", {"entered": entered}, {unit: found["keys"], "duplicates": found["duplicates"]}),
        Equation(
            "keys",
            {unit: found["keys"], **closed},
            {"inserted": inserted, "updated": updated, "stale": found["stale"]},
        ),
        Equation("silver rows", {"silver rows": now}, {"rows before": before, "inserted": inserted}),
    ]
    attempt = work.attempts if work.reopens else 0
    return Account(hop.table.key, commit.version, work.after, work.to, equations, attempt=attempt)


def _switch_account(hop: SilverHop, commit: Commit) -> Account:
    """The equations of a commit that put a rebuilt table in the served one's place, its quarantine with it."""
    work = work_of(commit)
    still_open = hop.quarantine.open_rejects(work.to, work.attempts).count() if hop.quarantine.rejects.exists() else 0
    rejects = Equation("open rejects", {"open rejects": still_open}, {"rebuilt": commit.hop["switched"]["open"]})
    return Account(hop.table.key, commit.version, 0, work.to, [_switched(hop.table, commit), rejects], ENDED_EARLY)


def _switched(table: Table, commit: Commit) -> Equation:
    rebuilt = {"rows rebuilt": commit.hop["switched"]["rows"]}
    return Equation("switched rows", {"rows switched": table.load(commit.version).count()}, rebuilt)


def _judged_equations(hop: SilverHop, work: Work, taken: dict[str, int], judged: dict[str, int]) -> list[Equation]:
    """Every record that was taken is in silver's input, in quarantine, or still there."""
    if not work.reopens:
        return [Equation("read", taken, judged)]
    tried = hop.judged(work.attempt_alone) if work.tries == ARRIVED else hop.records(work.attempt_alone)
    reopened = {"reopened": tried.count()}
    events: dict[str, int] = dict(hop.quarantine.events_of(work.attempts).groupBy("status").count().collect())
    again = {"rejected again": events.get("rejected", 0)}
    if hop.declared.references:
        again |= {"waiting again": events.get("waiting", 0)}
    return [
        Equation("read", taken | reopened, judged | again),
        Equation("reopened", reopened, {"readmitted": events.get("readmitted", 0)} | again),
    ]
