"""EventBridge's deliveries that MiniStack can't do or does otherwise than AWS.

To Glue workflows, with the rights of the target's role; to functions, which are tried again; and what a
schedule's Scheduler puts into the input of its target.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from ministack.core import iam_evaluator, responses
from ministack.core.arn import parse_arn
from ministack.services import eventbridge, lambda_svc

from local_cloud import event_batches
from local_cloud.credentials import CredentialsError, role_session
from local_cloud.replacements import replace, require

LOG = logging.getLogger("oakvale.events")


def install() -> None:
    """Puts this part into MiniStack."""
    require(eventbridge, "_target_matches_request_scope", ["spec"])
    require(eventbridge, "_event_time_string", ["event"])
    require(lambda_svc, "_get_func_record_for_ref")
    require(lambda_svc, "_execution_record_for_config", ["func", "config"])
    require(lambda_svc, "invoke_async_with_retry", ["func", "event"])
    replace(eventbridge, "_dispatch_to_lambda", invoke_function, parameters=["arn", "payload"])

    def invoke_target(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
        if ":glue:" in target["Arn"] and ":workflow/" in target["Arn"]:
            notify_workflow(target, event["EventId"])
        else:
            original(with_context(target, event), event, rule, view)

    original = replace(eventbridge, "_invoke_target", invoke_target, parameters=["target", "event", "rule", "view"])


def notify_workflow(target: dict[str, Any], event: str) -> None:
    """Glue's NotifyEvent: hands an event to the EVENT trigger of a workflow, if the target's role may."""
    arn = parse_arn(target["Arn"])
    try:
        if not eventbridge._target_matches_request_scope(arn):
            raise event_batches.NotTakenError("it is of another account or region")
        _check_role(target)
        event_batches.notify(arn.resource.removeprefix("workflow/"), event)
    except (event_batches.NotTakenError, CredentialsError) as error:
        LOG.warning("failed invocation of %s by event %s: %s", arn, event, error)


def with_context(target: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """The target of a schedule, with its event in the place of the keywords in its input; other targets as they are."""
    if event["Source"] != "aws.scheduler" or "Input" not in target:
        return target
    text = target["Input"]
    for keyword, value in {
        "<aws.scheduler.schedule-arn>": event["Resources"][0],
        "<aws.scheduler.scheduled-time>": eventbridge._event_time_string(event),
        "<aws.scheduler.execution-id>": event["EventId"],
        "<aws.scheduler.attempt-number>": "1",
    }.items():
        text = text.replace(keyword, value)
    return {**target, "Input": text}


def _check_role(target: dict[str, Any]) -> None:
    if "RoleArn" not in target:
        raise event_batches.NotTakenError("the target needs a RoleArn, of a role that allows glue:NotifyEvent")
    keys = role_session(target["RoleArn"], "events", service="events.amazonaws.com", lifetime=60)
    arguments = ("glue:NotifyEvent", "glue", responses.get_region(), target["Arn"])
    if iam_evaluator.enforce(keys["AWS_ACCESS_KEY_ID"], *arguments) is not None:
        raise event_batches.NotTakenError(f"{target['RoleArn']} doesn't allow glue:NotifyEvent on it")


def invoke_function(arn: str, payload: str) -> None:
    """Invokes a function as AWS does for rules and schedules: tries it again, then tells its failure destination."""
    function, configuration, name = lambda_svc._get_func_record_for_ref(arn)
    if not function or not configuration:
        LOG.warning("failed invocation: there is no function %s", name)
        return
    record = lambda_svc._execution_record_for_config(function, configuration)
    lambda_svc.invoke_async_with_retry(record, json.loads(payload))
