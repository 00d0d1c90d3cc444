"""What Step Functions' tasks call in other services, how they see that it has ended, and how they stop it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from ministack.services import stepfunctions

from local_cloud import credentials

FAILED_JOB_RUNS = ("FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED")
LONGEST_CALL = 15 * 60  # seconds: a function's longest time-out
LONGEST_TASK = 7 * 24 * 3600  # seconds that a task's keys last: a Glue job's longest time-out


@dataclass(frozen=True)
class StartedWork:
    """A job run or query that a task started."""

    answer: dict[str, Any]
    """What a task that doesn't wait returns."""
    result: Callable[[], dict[str, Any] | None]
    """What a task that waits returns; None while the work runs. Raises States.TaskFailed."""
    stop: Callable[[], object]


def start_job_run(execution: dict[str, Any], request: dict[str, Any]) -> StartedWork:
    """Starts a Glue job; the result is its JobRun."""
    call = partial(_call, _client(execution, "glue"), "Glue")
    answer = call("start_job_run", **request)
    job = {"JobName": request["JobName"]}

    def result() -> dict[str, Any] | None:
        run = call("get_job_run", **job, RunId=answer["JobRunId"])["JobRun"]
        if run["JobRunState"] in FAILED_JOB_RUNS:
            raise _failure(run)
        return run if run["JobRunState"] == "SUCCEEDED" else None

    return StartedWork(answer, result, partial(call, "batch_stop_job_run", **job, JobRunIds=[answer["JobRunId"]]))


def start_query_execution(execution: dict[str, Any], request: dict[str, Any]) -> StartedWork:
    """Starts an Athena query; the result is its QueryExecution."""
    call = partial(_call, _client(execution, "athena"), "Athena")
    answer = call("start_query_execution", **request)

    def result() -> dict[str, Any] | None:
        shown = call("get_query_execution", **answer)
        if shown["QueryExecution"]["Status"]["State"] in ("FAILED", "CANCELLED"):
            raise _failure(shown)
        return shown if shown["QueryExecution"]["Status"]["State"] == "SUCCEEDED" else None

    return StartedWork(answer, result, partial(call, "stop_query_execution", **answer))


def invoke_function(execution: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """Calls a Lambda function and waits for its answer; what it raises is the task's error."""
    called = {**request, "Payload": json.dumps(request.get("Payload", {})).encode()}
    answer = _call(_client(execution, "lambda"), "Lambda", "invoke", **called)
    payload = json.loads(answer["Payload"] or "null")
    if "FunctionError" in answer:
        raise stepfunctions._ExecutionError(payload.get("errorType", "Lambda.Unknown"), json.dumps(payload))
    return {**answer, "Payload": payload}


def publish_message(execution: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """Publishes a message to a topic of SNS."""
    return _call(_client(execution, "sns"), "Sns", "publish", **request)


TASKS: dict[str, Callable[[dict[str, Any], dict[str, Any]], StartedWork]] = {
    "glue:startJobRun": start_job_run,
    "athena:startQueryExecution": start_query_execution,
}
"""What starts work, for which a task may wait."""
CALLS: dict[str, Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]] = {
    "lambda:invoke": invoke_function,
    "sns:publish": publish_message,
}
"""What is done when it has answered."""


def _client(execution: dict[str, Any], service: str) -> Any:
    role = stepfunctions._state_machines[execution["stateMachineArn"]]["roleArn"]
    try:
        keys = credentials.role_session(
            role, execution["name"][:64], service="states.amazonaws.com", lifetime=LONGEST_TASK
        )
    except credentials.CredentialsError as error:
        raise stepfunctions._ExecutionError("States.Permissions", str(error)) from error
    from botocore.config import Config

    # A function may take longer than boto3 waits; called again meanwhile, it would run twice.
    return credentials.client(service, keys, Config(read_timeout=LONGEST_CALL, retries={"total_max_attempts": 1}))


def _call(client: Any, prefix: str, operation: str, **request: Any) -> dict[str, Any]:
    """The answer of a service as a state gets it; its errors with the names that Retry and Catch know."""
    from botocore.exceptions import ClientError, ParamValidationError

    try:
        answer = getattr(client, operation)(**request)
    except ClientError as error:
        said = error.response["Error"]
        raise stepfunctions._ExecutionError(f"{prefix}.{said['Code']}", said["Message"]) from error
    except ParamValidationError as error:
        raise stepfunctions._ExecutionError("States.Runtime", str(error)) from error
    del answer["ResponseMetadata"]
    if "Payload" in answer:
        answer["Payload"] = answer["Payload"].read().decode()
    shown: dict[str, Any] = json.loads(json.dumps(answer, default=_milliseconds))
    return shown


def _milliseconds(value: datetime) -> int:
    return round(value.timestamp() * 1000)


def _failure(shown: dict[str, Any]) -> Exception:
    error: Exception = stepfunctions._ExecutionError("States.TaskFailed", json.dumps(shown))
    return error
