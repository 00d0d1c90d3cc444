"""Workgroups as on AWS: their settings hold for each query, and an update keeps every field."""

from __future__ import annotations

import json
from typing import Any

from ministack.services import athena

from local_cloud.replacements import replace, require

# Of an update: fields that MiniStack leaves out, and where each has a word for its removal.
KEPT = ("AdditionalConfiguration", "CustomerContentEncryptionConfiguration", "ExecutionRole")
KEPT_OF_RESULT = ("AclConfiguration", "ExpectedBucketOwner")
ENGINE = "Athena engine version 3"


def install() -> None:
    """Replaces how a workgroup is created and updated, and how a query starts in it."""
    _create()
    _update()
    _start()


def _create() -> None:
    original = require(athena, "_create_workgroup", ["data"])

    def create_workgroup(data: dict[str, Any]) -> Any:
        answer = original(data)
        if answer[0] == 200:
            _name_engine(athena._workgroups[data["Name"]]["Configuration"])
        return answer

    replace(athena, "_create_workgroup", create_workgroup, parameters=["data"])


def _update() -> None:
    original = require(athena, "_update_workgroup", ["data"])

    def update_workgroup(data: dict[str, Any]) -> Any:
        answer = original(data)
        if answer[0] == 200 and (updates := data.get("ConfigurationUpdates")):
            kept = athena._workgroups[data["WorkGroup"]]["Configuration"]
            _take(kept, updates, KEPT)
            _take(kept, updates, ("BytesScannedCutoffPerQuery",))
            if result := updates.get("ResultConfigurationUpdates"):
                _take(kept["ResultConfiguration"], result, KEPT_OF_RESULT)
            _name_engine(kept)
        return answer

    replace(athena, "_update_workgroup", update_workgroup, parameters=["data"])


def _take(kept: dict[str, Any], updates: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if name in updates:
            kept[name] = updates[name]
        if updates.get(f"Remove{name}"):
            kept.pop(name, None)


def _name_engine(configuration: dict[str, Any]) -> None:
    """Says which engine AUTO is."""
    engine = configuration.setdefault("EngineVersion", {})
    engine.setdefault("SelectedEngineVersion", "AUTO")
    engine["EffectiveEngineVersion"] = ENGINE


def _start() -> None:
    original = require(athena, "_start_query_execution", ["data"])

    def start_query_execution(data: dict[str, Any]) -> Any:
        workgroup = athena._workgroups.get(data.get("WorkGroup", "primary"))
        if workgroup is None or workgroup["State"] != "ENABLED":
            state = "not found" if workgroup is None else "disabled"
            return athena.error_response_json("InvalidRequestException", f"WorkGroup is {state}.", 400)
        result = _result_configuration(workgroup["Configuration"], data.get("ResultConfiguration", {}))
        answer = original({**data, "ResultConfiguration": result})
        if answer[0] == 200:
            execution = athena._executions[json.loads(answer[2])["QueryExecutionId"]]
            execution["ResultConfiguration"] = {**result, **execution["ResultConfiguration"]}
            if parameters := data.get("ExecutionParameters"):
                execution["ExecutionParameters"] = parameters
        return answer

    replace(athena, "_start_query_execution", start_query_execution, parameters=["data"])


def _result_configuration(workgroup: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """Where and how a query's result is written: what the workgroup enforces, else what the client asks for."""
    own = workgroup.get("ResultConfiguration", {})
    used = own if workgroup.get("EnforceWorkGroupConfiguration") and own else {**own, **asked}
    location = used.get("OutputLocation", "")
    return {**used, "OutputLocation": f"{location.rstrip('/')}/"} if location else used
