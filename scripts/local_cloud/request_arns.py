"""Which resource a request of a deployment is about, as AWS documents it, where MiniStack knows none or another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

KNOWN_BETTER = {"athena", "events", "kms", "lambda", "monitoring", "scheduler", "sns", "sqs", "states"}
TAGGED = ("ResourceARN", "ResourceArn", "resourceArn")
"""How services call what is tagged."""


def resource_arn(
    found: str, service: str, path: str, body: bytes, query: Mapping[str, Any], region: str, account: str
) -> str:
    """The ARN of what a request is about; `found` is MiniStack's own."""
    if service not in KNOWN_BETTER:
        return found
    request = _parameters(body, query)
    here = f"arn:aws:{service}:{region}:{account}"
    if service == "events" and (rule := request.get("Rule") or request.get("Name")):
        return f"{here}:rule/{rule}"  # on the default bus a rule's ARN doesn't name the bus
    if service == "scheduler" and "schedules" in path.split("/"):
        group = request.get("GroupName") or request.get("groupName") or "default"
        return f"{here}:schedule/{group}/{path.rpartition('/')[2]}"
    if found != "*":
        return found
    if service == "scheduler" and path.startswith("/tags/"):
        return unquote(path.removeprefix("/tags/"))
    if named := next((request[name] for name in TAGGED if name in request), None):
        return str(named)
    return _made(service, request, here)


def _made(service: str, request: Mapping[str, Any], here: str) -> str:
    """The ARN that a new thing will have."""
    if service == "athena" and "Name" in request:
        return f"{here}:workgroup/{request['Name']}"
    if service == "kms" and "AliasName" in request:
        return f"{here}:{request['AliasName']}"
    if service == "lambda" and "Runtime" in request:
        return f"{here}:function:{request['FunctionName']}"
    return "*"


def _parameters(body: bytes, query: Mapping[str, Any]) -> dict[str, Any]:
    """What a request says, in its body or its address."""
    said = {name: value[0] if isinstance(value, list) and value else value for name, value in query.items()}
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return said  # a form, which the query has already, or what the service itself refuses
    return said | document if isinstance(document, dict) else said
