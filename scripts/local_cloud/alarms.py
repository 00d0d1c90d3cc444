"""CloudWatch's alarms told whole over the Query protocol, which Terraform speaks.

MiniStack knows all of an alarm, but its answer in XML leaves out description, actions, dimensions, period and more:
Terraform would find each alarm changed and put it anew with every apply.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import cloudwatch

from local_cloud.replacements import replace, require

LISTS = ("AlarmNames", "AlarmTypes")
FILTERS = ("AlarmNamePrefix", "StateValue", "MaxRecords", "NextToken")
MOST_MEMBERS = 100
"""Names that AWS takes in one request."""


def install() -> None:
    """Puts this part into MiniStack."""
    require(cloudwatch, "_p", ["params", "key", "default"])
    require(cloudwatch, "_xml", ["status", "root_tag", "inner"])

    def describe(params: dict[str, Any], cbor_data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
        if is_cbor or is_json:
            return original(params, cbor_data, is_cbor, is_json)
        status, _, body = original({}, asked(params), False, True)
        if status != 200:
            return original(params, cbor_data, is_cbor, is_json)
        told = "".join(element(name, value) for name, value in json.loads(body).items())
        return cloudwatch._xml(200, "DescribeAlarmsResponse", f"<DescribeAlarmsResult>{told}</DescribeAlarmsResult>")

    parameters = ["params", "cbor_data", "is_cbor", "is_json"]
    original = replace(cloudwatch, "_describe_alarms", describe, parameters=parameters)


def asked(params: dict[str, Any]) -> dict[str, Any]:
    """A Query request as JSON would ask it."""
    request: dict[str, Any] = {}
    for name in LISTS:
        members = [cloudwatch._p(params, f"{name}.member.{number}") for number in range(1, MOST_MEMBERS + 1)]
        if given := [member for member in members if member]:
            request[name] = given
    return request | {name: value for name in FILTERS if (value := cloudwatch._p(params, name))}


def element(name: str, value: Any) -> str:
    """A value of an answer as the Query protocol writes it; nothing for one that isn't there."""
    if value is None:
        return ""
    if isinstance(value, dict):
        text = "".join(element(*item) for item in value.items())
    elif isinstance(value, list):
        text = "".join(element("member", member) for member in value)
    elif isinstance(value, bool):
        text = str(value).lower()
    elif name.endswith("Timestamp"):
        text = datetime.fromtimestamp(value, UTC).isoformat()
    else:
        text = escape(str(value))
    return f"<{name}>{text}</{name}>"
