"""Shows which gold rows of a lake the code as it stands here would change: `make preview PIPELINE=movies LAKE=folder`.

Silver and gold are computed from the served bronze, beside the served tables, and held against them. Nothing of the
lake changes.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

import progress
import run

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SAMPLES = 20
"""Rows shown of each gold table."""
OTHER_FIELDS = (
    "; rows can't be computed from fields that it lacks: `make replay PIPELINE=name` rebuilds it and compares"
)
KINDS = {"new": "green", "gone": "red", "changed": "yellow"}


@dataclass
class Change:
    """What becomes of one gold table: how many rows of each kind, and some of them, each with what is other in it."""

    table: str
    counts: dict[str, int]
    samples: list[tuple[str, str, str]] = field(default_factory=list)


def preview(pipeline_name: str, lake: Path) -> Iterator[Change]:
    """Computes silver and gold beside the served tables, and compares each gold table."""
    from lakehouse import gold, job, layers  # not at the top: Spark reads its environment when it is imported
    from lakehouse.beside import Beside
    from lakehouse.bronze import bronze_table
    from lakehouse.lease import Lease
    from lakehouse.session import open_session
    from lakehouse.storage import FolderStorage
    from lakehouse.tables import Run

    script, pipeline = importlib.import_module(f"pipelines.{pipeline_name}"), job.find_declaration(pipeline_name)
    storage, run_id = FolderStorage(lake), uuid.uuid4().hex
    with tempfile.TemporaryDirectory(dir=lake, prefix="preview-") as folder:
        apart = Beside(storage, Path(folder).name, ("bronze/", f"gates/{pipeline_name}/bronze.json"))
        with Lease(apart, pipeline_name, "preview", run_id) as lease:
            beside = Run(open_session(), apart, storage, lease, run_id, job.code_of(pipeline, script))
            for source in pipeline.bronze.values():
                if (bronze := bronze_table(beside, source)).exists():
                    bronze.check(bronze.load(), "the stored table", OTHER_FIELDS)
            for layer in (layers.run_silver, layers.run_gold):
                layer(beside, pipeline, script, layers.Report(), "recent")
            for declared in pipeline.gold.values():
                computed, served = (gold.gold_table(each, declared) for each in (beside, replace(beside, lake=storage)))
                now = computed.load()
                yield compare(declared.name, served.load() if served.exists() else now.limit(0), now, declared.key)


def compare(table: str, served: DataFrame, computed: DataFrame, key: tuple[str, ...]) -> Change:
    """How the rows of a table would differ, by its key; columns that only one side has are told by name."""
    from pyspark.sql import functions as F

    both = [name for name in computed.columns if name in served.columns]
    (before, now) = (frame.select(F.struct(*both).alias(side)) for frame, side in ((served, "s"), (computed, "c")))
    same_key = F.lit(True)
    for name in key:
        same_key = same_key & F.col(f"s.{name}").eqNullSafe(F.col(f"c.{name}"))
    kind = F.when(F.col("s").isNull(), "new").when(F.col("c").isNull(), "gone").otherwise("changed")
    differing = before.join(now, same_key, "full_outer").where(~F.col("s").eqNullSafe(F.col("c")))
    differing = differing.withColumn("kind", kind).withColumn("row", F.coalesce("c", "s"))
    counts = {row["kind"]: row["count"] for row in differing.groupBy("kind").count().collect()}
    rows = differing.orderBy(*(f"row.{name}" for name in key)).limit(SAMPLES).collect()
    told = [(row["kind"], _named(row["row"], key), _difference(row["s"], row["c"], both)) for row in rows]
    others = sorted(set(served.columns) ^ set(computed.columns))
    told += [("changed", f"column {name}", "is new" if name in computed.columns else "is gone") for name in others]
    return Change(table, {each: counts.get(each, 0) for each in KINDS}, told)


def _named(row: Any, key: tuple[str, ...]) -> str:
    return ", ".join(f"{name}={row[name]}" for name in key)


def _difference(before: Any, now: Any, columns: list[str]) -> str:
    if before is None or now is None:
        return ""
    return ", ".join(f"{name}: {before[name]} -> {now[name]}" for name in columns if before[name] != now[name])


def show(console: Console, change: Change) -> None:
    """Prints what becomes of one gold table."""
    counts = ", ".join(f"{count:,} {kind}" for kind, count in change.counts.items())
    console.print(f"{change.table}: {counts} rows", markup=False, highlight=False)
    for kind, row, difference in change.samples:
        line = f"  {kind}: {row}" + (f": {difference}" if difference else "")
        console.print(line, style=KINDS[kind], markup=False, soft_wrap=True)
    if (more := sum(change.counts.values()) - SAMPLES) > 0:
        console.print(f"  and {more:,} more", markup=False)


def main() -> int:
    """Command line; exit code 1 when the code as it stands can't be run."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = sorted(path.stem for path in run.PIPELINES.glob("[a-z]*.yaml"))
    parser.add_argument("--pipeline", required=True, choices=names)
    parser.add_argument("--lake", required=True, type=Path, help="the lake's folder")
    options = parser.parse_args()
    console = progress.open_console()
    if not (options.lake / "bronze").is_dir():
        parser.error(
            f"{options.lake} holds no bronze tables: `make run PIPELINE={options.pipeline} LAKE=...` makes them"
        )
    try:
        run.prepare_spark()
        run.check_pipeline(options.pipeline)
        for change in preview(options.pipeline, options.lake.absolute()):
            show(console, change)
    except Exception as error:  # whatever it is, a person reads it here
        console.print(f"error: {type(error).__name__}: {error}", style="red", markup=False, highlight=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
