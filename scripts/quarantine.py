"""Shows a pipeline's open rejects by the check that they fail: `make quarantine`, of an environment or a folder."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError
from rich.console import Console
from rich.table import Table
from rich.text import Text

import athena_client
import deployment
import progress
import query
from athena_sql import QueryError
from environments import ROOT, DeployError
from lakehouse.declaration import PROBLEMS, WAITS, Pipeline, SilverTable, Source
from lakehouse.reader import read

PIPELINES = ROOT / "glue_scripts" / "pipelines"
SAMPLES = 3
LENGTH = 60
"""Characters shown of one value."""
NEXT = """Correct the rule or the code in {files}{deploy}, then: {then}
Any later run with other code tries open rejects again, too. What is wrong at its source comes again in a new file."""
WAITING = """What waits_for_ another table is admitted by itself, by the first run that finds its row there."""


def samples(table: str, fields: tuple[str, ...]) -> str:
    """Athena's SQL for the newest open rejects of each check, with how many there are.

    A reject is open unless its last try has readmitted it; what it fails is what it failed in that try.
    """
    values = ", ".join(f'rejects."{field}"' for field in fields)
    return f"""
        WITH tried AS (
            SELECT _record_id, max_by(status, attempt) AS status, max_by(_rules, attempt) AS rules
            FROM {table}_quarantine_events
            GROUP BY _record_id
        ), failed AS (
            SELECT rule, rejects._batch, rejects._record_id, rejects._file, rejects._original, {values}
            FROM {table}_quarantine AS rejects
            LEFT JOIN tried ON tried._record_id = rejects._record_id
            CROSS JOIN UNNEST(coalesce(tried.rules, rejects._rules)) AS checks (rule)
            WHERE tried.status IS NULL OR tried.status <> 'readmitted'
        ), placed AS (
            SELECT
                failed.*,
                row_number() OVER (PARTITION BY rule ORDER BY _batch DESC, _record_id) AS place,
                count(*) OVER (PARTITION BY rule) AS records,
                max(_batch) OVER (PARTITION BY rule) AS newest_batch
            FROM failed
        )
        SELECT * FROM placed WHERE place <= {SAMPLES} ORDER BY records DESC, rule, place"""


def telling_fields(rule: str, declared: SilverTable, source: Source) -> list[str]:
    """The columns of a reject that show why it fails a check: its key, and what the check looks at."""
    column = re.sub(r"_(missing|invalid)$", "", rule)
    words = {column, *re.findall(r"\w+", declared.rules.get(rule, ""))}
    words |= set(declared.references.get(rule.removeprefix(WAITS), ()))
    told = [field for field in source.fields if field in declared.key or field in words]
    return ["_original"] if rule in PROBLEMS else told


def rejects_table(declared: SilverTable, source: Source, found: query.Result) -> Table:
    """One row per sample: the check with its number of open rejects, the record, and its values."""
    table = Table(title=f"silver/{declared.name}: open rejects", title_justify="left")
    for name in ("check", "open", "newest batch", "record", "file", "values"):
        table.add_column(name, overflow="fold")
    for values in found.rows:
        row = dict(zip(found.columns, values, strict=True))
        told = (f"{field}={_short(row[field])}" for field in telling_fields(row["rule"], declared, source))
        first = int(row["place"]) == 1
        check = (row["rule"], f"{int(row['records']):,}", row["newest_batch"]) if first else ("", "", "")
        cells = (*check, row["_record_id"], row["_file"], ", ".join(told))
        table.add_row(*(Text(query.printable(cell)) for cell in cells))
    return table


def _short(value: object) -> str:
    text = query.printable(value)
    return text if len(text) <= LENGTH else f"{text[:LENGTH]}..."


def show(console: Console, pipeline: Pipeline, ask: Callable[[str], query.Result], place: str) -> None:
    """Prints the open rejects of each silver table, and what to do about them."""
    some = False
    for declared in pipeline.silver.values():
        source = pipeline.bronze[declared.reads]
        found = ask(samples(declared.name, source.fields))
        some = some or bool(found.rows)
        nothing = f"silver/{declared.name}: no open rejects"
        console.print(rejects_table(declared, source, found) if found.rows else nothing)
        if found.rows and declared.references:
            console.print(WAITING, markup=False, soft_wrap=True)
    if some:
        files = f"glue_scripts/pipelines/{pipeline.name}.yaml or {pipeline.name}.py"
        deploy = "" if place.startswith("LAKE=") else f", make apply {place}"
        then = f"make readmit PIPELINE={pipeline.name} {place}"
        console.print(NEXT.format(files=files, deploy=deploy, then=then), markup=False, soft_wrap=True)


def asker(options: argparse.Namespace) -> tuple[Callable[[str], query.Result], str]:
    """What answers queries on silver's tables, and how make is told the same place."""
    if options.lake:
        connection = query.connect(options.lake)
        schema, _ = query.LAYERS["silver"]
        return lambda sql: query.query(connection, sql, schema), f"LAKE={shlex.quote(str(options.lake))}"
    deployed = deployment.connect(options.environment)
    deployed.orchestrator(options.pipeline)
    athena, outputs = deployed.client("athena"), deployed.outputs

    def ask(sql: str) -> query.Result:
        return athena_client.query(athena, outputs["workgroup"], outputs["databases"]["silver"], sql)

    return ask, f"ENV={options.environment}"


def main() -> int:
    """Command line; exit code 2 and one clear message when there is nothing to ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = sorted(path.stem for path in PIPELINES.glob("[a-z]*.yaml"))
    parser.add_argument("--pipeline", required=True, choices=names)
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--lake", type=Path, help="the folder of a lake on this machine")
    place.add_argument("--environment", help="a deployed environment: local, dev, staging or production")
    options = parser.parse_args()
    try:
        ask, told = asker(options)
        show(progress.open_console(), read(PIPELINES / f"{options.pipeline}.yaml"), ask, told)
    except (QueryError, DeployError, BotoCoreError) as error:
        print(f"error: {query.printable(error)}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
