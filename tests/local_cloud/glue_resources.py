"""Glue jobs without Spark, workflows and roles for tests, and waiting for what they do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
Clients = Callable[[str], Any]

SUCCEEDS = "print('done')"
FAILS = "raise ValueError('no such film')"
# Runs until it is stopped.
LASTS = "import time\ntime.sleep(300)"

SCRIPTS = "test-scripts"
JOB_ROLE = "test-jobs"
JOB_RIGHTS = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket", "logs:*", "glue:*"], "Resource": "*"}


def make_role(client: Clients, name: str, service: str, *statements: dict[str, Any]) -> str:
    """Makes a role that a service may take, unless it is there; returns its ARN."""
    iam = client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    try:
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    except iam.exceptions.EntityAlreadyExistsException:
        return str(iam.get_role(RoleName=name)["Role"]["Arn"])
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=_policy(*statements))
    return str(arn)


def make_job(client: Clients, name: str, script: str = SUCCEEDS, **settings: Any) -> str:
    """Makes a job that runs a Python script without Spark; returns its name."""
    s3 = client("s3")
    s3.create_bucket(Bucket=SCRIPTS)
    s3.put_object(Bucket=SCRIPTS, Key=f"{name}.py", Body=script.encode())
    command = {"Name": "pythonshell", "ScriptLocation": f"s3://{SCRIPTS}/{name}.py", "PythonVersion": "3.9"}
    role = make_role(client, JOB_ROLE, "glue.amazonaws.com", JOB_RIGHTS)
    client("glue").create_job(Name=name, Role=role, Command=command, GlueVersion="5.0", **settings)
    return name


def make_workflow(client: Clients, name: str, start: dict[str, Any], *triggers: dict[str, Any], **settings: Any) -> str:
    """Makes a workflow with its triggers, named after it; the CONDITIONAL ones are on. Returns its name."""
    glue = client("glue")
    glue.create_workflow(Name=name, **settings)
    glue.create_trigger(Name=f"{name}-start", WorkflowName=name, **{"Type": "ON_DEMAND", **start})
    for number, trigger in enumerate(triggers):
        usual = {"Name": f"{name}-{number}", "Type": "CONDITIONAL", "StartOnCreation": True}
        glue.create_trigger(WorkflowName=name, **{**usual, **trigger})
    return name


def starts(*jobs: str) -> dict[str, Any]:
    """A trigger's actions: these jobs."""
    return {"Actions": [{"JobName": job} for job in jobs]}


def after(*jobs: str, state: str = "SUCCEEDED", logical: str = "AND") -> dict[str, Any]:
    """A trigger's predicate: these jobs ended in this state."""
    conditions = [{"LogicalOperator": "EQUALS", "JobName": job, "State": state} for job in jobs]
    return {"Predicate": {"Logical": logical, "Conditions": conditions}}


def ended_run(client: Clients, workflow: str, run_id: str) -> dict[str, Any]:
    """The run of a workflow once it has ended."""

    def ended() -> dict[str, Any] | None:
        run: dict[str, Any] = client("glue").get_workflow_run(Name=workflow, RunId=run_id, IncludeGraph=True)["Run"]
        return run if run["Status"] not in ("RUNNING", "STOPPING") else None

    return wait_for(f"the end of run {run_id} of {workflow}", ended)


def states(run: dict[str, Any]) -> dict[str, list[str]]:
    """The states of the job runs of a workflow's run, by job, of the jobs that ran."""
    jobs = {node["Name"]: node["JobDetails"] for node in run["Graph"]["Nodes"] if node["Type"] == "JOB"}
    runs = {job: details.get("JobRuns", []) for job, details in jobs.items()}
    return {job: [job_run["JobRunState"] for job_run in own] for job, own in runs.items() if own}


def wait_for(what: str, condition: Callable[[], T | None], seconds: float = 60) -> T:
    """The first result of a condition that isn't empty."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.1)
    return result


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
