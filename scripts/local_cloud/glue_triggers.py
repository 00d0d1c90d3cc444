"""Triggers as Glue keeps them: all that was said when they were made, and whether they are armed.

What a trigger does when it fires is said in glue_workflow_progress.py. A trigger outside a workflow works as
ON_DEMAND or SCHEDULED; crawlers as actions don't, and CreateTrigger says so. A SCHEDULED trigger doesn't
tick here: `fire` starts it.
"""

from __future__ import annotations

import logging
from typing import Any

from ministack.services import glue

from local_cloud import glue_workflow_progress, glue_workflow_runs
from local_cloud.glue_answers import Request, answer
from local_cloud.glue_jobs import GlueError
from local_cloud.replacements import replace

LOG = logging.getLogger("oakvale.glue")

START_TYPES = ("ON_DEMAND", "SCHEDULED", "EVENT")
DEFINITION = ("Description", "Schedule", "Actions", "Predicate", "EventBatchingCondition")


def install() -> None:
    """Puts this part into MiniStack."""
    for name, handler in {
        "_create_trigger": create,
        "_update_trigger": update,
        "_get_trigger": get,
        "_get_triggers": get_many,
        "_batch_get_triggers": batch_get,
        "_start_trigger": start,
        "_stop_trigger": stop,
        "_delete_trigger": delete,
    }.items():
        replace(glue, name, answer(handler), parameters=["data"])


def find(name: str) -> dict[str, Any]:
    """The stored trigger of this name."""
    if name not in glue._triggers:
        raise GlueError("EntityNotFoundException", f"Trigger {name} not found")
    return dict(glue._triggers[name])


def describe(trigger: dict[str, Any]) -> dict[str, Any]:
    """A trigger as the API shows it: without what was never said, so that Terraform sees no difference."""
    shown = {name: trigger[name] for name in ("Name", "WorkflowName", "Type", "State") if trigger.get(name)}
    return shown | {name: trigger[name] for name in DEFINITION if trigger.get(name)}


def create(data: Request) -> dict[str, Any]:
    """CreateTrigger; all but a trigger that starts on creation are made in the state CREATED."""
    name = data["Name"]
    if name in glue._triggers:
        raise GlueError("AlreadyExistsException", f"Trigger {name} already exists")
    trigger = {key: data[key] for key in ("Name", "Type", "WorkflowName", *DEFINITION) if key in data}
    _check(trigger)
    active = data.get("StartOnCreation", False) and data["Type"] in ("SCHEDULED", "CONDITIONAL")
    _set_state(trigger, "ACTIVATED" if active else "CREATED")
    if data.get("Tags"):
        glue._tags[glue._arn("trigger", name)] = dict(data["Tags"])
    return {"Name": name}


def update(data: Request) -> dict[str, Any]:
    """UpdateTrigger: the new definition takes the place of the whole old one."""
    stored = find(data["Name"])
    kept = {key: value for key, value in stored.items() if key not in DEFINITION}
    trigger = kept | {key: value for key, value in data["TriggerUpdate"].items() if key in DEFINITION}
    _check(trigger)
    glue._triggers[data["Name"]] = trigger
    return {"Trigger": describe(trigger)}


def get(data: Request) -> dict[str, Any]:
    """GetTrigger."""
    return {"Trigger": describe(find(data["Name"]))}


def get_many(data: Request) -> dict[str, Any]:
    """GetTriggers, in one page."""
    job = data.get("DependentJobName")
    triggers = glue._triggers.values()
    found = [t for t in triggers if not job or any(a.get("JobName") == job for a in t.get("Actions", []))]
    return {"Triggers": [describe(trigger) for trigger in found]}


def batch_get(data: Request) -> dict[str, Any]:
    """BatchGetTriggers."""
    names = data["TriggerNames"]
    found = [describe(glue._triggers[name]) for name in names if name in glue._triggers]
    return {"Triggers": found, "TriggersNotFound": [name for name in names if name not in glue._triggers]}


def start(data: Request) -> dict[str, Any]:
    """StartTrigger: fires an ON_DEMAND trigger, arms another one.

    An EVENT trigger is armed in the state CREATED, in which it was made, and has it again when it is started.
    """
    trigger = find(data["Name"])
    if trigger["Type"] == "ON_DEMAND":
        glue_workflow_progress.fire_start(trigger)
    _set_state(trigger, "ACTIVATED" if trigger["Type"] in ("SCHEDULED", "CONDITIONAL") else "CREATED")
    return {"Name": trigger["Name"]}


def stop(data: Request) -> dict[str, Any]:
    """StopTrigger."""
    _set_state(find(data["Name"]), "DEACTIVATED")
    return {"Name": data["Name"]}


def delete(data: Request) -> dict[str, Any]:
    """DeleteTrigger; as on AWS, one that isn't there is no error: its client may ask again after a lost answer."""
    glue._triggers.pop(data["Name"], None)
    glue._tags.pop(glue._arn("trigger", data["Name"]), None)
    return {"Name": data["Name"]}


def _set_state(trigger: dict[str, Any], state: str) -> None:
    if (trigger["Type"], state) == ("SCHEDULED", "ACTIVATED"):
        LOG.warning(
            "trigger %s is on but doesn't tick in the laptop cloud: `fire %s`", trigger["Name"], trigger["Name"]
        )
    glue._triggers[trigger["Name"]] = trigger | {"State": state}


def _check(trigger: dict[str, Any]) -> None:
    """Refuses what Glue refuses, and what this cloud can't do."""
    conditions = trigger.get("Predicate", {}).get("Conditions", [])
    kind, name, workflow = trigger["Type"], trigger["Name"], trigger.get("WorkflowName")
    batching = trigger.get("EventBatchingCondition")
    wrong = None
    if any("CrawlerName" in part for part in [*trigger.get("Actions", []), *conditions]):
        wrong = "names a crawler, which the laptop cloud doesn't run"
    elif kind in ("CONDITIONAL", "EVENT") and not workflow:
        wrong = f"is {kind} and needs a WorkflowName (the laptop cloud has such triggers in workflows only)"
    elif kind == "CONDITIONAL" and not conditions:
        wrong = "is CONDITIONAL and needs a Predicate with Conditions"
    elif len(conditions) > 1 and trigger["Predicate"].get("Logical") not in ("AND", "ANY"):
        wrong = "has several conditions and needs Logical AND or ANY"
    elif kind == "SCHEDULED" and not trigger.get("Schedule"):
        wrong = "is SCHEDULED and needs a Schedule"
    elif batching and not 1 <= batching.get("BatchSize", 0) <= 100:
        wrong = "needs a BatchSize from 1 to 100"
    elif batching and not 1 <= batching.get("BatchWindow", 900) <= 900:
        wrong = "needs a BatchWindow from 1 to 900 seconds"
    elif workflow and kind in START_TYPES:
        others = glue_workflow_runs.start_triggers(workflow)
        if any(other["Name"] != name for other in others):
            wrong = (
                f"can't start workflow {workflow}, which {others[0]['Name']} starts: a workflow has one start trigger"
            )
    if wrong:
        raise GlueError("InvalidInputException", f"Trigger {name} {wrong}")
    if workflow and workflow not in glue._workflows:
        raise GlueError("EntityNotFoundException", f"Workflow {workflow} not found")
