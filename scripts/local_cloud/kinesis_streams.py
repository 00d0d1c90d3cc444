"""Kinesis' streams, with what MiniStack forgets of them: their tags, which each plan would add, and who made them.

A client that gets no answer in time, as from a machine with much to do, sends its call again, with the same id. A
stream that this call has made already is its own, so it isn't told that there is one.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from ministack.core.responses import json_response
from ministack.services import kinesis

from local_cloud.replacements import replace, require

_call: ContextVar[str] = ContextVar("kinesis_call", default="")
_makers: dict[str, str] = {}
"""By the ARN of a stream the id of the call that has made it."""


def install() -> None:
    """Puts this part into MiniStack."""
    require(kinesis, "_streams")

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query_params: Any) -> Any:
        _call.set(headers.get("amz-sdk-invocation-id", ""))
        return await answer_to(method, path, headers, body, query_params)

    def create(data: dict[str, Any]) -> Any:
        known = kinesis._streams.get(data.get("StreamName"))
        if known and _call.get() and _makers.get(known["StreamARN"]) == _call.get():
            return json_response({})
        answer = original(data)
        if answer[0] == 200:
            made = kinesis._streams[data["StreamName"]]
            made["tags"].update(data.get("Tags", {}))
            _makers[made["StreamARN"]] = _call.get()
        return answer

    parameters = ["method", "path", "headers", "body", "query_params"]
    answer_to = replace(kinesis, "handle_request", handle, parameters=parameters)
    original = replace(kinesis, "_create_stream", create, parameters=["data"])
