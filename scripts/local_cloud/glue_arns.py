"""Which resources a Glue call needs rights on, as AWS documents it; MiniStack knows hardly any."""

from __future__ import annotations

import json
import re
from typing import Any

# Named by `Name`, where nothing else in the request says what it is.
NAMED = re.compile(
    r"(?:Create|Get|Update|Delete|Start|Stop|Resume|Put)(Job|Workflow|Trigger|Crawler|Connection)(?:Run.*)?"
)


def resource_arn(target: str, body: bytes, region: str, account: str) -> str:
    """The ARN of what a call is about; `*` when it is about no one thing. `target` is its header, `AWSGlue.GetTable`.

    Lists are about everything in their place: GetTables about `table/<database>/*`.
    """
    operation = target.rpartition(".")[2]
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return "*"  # the service itself refuses it
    if not isinstance(request, dict):
        return "*"
    if "ResourceArn" in request:
        return str(request["ResourceArn"])
    resource = _table(operation, request) or _database(operation, request) or _named(operation, request)
    return f"arn:aws:glue:{region}:{account}:{resource}" if resource else "*"


def needed_arns(operation: str, arn: str) -> list[str]:
    """All ARNs that a call about `arn` needs rights on: a thing of the catalog, and what contains it.

    Who deletes a database deletes what is in it, and needs the rights on that.
    """
    prefix, _, resource = arn.rpartition(":")
    kind, _, name = resource.partition("/")
    above = {
        "table": [f"{prefix}:catalog", f"{prefix}:database/{name.partition('/')[0]}"],
        "database": [f"{prefix}:catalog"],
        "connection": [f"{prefix}:catalog"],
    }
    below = ("table", "userDefinedFunction") if operation == "DeleteDatabase" else ()
    return [*above.get(kind, []), arn, *(f"{prefix}:{inside}/{name}/*" for inside in below)]


def _table(operation: str, request: dict[str, Any]) -> str:
    database = request.get("DatabaseName")
    if operation in ("GetTable", "DeleteTable"):
        table = request.get("Name")
    elif operation in ("CreateTable", "UpdateTable"):
        table = request.get("TableInput", {}).get("Name")
    elif operation in ("GetTables", "BatchDeleteTable"):
        table = "*"
    else:
        table = request.get("TableName")  # partitions, versions, statistics
    return f"table/{database}/{table}" if database and table else ""


def _database(operation: str, request: dict[str, Any]) -> str:
    if operation == "CreateDatabase":
        database = request.get("DatabaseInput", {}).get("Name")
    elif operation in ("GetDatabase", "UpdateDatabase", "DeleteDatabase"):
        database = request.get("Name")
    elif operation in ("GetDatabases", "SearchTables"):
        database = "*"
    else:
        database = request.get("DatabaseName")
    return f"database/{database}" if database else ""


def _named(operation: str, request: dict[str, Any]) -> str:
    if "JobName" in request:
        return f"job/{request['JobName']}"
    if "CrawlerName" in request:
        return f"crawler/{request['CrawlerName']}"
    match = NAMED.fullmatch(operation)
    if match is None:
        return ""
    thing = request.get("ConnectionInput", request).get("Name")
    return f"{match[1].lower()}/{thing}" if thing else ""
