"""HTTP to addresses of this machine, to which the way never leads through a proxy. Needs no package."""

from __future__ import annotations

import http.client
import urllib.request
from typing import Any

SECONDS_TO_ANSWER = 5
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def open_directly(address: str) -> Any:
    """The answer to a GET. Raises as urllib does: OSError, ValueError for what is no address, HTTPException."""
    return _DIRECT.open(address, timeout=SECONDS_TO_ANSWER)


def is_healthy(port: int) -> bool:
    """Whether a laptop cloud answers on a port, and says that it is well."""
    try:
        with open_directly(f"http://127.0.0.1:{port}/_ministack/health") as answer:
            return bool(answer.status == 200)
    except (OSError, http.client.HTTPException):
        return False
