"""Firehose that gathers records: MiniStack writes each at once, as an object of its own.

Deliveries with functions, dynamic partitions or other formats, which nothing here has, stay MiniStack's own.
`FlushNow` is an action that AWS doesn't have, and that only the cloud's root may call: it delivers what waits.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import firehose

from local_cloud import firehose_buffers, firehose_files, root_actions
from local_cloud.replacements import replace, require

ACTION = "Firehose_20150804.FlushNow"
OTHERS = ("DataFormatConversionConfiguration", "DynamicPartitioningConfiguration")
UNTOLD = {"CustomTimeZone": "UTC", "FileExtension": ""}
"""What MiniStack leaves out when it describes a destination, and what it is if nobody has said it."""


def install() -> None:
    """Puts this part into MiniStack."""
    require(firehose, "_streams")
    firehose_files.install()

    def deliver(stream: dict[str, Any], dest: dict[str, Any], records: list[tuple[str, bytes]]) -> None:
        if _is_plain(dest["config"]):
            firehose_buffers.take(stream, dest, records)
        else:
            deliver_each(stream, dest, records)

    deliver_each = replace(firehose, "_deliver_records_to_s3", deliver, parameters=["stream", "dest", "records"])

    def describe(dest: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = describe_partly(dest)
        if s3 := told.get("ExtendedS3DestinationDescription"):
            s3 |= {name: dest["config"].get(name, usual) for name, usual in UNTOLD.items()}
        return told

    describe_partly = replace(firehose, "_dest_description", describe, parameters=["dest"])

    async def flush(body: bytes) -> Any:
        # In another thread: the delivery itself asks this server.
        problem = await asyncio.to_thread(firehose_buffers.flush, json.loads(body)["name"])
        return error_response_json("ServiceUnavailableException", problem, 400) if problem else json_response({})

    root_actions.add(firehose, ACTION, flush)


def _is_plain(configuration: dict[str, Any]) -> bool:
    processors = configuration.get("ProcessingConfiguration", {}).get("Processors", [])
    kinds = {processor["Type"] for processor in processors}
    # Terraform says of what it doesn't want that it isn't enabled.
    others = [configuration[name] for name in OTHERS if name in configuration]
    return kinds <= {"AppendDelimiterToRecord"} and not any(other.get("Enabled", True) for other in others)
