"""A commit of a run that has been overtaken is refused: by what the table holds, or by Delta's transaction id."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lakehouse.delta_log import Commit
from lakehouse.tables import Run, SkippedCommit, Table, columns

pytestmark = pytest.mark.usefixtures("interpreted")
COLUMNS = columns(("number", "int", "."))


def append(run: Run, number: int, batch: int, overtaken_by: Run | None = None) -> Commit:
    """Appends a row as a hop of a batch; just before that, another run may append the same batch."""
    table = Table(run, "bronze", "numbers", COLUMNS).create()
    writer = run.spark.createDataFrame([(number,)], table.schema).write.format("delta").mode("append")

    def write() -> None:
        if overtaken_by:
            append(overtaken_by, -number, batch)
        writer.save(table.path)

    return table.commit({"hop": "bronze", "batch": batch}, write)


def test_an_overtaken_run_is_refused(run: Run) -> None:
    assert append(run, 1, batch=1).version == 1
    with pytest.raises(SkippedCommit, match=r"^bronze/numbers holds batch 1 already, from run test\. Run again\.$"):
        append(run, 2, batch=1)
    other = replace(run, run_id="other", spark=run.spark.newSession())
    with pytest.raises(SkippedCommit, match=r"^bronze/numbers: version 2 was written by another run; this run's write"):
        append(run, 3, batch=2, overtaken_by=other)
    table = Table(run, "bronze", "numbers", COLUMNS)
    assert sorted(row.number for row in table.load().collect()) == [-3, 1]
    newest = table.newest_hop()
    assert newest is not None
    assert (newest.version, newest.hop["run"], newest.hop["batch"]) == (2, "other", 2)
