"""A job's definition comes back as it was given, so that a second plan finds nothing to change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Clients = Callable[[str], Any]

GIVEN = {
    "Role": "arn:aws:iam::000000000000:role/any",
    "Command": {"Name": "glueetl", "ScriptLocation": "s3://artifacts/movies.py", "PythonVersion": "3"},
    "DefaultArguments": {"--layer": "bronze"},
    "NonOverridableArguments": {"--lake": "s3://lake"},
    "Description": "Films.",
    "ExecutionClass": "STANDARD",
    "ExecutionProperty": {"MaxConcurrentRuns": 3},
    "GlueVersion": "6.0",
    "JobRunQueuingEnabled": True,
    "MaintenanceWindow": "Sun:10",
    "MaxRetries": 0,
    "NotificationProperty": {"NotifyDelayAfter": 5},
    "NumberOfWorkers": 4,
    "SecurityConfiguration": "oakvale",
    "Timeout": 30,
    "WorkerType": "G.2X",
}


def test_everything_that_was_given_comes_back(client: Clients) -> None:
    client("glue").create_job(Name="definition-whole", **GIVEN)
    found = client("glue").get_job(JobName="definition-whole")["Job"]
    assert {name: found.get(name) for name in GIVEN} == GIVEN
    assert (found["MaxCapacity"], found["JobMode"]) == (8.0, "SCRIPT")


def test_an_update_replaces_everything(client: Clients) -> None:
    glue = client("glue")
    glue.create_job(Name="definition-update", **GIVEN)
    update = {"Role": GIVEN["Role"], "Command": GIVEN["Command"], "GlueVersion": "6.0", "MaxRetries": 2}
    glue.update_job(JobName="definition-update", JobUpdate=update)
    found = glue.get_job(JobName="definition-update")["Job"]
    assert {name: found[name] for name in update} == update
    assert (found["DefaultArguments"], found["ExecutionProperty"], found["Timeout"]) == (
        {},
        {"MaxConcurrentRuns": 1},
        480,
    )
    assert not {"Description", "ExecutionClass", "JobRunQueuingEnabled", "MaintenanceWindow"} & found.keys()


def test_tags_are_there_until_the_job_is_deleted(client: Clients) -> None:
    glue = client("glue")
    arn = f"arn:aws:glue:{glue.meta.region_name}:000000000000:job/definition-tags"
    for tags in ({"pipeline": "movies"}, {}):
        glue.create_job(Name="definition-tags", Role="any", Command=GIVEN["Command"], Tags=tags)
        assert glue.get_tags(ResourceArn=arn)["Tags"] == tags
        glue.delete_job(JobName="definition-tags")
        assert glue.get_tags(ResourceArn=arn)["Tags"] == {}
    with pytest.raises(glue.exceptions.EntityNotFoundException, match="Job definition-tags not found"):
        glue.get_job(JobName="definition-tags")


def test_a_job_is_made_once(client: Clients) -> None:
    client("glue").create_job(Name="definition-once", **GIVEN)
    with pytest.raises(client("glue").exceptions.AlreadyExistsException, match="Job definition-once already exists"):
        client("glue").create_job(Name="definition-once", **GIVEN)


@pytest.mark.parametrize("operation", ["update_job", "start_job_run", "get_job_runs"])
def test_an_unknown_job_is_an_error_of_aws(client: Clients, operation: str) -> None:
    glue = client("glue")
    more = {"JobUpdate": {"Role": "any"}} if operation == "update_job" else {}
    with pytest.raises(glue.exceptions.EntityNotFoundException, match="definition-unknown"):
        getattr(glue, operation)(JobName="definition-unknown", **more)
