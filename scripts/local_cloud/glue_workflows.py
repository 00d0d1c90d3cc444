"""Workflows of the Glue API: their definitions, their runs and the properties of a run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from ministack.services import glue

from local_cloud import glue_triggers, glue_workflow_graph, glue_workflow_progress, glue_workflow_runs
from local_cloud.glue_answers import Request, Response, answer
from local_cloud.glue_jobs import GlueError
from local_cloud.replacements import replace, require

DEFINITION = ("Description", "DefaultRunProperties", "MaxConcurrentRuns")


def install() -> None:
    """Puts workflows and their triggers into MiniStack."""
    for store in ("_workflows", "_workflow_runs", "_triggers", "_jobs", "_job_runs", "_tags"):
        require(glue, store)
    require(glue, "_arn", ["resource_type", "name"])
    require(glue, "_batch_stop_job_run", ["data"])
    for name, handler in {
        "_create_workflow": create,
        "_update_workflow": update,
        "_get_workflow": get,
        "_start_workflow_run": start_run,
    }.items():
        replace(glue, name, answer(handler), parameters=["data"])
    _add_actions(
        {
            "ListWorkflows": list_names,
            "BatchGetWorkflows": batch_get,
            "GetWorkflowRun": get_run,
            "GetWorkflowRuns": get_runs,
            "StopWorkflowRun": stop_run,
            "GetWorkflowRunProperties": get_run_properties,
            "PutWorkflowRunProperties": put_run_properties,
        }
    )
    glue_triggers.install()
    glue_workflow_progress.install()


def create(data: Request) -> dict[str, Any]:
    """CreateWorkflow."""
    name = data["Name"]
    if name in glue._workflows:
        raise GlueError("AlreadyExistsException", f"Workflow {name} already exists")
    now = time.time()
    given = {key: data[key] for key in DEFINITION if key in data}
    glue._workflows[name] = {"Name": name, "CreatedOn": now, "LastModifiedOn": now, **given}
    glue._workflow_runs[name] = []
    if data.get("Tags"):
        glue._tags[glue._arn("workflow", name)] = dict(data["Tags"])
    return {"Name": name}


def update(data: Request) -> dict[str, Any]:
    """UpdateWorkflow: changes what it names."""
    given = {key: data[key] for key in DEFINITION if key in data}
    glue._workflows[data["Name"]] = {**_find(data["Name"]), **given, "LastModifiedOn": time.time()}
    return {"Name": data["Name"]}


def get(data: Request) -> dict[str, Any]:
    """GetWorkflow, with the graph when asked for."""
    return {"Workflow": _describe(_find(data["Name"]), data)}


def list_names(data: Request) -> dict[str, Any]:
    """ListWorkflows, in one page."""
    return {"Workflows": sorted(glue._workflows.keys())}


def batch_get(data: Request) -> dict[str, Any]:
    """BatchGetWorkflows."""
    found = [name for name in data["Names"] if name in glue._workflows]
    missing = [name for name in data["Names"] if name not in glue._workflows]
    return {"Workflows": [_describe(_find(name), data) for name in found], "MissingWorkflows": missing}


def start_run(data: Request) -> dict[str, Any]:
    """StartWorkflowRun: does what the start trigger does, of whatever type and state it is."""
    name = _find(data["Name"])["Name"]
    triggers = glue_workflow_runs.start_triggers(name)
    if not triggers:
        raise GlueError("InvalidInputException", f"Workflow {name} has no start trigger: nothing to run")
    run = glue_workflow_progress.start(name, triggers[0], data.get("RunProperties", {}))
    return {"RunId": run["WorkflowRunId"]}


def stop_run(data: Request) -> dict[str, Any]:
    """StopWorkflowRun."""
    glue_workflow_progress.stop(glue_workflow_runs.find(data["Name"], data["RunId"]))
    return {}


def get_run(data: Request) -> dict[str, Any]:
    """GetWorkflowRun."""
    return {"Run": _describe_run(glue_workflow_runs.find(data["Name"], data["RunId"]), data)}


def get_runs(data: Request) -> dict[str, Any]:
    """GetWorkflowRuns: the latest first, in pages of MaxResults."""
    runs = list(reversed(glue._workflow_runs.get(_find(data["Name"])["Name"], [])))
    first = int(data.get("NextToken", 0))
    last = first + data.get("MaxResults", len(runs))
    more = {"NextToken": str(last)} if last < len(runs) else {}
    return {"Runs": [_describe_run(run, data) for run in runs[first:last]], **more}


def get_run_properties(data: Request) -> dict[str, Any]:
    """GetWorkflowRunProperties."""
    return {"RunProperties": glue_workflow_runs.find(data["Name"], data["RunId"])["WorkflowRunProperties"]}


def put_run_properties(data: Request) -> dict[str, Any]:
    """PutWorkflowRunProperties: adds to those of this run."""
    glue_workflow_runs.find(data["Name"], data["RunId"])["WorkflowRunProperties"].update(data["RunProperties"])
    return {}


def _find(name: str) -> dict[str, Any]:
    if name not in glue._workflows:
        raise GlueError("EntityNotFoundException", f"Workflow {name} not found")
    return dict(glue._workflows[name])


def _describe(workflow: dict[str, Any], data: Request) -> dict[str, Any]:
    runs = glue._workflow_runs.get(workflow["Name"], [])
    last = {"LastRun": _describe_run(runs[-1], data)} if runs else {}
    graph = {"Graph": glue_workflow_graph.graph(workflow["Name"], [])} if data.get("IncludeGraph") else {}
    return {**workflow, **last, **graph}


def _describe_run(run: dict[str, Any], data: Request) -> dict[str, Any]:
    shown = {key: value for key, value in run.items() if not key.startswith("_")}
    shown["Statistics"] = glue_workflow_runs.statistics(run)
    if data.get("IncludeGraph"):
        shown["Graph"] = glue_workflow_graph.graph(run["Name"], glue_workflow_runs.job_runs(run))
    return shown


def _add_actions(handlers: dict[str, Callable[[Request], dict[str, Any]]]) -> None:
    """Has the service answer calls that MiniStack doesn't know."""
    answering = {name: answer(handler) for name, handler in handlers.items()}

    def handle(method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]) -> Response:
        handler = answering.get(headers.get("x-amz-target", "").removeprefix("AWSGlue."))
        if handler is None:
            return original(method, path, headers, body, query_params)  # type: ignore[no-any-return]
        return handler(json.loads(body))

    parameters = ["method", "path", "headers", "body", "query_params"]
    original = replace(glue, "_handle_request_sync", handle, parameters=parameters)
