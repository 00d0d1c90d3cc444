"""How functions that return an answer or raise a GlueError become handlers of the Glue service."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ministack.core.responses import error_response_json, json_response

from local_cloud.glue_runs import GlueError

Request = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]


def answer(handler: Callable[[Request], dict[str, Any]]) -> Callable[[Request], Response]:
    """Makes a handler of the service: what `handler` returns is the answer, a GlueError that it raises a refusal."""

    @wraps(handler)
    def answering(data: Request) -> Response:
        try:
            return json_response(handler(data))  # type: ignore[no-any-return]
        except GlueError as error:
            return error_response_json(error.code, error.message, 400)  # type: ignore[no-any-return]

    return answering
