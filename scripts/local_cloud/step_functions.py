"""Step Functions' tasks for Glue jobs and Athena queries, which MiniStack lacks, and those for Lambda and SNS.

A task calls the services with the keys of its state machine's role, as on AWS: what the role doesn't allow
fails (MiniStack's own tasks for Lambda and SNS may do everything). A task that ends in `.sync` waits; when its
execution is stopped or its time is over, what it started is stopped too. Glue retries under a run id of their own,
which `.sync` doesn't follow, as on AWS.
"""

from __future__ import annotations

import json
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ministack.services import stepfunctions

from local_cloud import step_functions_tasks
from local_cloud.replacements import replace, require
from local_cloud.step_functions_tasks import StartedWork

POLL_SECONDS = 0.2
WAITED = 0.25
"""The part of a retry's or a Wait's time that passes here: on one machine a job is done that much sooner, too."""


@dataclass
class Attempt:
    """What a task that waits must know of the state that it belongs to."""

    execution: dict[str, Any]
    deadline: float | None = None


class ExecutionStopped(Exception):
    """Somebody stopped the execution while its task waited."""


_attempt: ContextVar[Attempt] = ContextVar("attempt")


def install() -> None:
    """Puts this part into MiniStack."""
    require(stepfunctions, "_state_machines")
    require(stepfunctions, "_ExecutionError", ["error", "cause"])
    require(stepfunctions, "_SFN_WAIT_SCALE")
    stepfunctions._SFN_WAIT_SCALE = WAITED
    _dispatch_tasks()
    _keep_state()
    _keep_deadline()
    _end_history()
    _keep_tracing()


def _dispatch_tasks() -> None:
    """Puts our tasks before MiniStack's."""

    def invoke_resource(resource: str, input_data: dict[str, Any]) -> Any:
        action = _action(resource)
        if action not in step_functions_tasks.TASKS and action not in step_functions_tasks.CALLS:
            return original(resource, input_data)
        attempt = _attempt.get(None)
        if attempt is None:
            raise stepfunctions._ExecutionError("States.Runtime", f"{resource} works in executions, not in TestState")
        if action in step_functions_tasks.CALLS:
            return step_functions_tasks.CALLS[action](attempt.execution, input_data)
        work = step_functions_tasks.TASKS[action](attempt.execution, input_data)
        return _wait(work, attempt) if resource.endswith(".sync") else work.answer

    original = replace(stepfunctions, "_invoke_resource", invoke_resource, parameters=["resource", "input_data"])


def _action(resource: str) -> str:
    """`glue:startJobRun` of the ARN of that task, whether it waits or not."""
    return resource.removeprefix("arn:aws:states:::").removesuffix(".sync")


def _wait(work: StartedWork, attempt: Attempt) -> dict[str, Any]:
    while (result := work.result()) is None:
        if attempt.execution["status"] != "RUNNING":
            work.stop()
            raise ExecutionStopped
        if attempt.deadline is not None and time.monotonic() > attempt.deadline:
            work.stop()
            raise stepfunctions._ExecutionError("States.Timeout", "The task took longer than its TimeoutSeconds")
        time.sleep(POLL_SECONDS)
    return result


def _keep_state() -> None:
    """Tells a task of its execution, and ends the execution's work when somebody stopped it."""

    def execute_task(
        state_def: dict[str, Any], raw_input: Any, execution: dict[str, Any], ctx: dict[str, Any]
    ) -> tuple[Any, str | None]:
        _attempt.set(Attempt(execution))
        try:
            return original(state_def, raw_input, execution, ctx)  # type: ignore[no-any-return]
        except ExecutionStopped:
            return raw_input, None  # no error: neither Retry nor Catch may go on

    parameters = ["state_def", "raw_input", "execution", "ctx"]
    original = replace(stepfunctions, "_execute_task", execute_task, parameters=parameters)


def _keep_deadline() -> None:
    """Lets our tasks that wait watch their own time; MiniStack would let what they started run on."""

    def invoke_with_timeout(resource: str, input_data: dict[str, Any], timeout: float) -> Any:
        if not resource.endswith(".sync") or _action(resource) not in step_functions_tasks.TASKS:
            return original(resource, input_data, timeout)
        _attempt.get().deadline = time.monotonic() + timeout  # a retry has the whole time again
        return stepfunctions._invoke_resource(resource, input_data)

    parameters = ["resource", "input_data", "timeout"]
    original = replace(stepfunctions, "_invoke_resource_with_timeout", invoke_with_timeout, parameters=parameters)


def _end_history() -> None:
    """Lets no state add to the history of an execution that has ended."""

    def add_event(execution: dict[str, Any], event_type: str, details: dict[str, Any] | None = None) -> None:
        if execution["status"] == "RUNNING" or event_type.startswith("Execution"):
            original(execution, event_type, details)

    original = replace(stepfunctions, "_add_event", add_event, parameters=["execution", "event_type", "details"])


def _keep_tracing() -> None:
    """Gives back whether a state machine is traced: MiniStack drops that, and each plan would want to set it again."""

    def keeping(name: str) -> None:
        def change(data: dict[str, Any]) -> Any:
            answer = original(data)
            body = json.loads(answer[2])
            arn = data.get("stateMachineArn") or body.get("stateMachineArn")
            if answer[0] == 200 and "tracingConfiguration" in data:
                stepfunctions._state_machines[arn]["tracingConfiguration"] = data["tracingConfiguration"]
            return answer

        original = replace(stepfunctions, name, change, parameters=["data"])

    keeping("_create_state_machine")
    keeping("_update_state_machine")
