"""Actions of services that AWS doesn't have, and that only the cloud's root may call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import error_response_json
from ministack.core.router import extract_access_key_id

from local_cloud.replacements import replace, require


def add(service: ModuleType, action: str, do: Callable[[bytes], Awaitable[Any]]) -> None:
    """Has a service of MiniStack answer one more action, from the body of its request."""
    require(iam_evaluator, "is_root_access_key", ["access_key_id"])

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]) -> Any:
        if headers.get("x-amz-target") != action:
            return await original(method, path, headers, body, query_params)
        key = extract_access_key_id(headers, query_params)
        if not key or not iam_evaluator.is_root_access_key(key):
            name = action.partition(".")[2]
            return error_response_json("AccessDeniedException", f"Only the cloud's root may call {name}", 400)
        return await do(body)

    parameters = ["method", "path", "headers", "body", "query_params"]
    original = replace(service, "handle_request", handle, parameters=parameters)
