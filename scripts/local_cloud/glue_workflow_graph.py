"""The graph of a Glue workflow: its triggers and jobs as nodes, what starts what as edges."""

from __future__ import annotations

from typing import Any

from local_cloud import glue_triggers, glue_workflow_runs


def graph(workflow: str, job_runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The graph of a workflow as it is defined now; its jobs show those of the given runs that are theirs."""
    nodes: dict[str, dict[str, Any]] = {}
    edges = []
    for trigger in glue_workflow_runs.triggers(workflow):
        source = _id("TRIGGER", trigger["Name"])
        details = {"Trigger": glue_triggers.describe(trigger)}
        nodes[source] = {"Type": "TRIGGER", "Name": trigger["Name"], "UniqueId": source, "TriggerDetails": details}
        watched = [condition["JobName"] for condition in trigger.get("Predicate", {}).get("Conditions", [])]
        started = [action["JobName"] for action in trigger.get("Actions", [])]
        for job in (*watched, *started):
            nodes.setdefault(_id("JOB", job), _job(job, job_runs))
        edges += [{"SourceId": _id("JOB", job), "DestinationId": source} for job in watched]
        edges += [{"SourceId": source, "DestinationId": _id("JOB", job)} for job in started]
    return {"Nodes": list(nodes.values()), "Edges": edges}


def _job(name: str, job_runs: list[dict[str, Any]]) -> dict[str, Any]:
    own = [job_run for job_run in job_runs if job_run["JobName"] == name]
    return {"Type": "JOB", "Name": name, "UniqueId": _id("JOB", name), "JobDetails": {"JobRuns": own}}


def _id(kind: str, name: str) -> str:
    return f"{kind.lower()}:{name}"
