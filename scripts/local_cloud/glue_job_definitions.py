"""Job definitions as AWS keeps them: nothing of what was asked for is dropped, and an update replaces all of it."""

from __future__ import annotations

import time
from typing import Any

from ministack.services import glue

from local_cloud.replacements import replace, require

KEPT = (
    *("CodeGenConfigurationNodes", "Command", "Connections", "DefaultArguments", "Description", "ExecutionClass"),
    *("ExecutionProperty", "GlueVersion", "JobMode", "JobRunQueuingEnabled", "LogUri", "MaintenanceWindow"),
    *("MaxCapacity", "MaxRetries", "NonOverridableArguments", "NotificationProperty", "NumberOfWorkers", "Role"),
    *("SecurityConfiguration", "SourceControlDetails", "Timeout", "WorkerType"),
)
CAPACITIES = {"G.025X": 0.25, "G.1X": 1.0, "G.2X": 2.0, "G.4X": 4.0, "G.8X": 8.0, "G.12X": 12.0, "G.16X": 16.0}
"""Processing units (DPU) of one worker."""


def install() -> None:
    """Puts our definitions of jobs into MiniStack."""
    require(glue, "_jobs")
    require(glue, "_job_runs")
    require(glue, "_tags")
    require(glue, "_arn", ["resource_type", "name"])
    require(glue, "json_response")
    require(glue, "error_response_json")
    replace(glue, "_create_job", create_job, parameters=["data"])
    replace(glue, "_update_job", update_job, parameters=["data"])


def create_job(data: dict[str, Any]) -> Any:
    """CreateJob."""
    name = data.get("Name")
    if not name:
        return glue.error_response_json("InvalidInputException", "Name is required", 400)
    if name in glue._jobs:
        return glue.error_response_json("AlreadyExistsException", f"Job {name} already exists", 400)
    glue._jobs[name] = {"Name": name, "CreatedOn": int(time.time()), **_definition(data)}
    glue._job_runs[name] = []
    glue._tags[glue._arn("job", name)] = dict(data.get("Tags") or {})
    return glue.json_response({"Name": name})


def update_job(data: dict[str, Any]) -> Any:
    """UpdateJob: what the update doesn't name has its default again."""
    name = data.get("JobName")
    job = glue._jobs.get(name)
    if job is None:
        return glue.error_response_json("EntityNotFoundException", f"Job {name} not found", 400)
    update = data.get("JobUpdate") or {}
    glue._jobs[name] = {"Name": name, "CreatedOn": job["CreatedOn"], **_definition(update)}
    return glue.json_response({"JobName": name})


def delete_job(data: dict[str, Any]) -> Any:
    """DeleteJob, of the definition alone: no error when there is none."""
    name = data.get("JobName")
    glue._jobs.pop(name, None)
    glue._tags.pop(glue._arn("job", name), None)
    return glue.json_response({"JobName": name})


def _definition(data: dict[str, Any]) -> dict[str, Any]:
    """What a job is, with the defaults of AWS."""
    given = {name: data[name] for name in KEPT if data.get(name) is not None}
    version = given.get("GlueVersion", "0.9")
    return {
        "DefaultArguments": {},
        "ExecutionProperty": {"MaxConcurrentRuns": 1},
        "GlueVersion": version,
        "JobMode": "SCRIPT",
        "LastModifiedOn": int(time.time()),
        "MaxCapacity": capacity(given),
        "MaxRetries": 0,
        "Timeout": 480 if float(version) >= 5 else 2880,
        **given,
    }


def capacity(definition: dict[str, Any]) -> float:
    """The processing units that a job or run has at most."""
    if definition.get("MaxCapacity"):
        return float(definition["MaxCapacity"])
    if "WorkerType" not in definition:
        return 0.0625 if definition.get("Command", {}).get("Name") == "pythonshell" else 10.0
    return CAPACITIES.get(definition["WorkerType"], 1.0) * int(definition.get("NumberOfWorkers", 2))
