"""IAM as AWS decides it, where MiniStack's decisions differ, and a record of every decision about a role.

`access.jsonl` in the cloud's folder tells what the roles of jobs and functions did and were refused: one
`{"role", "action", "resource", "allowed"}` a line. What a role is granted and never uses is missing there.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import s3, sts

from local_cloud import glue_arns, iam_requests, request_arns
from local_cloud.replacements import replace, require

ORIGIN = ("127.0.0.1", True)


class Decisions:
    """Decides about requests by the original `enforce`, asked for each right that AWS would ask for."""

    def __init__(self, original: Callable[..., Any], log: Path) -> None:
        self._original = original
        self._log = log.open("w", encoding="utf-8")
        self._lock = threading.Lock()

    def enforce(
        self,
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        """None when a request may go on, else what refuses it."""
        needed = _needed_rights(iam_action, service, resource_arn, service_context)
        for action, resource, context in [*needed, *iam_requests.passes(service, service_context)]:
            denied = self._original(access_key_id, action, service, region, resource, context)
            self._record(access_key_id, action, resource, denied)
            if denied is not None:
                return _explained(denied, service, action, resource)
        return None

    def _record(self, access_key_id: str, action: str, resource: str, denied: Any) -> None:
        role = iam_evaluator._role_name_from_assumed_arn(sts._sessions.get(access_key_id, {}).get("Arn", ""))
        if not role or isinstance(denied, iam_evaluator.AuthError):
            return  # root, a user, or credentials that are wrong whatever they ask for
        decision = {"role": role, "action": action, "resource": resource, "allowed": denied is None}
        with self._lock:
            self._log.write(json.dumps(decision) + "\n")
            self._log.flush()


def install() -> None:
    """Puts this part into MiniStack."""
    require(iam_evaluator, "_role_name_from_assumed_arn", ("assumed_arn",))
    require(iam_evaluator, "AuthError", ("code", "message", "details"))
    require(iam_actions, "identity_denial_message", ("action", "principal_arn", "resource", "explicit_deny"))
    require(sts, "_sessions")
    require(s3, "_buckets")
    _replace_enforce()
    _replace_extract_resource_arn()
    _make_transport_secure()
    iam_requests.install()


def _replace_enforce() -> None:
    parameters = ("access_key_id", "iam_action", "service", "region", "resource_arn", "service_context")
    original = require(iam_evaluator, "enforce", parameters)
    decisions = Decisions(original, Path(os.environ["OAKVALE_CLOUD_FOLDER"]) / "access.jsonl")
    replace(iam_evaluator, "enforce", decisions.enforce, parameters=parameters)


def _replace_extract_resource_arn() -> None:
    parameters = ("service", "method", "path", "headers", "body", "query_params", "region", "account_id")

    def extract_resource_arn(
        service: str, method: str, path: str, headers: Any, body: bytes, query_params: Any, region: str, account_id: str
    ) -> str:
        if service == "glue":
            return glue_arns.resource_arn(headers.get("x-amz-target", ""), body, region, account_id)
        found = str(original(service, method, path, headers, body, query_params, region, account_id))
        if service == "s3" and path.endswith("/") and "/" in found:
            return found + "/"  # MiniStack loses it, but `raw/in/` is below `raw/in/*` and `raw/in` is not
        return request_arns.resource_arn(found, service, path, body, query_params, region, account_id)

    original = replace(iam_actions, "extract_resource_arn", extract_resource_arn, parameters=parameters)


def _make_transport_secure() -> None:
    """Lets policies that demand TLS be: here is none, and nothing leaves the machine."""

    def pin_request_origin(source_ip: str, secure_transport: bool) -> None:
        original(source_ip, True)

    original = replace(app, "pin_request_origin", pin_request_origin, parameters=("source_ip", "secure_transport"))
    # What the cloud does by itself, as an event that goes to a topic, has no request and takes the default.
    require(iam_evaluator, "_request_origin")
    iam_evaluator._request_origin = ContextVar("ministack_request_origin", default=ORIGIN)


def _needed_rights(
    action: str, service: str, resource: str, context: dict[str, Any] | None
) -> list[tuple[str, str, dict[str, Any] | None]]:
    """The rights that AWS asks for: action, resource and what conditions see."""
    if service == "glue":
        operation = action.partition(":")[2]
        return [(action, arn, context) for arn in glue_arns.needed_arns(operation, resource)]
    if action == "s3:GetObject" and _is_absent(resource):
        # S3 tells only those that a key is absent who may read it and list the bucket. There is no prefix in such a
        # request: a condition on `s3:prefix` isn't met.
        return [(action, resource, context), ("s3:ListBucket", resource.partition("/")[0], {})]
    return [(action, resource, context)]


def _is_absent(object_arn: str) -> bool:
    bucket_name, _, key = object_arn.removeprefix("arn:aws:s3:::").partition("/")
    bucket = s3._buckets.get(bucket_name)
    return bucket is not None and key not in bucket["objects"]


def _explained(denied: Any, service: str, action: str, resource: str) -> Any:
    """A refusal whose message names the right that is missing and on what, as S3 and Glue do on AWS."""
    if service not in ("glue", "s3") or isinstance(denied, iam_evaluator.AuthError) or denied.resource_policy_arn:
        return denied
    explicit = denied.decision == "Deny"
    message = iam_actions.identity_denial_message(action, denied.principal_arn, resource, explicit)
    return iam_evaluator.AuthError("AccessDenied", message)
