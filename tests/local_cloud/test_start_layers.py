"""The clock on the laptop cloud: a schedule calls the function, and that starts a workflow that nothing else starts."""

from __future__ import annotations

import json
from pathlib import Path

import function_imports
import reproducible_zip
from local_cloud import control
from local_cloud.fire import fire
from tests.local_cloud.glue_resources import (
    LASTS,
    Clients,
    ended_run,
    make_job,
    make_role,
    make_workflow,
    starts,
    wait_for,
)

HANDLER = Path(__file__).resolve().parents[2] / "lambda" / "start_layers.py"
ONCE_A_YEAR = "cron(0 2 1 1 ? *)"


def test_the_clock_starts_a_run_unless_one_is_under_way(client: Clients, cloud: control.Cloud) -> None:
    code = {path.name: path.read_bytes() for path in function_imports.reached(HANDLER, ())[0]}
    glue, functions = client("glue"), client("lambda")
    make_workflow(client, "clock-hourly", starts(make_job(client, "clock-job", LASTS)), MaxConcurrentRuns=1)
    may = {
        "Effect": "Allow",
        "Action": "glue:StartWorkflowRun",
        "Resource": "arn:aws:glue:us-east-1:000000000000:workflow/clock-hourly",
    }
    function = functions.create_function(
        FunctionName="clock-start",
        Role=make_role(client, "clock-start", "lambda.amazonaws.com", may),
        Runtime="python3.13",
        Handler="start_layers.handler",
        Code={"ZipFile": reproducible_zip.pack(code)},
        Environment={"Variables": {"HOURLY": "clock-hourly", "DAILY": "clock-daily"}},
    )["FunctionArn"]
    call = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function}
    client("scheduler").create_schedule(
        Name="clock-hourly",
        ScheduleExpression=ONCE_A_YEAR,
        FlexibleTimeWindow={"Mode": "OFF"},
        State="DISABLED",
        Target={
            "Arn": function,
            "RoleArn": make_role(client, "clock-schedule", "scheduler.amazonaws.com", call),
            "Input": '{"part":"hourly","time":"<aws.scheduler.scheduled-time>"}',
        },
    )
    fire(cloud, "clock-hourly", "2026-11-27T10:10:00Z")
    (run,) = wait_for("the run", lambda: glue.get_workflow_runs(Name="clock-hourly")["Runs"])
    payload = json.dumps({"part": "hourly", "time": "2026-11-27T11:10:00Z"}).encode()
    answer = functions.invoke(FunctionName="clock-start", Payload=payload)
    assert "FunctionError" not in answer
    assert json.loads(answer["Payload"].read())["outcome"] == "under way"
    # What isn't allowed, and isn't there, is a failure that is seen.
    refused = functions.invoke(FunctionName="clock-start", Payload=b'{"part": "daily"}')
    assert refused["FunctionError"] == "Unhandled"
    assert "glue:StartWorkflowRun" in refused["Payload"].read().decode()
    glue.stop_workflow_run(Name="clock-hourly", RunId=run["WorkflowRunId"])
    ended_run(client, "clock-hourly", run["WorkflowRunId"])
    assert len(glue.get_workflow_runs(Name="clock-hourly")["Runs"]) == 1
