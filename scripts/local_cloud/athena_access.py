"""Athena reads and writes with the rights of whoever asks, as on AWS; MiniStack only checks `athena:*`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from ministack.core import iam_actions, iam_evaluator, responses, router
from ministack.services import athena

from local_cloud.replacements import replace, require

# The key that a request is signed with. Tasks and threads that a request starts take it along.
_access_key: ContextVar[str] = ContextVar("athena_access_key", default="")
ROOT_KEY = "test"


class AccessDenied(Exception):
    """The caller may not do what the query needs; the message is AWS's own."""


def install() -> None:
    """Remembers each request's caller, and lets a policy name the workgroup of the query that a call is about."""
    require(router, "extract_access_key_id", ["headers", "query_params"])
    require(iam_evaluator, "resolve_credential", ["access_key_id", "account_id", "session_token"])
    require(iam_evaluator, "CredentialResolutionError", ["code", "message"])
    enforced = ["access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"]
    require(iam_evaluator, "enforce", enforced)
    require(iam_actions, "identity_denial_message")
    _remember_callers()
    _name_workgroups()


def _remember_callers() -> None:
    taken = ["method", "path", "headers", "body", "query_params"]
    original = require(athena, "handle_request", taken)

    async def handle_request(method: Any, path: Any, headers: Any, body: Any, query_params: Any) -> Any:
        _access_key.set(router.extract_access_key_id(headers, query_params))
        return await original(method, path, headers, body, query_params)

    replace(athena, "handle_request", handle_request, parameters=taken)


def _name_workgroups() -> None:
    taken = ["service", "method", "path", "headers", "body", "query_params", "region", "account_id"]
    original = require(iam_actions, "extract_resource_arn", taken)

    def extract_resource_arn(
        service: str, method: Any, path: Any, headers: Any, body: Any, query_params: Any, region: str, account_id: str
    ) -> Any:
        if service == "athena" and (resource := _athena_resource(body)):
            return f"arn:aws:athena:{region}:{account_id}:{resource}"
        return original(service, method, path, headers, body, query_params, region, account_id)

    replace(iam_actions, "extract_resource_arn", extract_resource_arn, parameters=taken)


def _athena_resource(body: bytes) -> str:
    """What a call is about when its body names no workgroup; empty when that can't be told."""
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        return ""
    if not isinstance(asked, dict) or "WorkGroup" in asked:
        return ""
    if catalog := asked.get("CatalogName"):
        return f"datacatalog/{catalog}"
    if "QueryString" in asked:
        return "workgroup/primary"
    known = (
        athena._executions.get(asked.get("QueryExecutionId")),
        athena._named_queries.get(asked.get("NamedQueryId")),
    )
    return next((f"workgroup/{each['WorkGroup']}" for each in known if each), "")


def variables() -> dict[str, str]:
    """The AWS_* variables of a client with the caller's keys."""
    found = iam_evaluator.resolve_credential(_access_key.get() or ROOT_KEY)
    if isinstance(found, iam_evaluator.CredentialResolutionError):
        raise AccessDenied(f"{found.message} ({found.code})")
    return {
        "AWS_ACCESS_KEY_ID": found.access_key_id,
        "AWS_SECRET_ACCESS_KEY": found.secret_access_key,
        **({"AWS_SESSION_TOKEN": found.session_token} if found.session_token else {}),
        "AWS_REGION": responses.get_region(),
        "AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"],
    }


def check_tables(tables: Iterable[tuple[str, str]]) -> None:
    """Stops unless the caller may see these tables (database, name) in the Glue catalog."""
    for database, name in tables:
        _check("glue:GetDatabase", "glue", "catalog", f"database/{database}")
        check_table("glue:GetTable", database, name)


def check_table(action: str, database: str, name: str) -> None:
    """Stops unless the caller may do this to a table of the Glue catalog."""
    _check(action, "glue", "catalog", f"database/{database}", f"table/{database}/{name}")


def check_result(location: str) -> None:
    """Stops unless the caller may read a result file."""
    _enforce("s3:GetObject", "s3", f"arn:aws:s3:::{location.removeprefix('s3://')}")


def _check(action: str, service: str, *resources: str) -> None:
    place = f"arn:aws:{service}:{responses.get_region()}:{responses.get_account_id()}"
    for resource in resources:
        _enforce(action, service, f"{place}:{resource}")


def _enforce(action: str, service: str, arn: str) -> None:
    denied = iam_evaluator.enforce(_access_key.get(), action, service, responses.get_region(), resource_arn=arn)
    if denied is None:
        return
    if isinstance(denied, iam_evaluator.AuthError):
        raise AccessDenied(f"{denied.message} ({denied.code})")
    explicit = denied.decision == "Deny"
    raise AccessDenied(iam_actions.identity_denial_message(action, denied.principal_arn, arn, explicit))
