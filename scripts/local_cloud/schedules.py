"""Fires what would otherwise wait for its time: rules and schedules of EventBridge, triggers of Glue.

The server's side of the command `fire`. It is an action of the service `events` that AWS doesn't have, and
that only the cloud's root may call. What is switched off can be fired too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, get_region, json_response, new_uuid
from ministack.services import eventbridge, glue, scheduler

from local_cloud import glue_workflow_progress, root_actions
from local_cloud.glue_jobs import GlueError
from local_cloud.replacements import require

ACTION = "AWSEvents.FireNow"


class NotFireableError(Exception):
    """There is nothing of this name to fire, or not in this way."""


def install() -> None:
    """Puts this part into MiniStack."""
    require(eventbridge, "_rules")
    require(eventbridge, "_targets")
    require(scheduler, "_schedules")

    async def answer(body: bytes) -> Any:
        try:
            return json_response(fire(**json.loads(body)))
        except (NotFireableError, GlueError) as error:
            return error_response_json("ValidationException", str(error), 400)

    root_actions.add(eventbridge, ACTION, answer)


def fire(name: str, moment: str | None = None) -> dict[str, Any]:
    """Fires what has this name, with the current time or the given one as the time of its event."""
    candidates = _fireable()
    found = [candidate for candidate in candidates if candidate[1] == name]
    if not found:
        known = ", ".join(sorted(f"{other} ({kind})" for kind, other, _ in candidates)) or "nothing"
        raise NotFireableError(f"there is nothing to fire named {name}; what can be fired: {known}")
    if len(found) > 1:
        kinds = ", ".join(kind for kind, _, _ in found)
        raise NotFireableError(f"{name} is the name of more than one thing to fire: {kinds}")
    kind, _, do = found[0]
    return {"Kind": kind, "Name": name, "Targets": do(moment)}


Fire = Callable[[str | None], list[str]]


def _fireable() -> list[tuple[str, str, Fire]]:
    """All that can be fired in the caller's account and region: its kind, its name, and what fires it."""
    rules: list[tuple[str, str, Fire]] = [
        ("rule", rule["Name"], partial(_fire_rule, key, rule))
        for key, rule in eventbridge._rules.items()
        if rule.get("ScheduleExpression")
    ]
    schedules: list[tuple[str, str, Fire]] = [
        ("schedule", schedule["Name"], partial(_fire_schedule, schedule)) for schedule in scheduler._schedules.values()
    ]
    triggers: list[tuple[str, str, Fire]] = [
        ("Glue trigger", trigger["Name"], partial(_fire_trigger, trigger))
        for trigger in glue._triggers.values()
        if trigger["Type"] in ("SCHEDULED", "ON_DEMAND")
    ]
    return [*rules, *schedules, *triggers]


def _fire_rule(key: str, rule: dict[str, Any], moment: str | None) -> list[str]:
    event = _event("aws.events", rule["Arn"], moment) | {"EventBusName": rule["EventBusName"]}
    targets = eventbridge._targets.get(key, [])
    for target in targets:
        eventbridge._invoke_target(target, event, rule)
    return [target["Arn"] for target in targets]


def _fire_schedule(schedule: dict[str, Any], moment: str | None) -> list[str]:
    eventbridge._invoke_target(schedule["Target"], _event("aws.scheduler", schedule["Arn"], moment), schedule)
    return [schedule["Target"]["Arn"]]


def _fire_trigger(trigger: dict[str, Any], moment: str | None) -> list[str]:
    if moment:
        raise NotFireableError(
            f"{trigger['Name']} is a Glue trigger, whose jobs get no event: it can't be given a time"
        )
    glue_workflow_progress.fire_start(trigger)
    if "WorkflowName" in trigger:
        return [glue._arn("workflow", trigger["WorkflowName"])]
    return [glue._arn("job", action["JobName"]) for action in trigger.get("Actions", [])]


def _event(source: str, resource: str, moment: str | None) -> dict[str, Any]:
    """The event of a schedule, as MiniStack's clock makes it."""
    return {
        "EventId": new_uuid(),
        "Source": source,
        "DetailType": "Scheduled Event",
        "Detail": "{}",
        "Time": int(_seconds(moment) if moment else time.time()),
        "Resources": [resource],
        "Account": get_account_id(),
        "Region": get_region(),
    }


def _seconds(moment: str) -> float:
    try:
        read = datetime.fromisoformat(moment)
    except ValueError as error:
        raise NotFireableError(f"the time must be such as 2026-11-02T02:00:00Z, not {moment}") from error
    if read.tzinfo is None:
        raise NotFireableError(f"the time must hold its offset, as 2026-11-02T02:00:00Z does, not {moment}")
    return read.timestamp()
