"""Kinesis' streams, with what MiniStack forgets of them: their tags, which each plan would add."""

from __future__ import annotations

from typing import Any

from ministack.services import kinesis

from local_cloud.replacements import replace, require


def install() -> None:
    """Puts this part into MiniStack."""
    require(kinesis, "_streams")

    def create(data: dict[str, Any]) -> Any:
        answer = original(data)
        if answer[0] == 200:
            kinesis._streams[data["StreamName"]]["tags"].update(data.get("Tags", {}))
        return answer

    original = replace(kinesis, "_create_stream", create, parameters=["data"])
