"""A call that comes again is done once: it gets the answer that the first one got, whether that arrived or not.

AWS's clients give each call an id, and send it again with the same one when its answer doesn't reach them. On a machine
with much to do Terraform's provider sometimes breaks off a connection while an answer is on its way, one among some
thousands; of what that call had made it would be told that it exists already. Errors aren't kept: after one, the same
call is tried again. S3 is left out. A conditional write that comes again is refused there, and who writes must know
how to go on.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

from ministack import app

from local_cloud.replacements import replace

KEPT_CALLS, LARGEST = 500, 65_536
"""How many answers are kept, and the largest of them in bytes: what makes something has a small one."""
Answer = tuple[int, dict[str, str], Any]


def install() -> None:
    """Puts this part into MiniStack."""
    kept: OrderedDict[tuple[str, ...], asyncio.Future[Answer | None]] = OrderedDict()

    async def dispatch(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: Any, request_id: str
    ) -> Answer:
        call, caller = headers.get("amz-sdk-invocation-id", ""), headers.get("authorization", "")
        name = (call, method, path, caller.partition("/")[0])
        if not call or "/s3/aws4_request" in caller:
            return await original(method, path, headers, body, query_params, request_id)  # type: ignore[no-any-return]
        while (known := kept.get(name)) is not None:  # of those that wait for a call that fails, one takes its place
            if (answer := await asyncio.shield(known)) is not None:
                return answer[0], dict(answer[1]), answer[2]
        kept[name] = asyncio.get_running_loop().create_future()
        answer = None
        try:
            answer = await original(method, path, headers, body, query_params, request_id)
            return answer[0], dict(answer[1]), answer[2]
        finally:
            _keep(kept, name, answer)

    parameters = ["method", "path", "headers", "body", "query_params", "request_id"]
    original = replace(app, "_dispatch_service_request", dispatch, parameters=parameters)


def _keep(
    kept: OrderedDict[tuple[str, ...], asyncio.Future[Answer | None]], name: tuple[str, ...], answer: Answer | None
) -> None:
    """Gives an answer to those that wait for it, and keeps it unless it is an error, or too large or no text at all."""
    fine = answer is not None and answer[0] < 300 and isinstance(answer[2], bytes | str) and len(answer[2]) <= LARGEST
    kept[name].set_result(answer if fine else None)
    if not fine:
        del kept[name]
    while len(kept) > KEPT_CALLS and next(iter(kept.values())).done():
        kept.popitem(last=False)
