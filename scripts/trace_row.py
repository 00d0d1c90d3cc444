"""Traces a gold or silver row to its raw records: `make trace TABLE=movies_by_genre KEY=genre=Drama`."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

import lineage
import query
from athena_sql import QueryError
from environments import DeployError
from lakehouse.declaration import DeclarationError, SilverTable
from lakehouse.reader import read
from lineage import Lake

PIPELINES = Path(__file__).resolve().parent.parent / "glue_scripts" / "pipelines"


def open_folder(folder: Path) -> Lake:
    """A lake in a folder, asked through DuckDB."""
    databases = {layer: query.LAYERS[layer][0] for layer in ("bronze", "silver", "gold")}
    return Lake(partial(query.query, query.connect(folder)), databases)


def open_environment(environment: str) -> Lake:
    """The lake of a deployed environment, asked through its Athena."""
    import athena_client  # not at the top: a lake in a folder needs no AWS library
    import deployment

    deployed = deployment.connect(environment)
    databases = deployed.outputs["databases"]
    asked = partial(athena_client.query, deployed.client("athena"), deployed.outputs["workgroup"], databases["gold"])
    return Lake(asked, databases)


def show(lake: Lake, table: str, key: list[str]) -> None:
    """Prints the row, then where it comes from, table by table."""
    target = lineage.find_table(table, [read(path) for path in sorted(PIPELINES.glob("[a-z]*.yaml"))])
    values = lineage.read_key(key, target.table)
    print(target)
    query.show(lineage.find_row(lake, target, values))
    for origins in lineage.find_origins(lake, target, values):
        shown = len(origins.rows.rows)
        first = f", the first {shown} here" if shown < origins.count else ""
        rows = f"{origins.count:,} row{'' if origins.count == 1 else 's'}{first}"
        print(f"\nsilver.{origins.table} ({origins.condition}): {rows}")
        print("raw_file is a key in the lake; record is the place in that file, the first being 0")
        query.show(origins.rows)
        if isinstance(target.table, SilverTable):
            print(f"\nbronze.{target.table.reads}: the record as text")
            query.show(lineage.find_bronze_row(lake, target.table, origins))


def main() -> int:
    """Command line: exit code 2 and one clear message when table, key, lake or environment is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", required=True, help="a gold or silver table, such as movies_by_genre")
    parser.add_argument("--key", required=True, action="append", help="column=value; several with commas, or repeated")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--lake", type=Path, help="the folder of a lake on this machine")
    place.add_argument("--environment", help="a deployed environment: local, dev, staging or production")
    options = parser.parse_args()
    try:
        lake = open_folder(options.lake) if options.lake else open_environment(options.environment)
        show(lake, options.table, options.key)
    except (QueryError, DeclarationError, DeployError, BotoCoreError, ClientError) as error:
        print(f"error: {query.printable(error)}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
