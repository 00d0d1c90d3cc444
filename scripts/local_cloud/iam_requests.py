"""What IAM asks of a request, where MiniStack asks less or something else.

A role's boundary is a condition (`iam:PermissionsBoundary`) of the calls that make it or give it rights. Who hands a
role to a service needs `iam:PassRole` on it, bound to that service. What calls a function is bound to that function,
and who puts metrics to their namespace.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ministack.core import iam_actions
from ministack.services import iam

from local_cloud.replacements import replace, require

BOUNDED = {
    *("AttachRolePolicy", "CreateRole", "DeleteRolePermissionsBoundary", "DeleteRolePolicy", "DetachRolePolicy"),
    *("PutRolePermissionsBoundary", "PutRolePolicy"),
}
"""The calls about roles that know the condition."""
PASSING = {"events", "firehose", "glue", "lambda", "scheduler", "states"}
"""Services that are handed roles, in the body of a request."""
SETTING = ("Create", "Put", "Update")
"""What the names of calls begin with that set up what a service does; others hold texts of people's own."""
INVOKE_CONFIG = {"GET": "Get", "PUT": "Put", "POST": "Update", "DELETE": "Delete"}
PASSED = "oakvale:PassedRoles"
"""Where a request's context keeps the roles that it hands on, until IAM is asked about them."""


def install() -> None:
    """Puts this part into MiniStack."""
    require(iam, "_roles")
    parameters = ("service", "iam_action", "body", "params")

    def request_tag_context(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = original(service, iam_action, body, params)
        operation = iam_action.partition(":")[2]
        if service == "iam":
            return context | _boundary(operation, params)
        if operation == "CreateEventSourceMapping":
            # By its ARN, which is how Terraform names it.
            return context | {"lambda:FunctionArn": _document(body).get("FunctionName", "")}
        if operation == "PutMetricData":
            return context | {"cloudwatch:namespace": _document(body).get("Namespace", "")}
        if service in PASSING and operation.startswith(SETTING) and (roles := list(_roles(_document(body)))):
            return context | {PASSED: roles}
        return context

    original = replace(iam_actions, "request_tag_context", request_tag_context, parameters=parameters)
    _replace_lambda_action()


def _replace_lambda_action() -> None:
    """Tells the calls about mappings and about what becomes of failed calls from others with a like address."""

    def lambda_action(method: str, path: str) -> str | None:
        parts = [part for part in path.split("/") if part]
        verb = {"GET": "Get", "PUT": "Update", "DELETE": "Delete"}.get(method)
        if verb and len(parts) > 2 and parts[1] == "event-source-mappings":
            return f"{verb}EventSourceMapping"
        if parts[-1] == "event-invoke-config":
            return f"{INVOKE_CONFIG[method]}FunctionEventInvokeConfig"
        found: str | None = original(method, path)
        return found

    original = replace(iam_actions, "_lambda_action", lambda_action, parameters=("method", "path"))


def passes(service: str, context: dict[str, Any] | None) -> list[tuple[str, str, dict[str, Any]]]:
    """The rights that a request needs for the roles that it hands to a service: action, role, what conditions see."""
    to_service = {"iam:PassedToService": f"{service}.amazonaws.com"}
    return [("iam:PassRole", role, to_service) for role in (context or {}).get(PASSED, [])]


def _boundary(operation: str, params: dict[str, Any]) -> dict[str, str]:
    if operation not in BOUNDED:
        return {}
    named = _first(params, "PermissionsBoundary")
    boundary = named or iam._roles.get(_first(params, "RoleName"), {}).get("PermissionsBoundary")
    return {"iam:PermissionsBoundary": boundary} if boundary else {}


def _first(params: dict[str, Any], name: str) -> str:
    found = params.get(name, "")
    return str(found[0] if isinstance(found, list) and found else found or "")


def _document(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError:
        return {}  # the service itself refuses it


def _roles(document: Any) -> Iterator[str]:
    """Every role that a request names, however deep: a job's, a target's, a schedule's."""
    if isinstance(document, list):
        for item in document:
            yield from _roles(item)
    elif isinstance(document, dict):
        for name, value in document.items():
            if isinstance(value, str) and name.lower() in ("role", "rolearn") and ":role/" in value:
                yield value
            else:
                yield from _roles(value)
