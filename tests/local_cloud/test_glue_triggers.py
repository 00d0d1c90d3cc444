"""Triggers: what is kept of them, their states, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_cloud.glue_resources import Clients, after, ended_run, make_job, make_workflow, starts, wait_for


def test_a_trigger_is_shown_with_all_that_was_said_and_no_more(client: Clients) -> None:
    glue = client("glue")
    glue.create_workflow(Name="kept")
    definition = {
        "Name": "kept-start",
        "WorkflowName": "kept",
        "Type": "EVENT",
        "Description": "files have landed",
        "Actions": [{"JobName": "kept-job", "Arguments": {"--day": "1"}, "Timeout": 5}],
        "EventBatchingCondition": {"BatchSize": 10, "BatchWindow": 60},
    }
    glue.create_trigger(**definition, Tags={"owner": "films"})
    assert glue.get_trigger(Name="kept-start")["Trigger"] == {**definition, "State": "CREATED"}
    arn = f"arn:aws:glue:{glue.meta.region_name}:000000000000:trigger/kept-start"
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"owner": "films"}
    conditional: dict[str, Any] = {
        "Name": "kept-next",
        "WorkflowName": "kept",
        "Type": "CONDITIONAL",
        **starts("kept-job"),
        **after("a", "b"),
    }
    glue.create_trigger(**conditional, StartOnCreation=True)
    assert glue.get_trigger(Name="kept-next")["Trigger"] == {**conditional, "State": "ACTIVATED"}
    shown = glue.batch_get_triggers(TriggerNames=["kept-next", "kept-none"])
    assert [trigger["Name"] for trigger in shown["Triggers"]] == ["kept-next"]
    assert shown["TriggersNotFound"] == ["kept-none"]
    shown = glue.get_triggers(DependentJobName="kept-job")["Triggers"]
    assert [trigger["Name"] for trigger in shown] == ["kept-start", "kept-next"]


def test_an_update_replaces_the_whole_definition(client: Clients) -> None:
    glue = client("glue")
    glue.create_trigger(Name="new", Type="SCHEDULED", Schedule="cron(0 2 * * ? *)", Description="x", **starts("a"))
    update = {"Schedule": "cron(0 3 * * ? *)", **starts("b")}
    answer = glue.update_trigger(Name="new", TriggerUpdate=update)["Trigger"]
    assert answer == {"Name": "new", "Type": "SCHEDULED", "State": "CREATED", **update}
    assert glue.get_trigger(Name="new")["Trigger"] == answer


@pytest.mark.parametrize(
    ("kind", "states"),
    [
        ("SCHEDULED", ["CREATED", "ACTIVATED", "DEACTIVATED", "ACTIVATED"]),
        ("CONDITIONAL", ["CREATED", "ACTIVATED", "DEACTIVATED", "ACTIVATED"]),
        # Armed in the state CREATED, as the Terraform provider expects.
        ("EVENT", ["CREATED", "CREATED", "DEACTIVATED", "CREATED"]),
    ],
)
def test_starting_and_stopping_arms_a_trigger_and_disarms_it(client: Clients, kind: str, states: list[str]) -> None:
    glue, name = client("glue"), f"armed-{kind.lower()}"
    glue.create_workflow(Name=name)
    more: dict[str, Any] = {"SCHEDULED": {"Schedule": "cron(0 2 * * ? *)"}, "CONDITIONAL": after("a")}.get(kind, {})
    glue.create_trigger(Name=name, WorkflowName=name, Type=kind, **starts("b"), **more)
    found = [glue.get_trigger(Name=name)["Trigger"]["State"]]
    for change in (glue.start_trigger, glue.stop_trigger, glue.start_trigger):
        assert change(Name=name)["Name"] == name
        found.append(glue.get_trigger(Name=name)["Trigger"]["State"])
    assert found == states
    assert glue.get_workflow_runs(Name=name)["Runs"] == []


def test_a_trigger_may_be_deleted_twice(client: Clients) -> None:
    glue = client("glue")
    glue.create_trigger(Name="twice", Type="ON_DEMAND", **starts("a"))
    assert [glue.delete_trigger(Name="twice")["Name"] for _ in range(2)] == ["twice", "twice"]
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        glue.get_trigger(Name="twice")


def test_starting_an_on_demand_trigger_starts_its_workflow(client: Clients) -> None:
    glue, job = client("glue"), make_job(client, "demanded-job")
    workflow = make_workflow(client, "demanded", starts(job))
    glue.start_trigger(Name="demanded-start")
    run = glue.get_workflow_runs(Name=workflow)["Runs"][0]
    assert ended_run(client, workflow, run["WorkflowRunId"])["Statistics"]["SucceededActions"] == 1
    assert glue.get_trigger(Name="demanded-start")["Trigger"]["State"] == "CREATED"


def test_starting_an_on_demand_trigger_outside_a_workflow_starts_its_jobs(client: Clients) -> None:
    glue, job = client("glue"), make_job(client, "lone-job")
    glue.create_trigger(Name="lone", Type="ON_DEMAND", Actions=[{"JobName": job, "Arguments": {"--day": "7"}}])
    glue.start_trigger(Name="lone")
    run = glue.get_job_runs(JobName=job)["JobRuns"][0]
    assert run["Arguments"] == {"--day": "7"}
    wait_for("the job", lambda: glue.get_job_run(JobName=job, RunId=run["Id"])["JobRun"]["JobRunState"] == "SUCCEEDED")


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        ({"Type": "CONDITIONAL"}, "needs a Predicate with Conditions"),
        ({"Type": "CONDITIONAL", "Predicate": {"Conditions": after("a", "b")["Predicate"]["Conditions"]}}, "Logical"),
        ({"Type": "CONDITIONAL", "WorkflowName": "", **after("a")}, "needs a WorkflowName"),
        ({"Type": "SCHEDULED"}, "needs a Schedule"),
        ({"Type": "EVENT", "EventBatchingCondition": {"BatchSize": 101}}, "BatchSize from 1 to 100"),
        ({"Type": "EVENT", "EventBatchingCondition": {"BatchSize": 1, "BatchWindow": 901}}, "BatchWindow from 1 to"),
        ({"Type": "EVENT"}, "which refused-start starts: a workflow has one start trigger"),
        ({"Type": "ON_DEMAND", "Actions": [{"CrawlerName": "c"}]}, "names a crawler"),
        ({"Type": "CONDITIONAL", "WorkflowName": "nowhere", **after("a")}, "Workflow nowhere not found"),
    ],
)
def test_a_trigger_that_can_not_work_is_refused(client: Clients, definition: dict[str, Any], reason: str) -> None:
    glue = client("glue")
    if "refused" not in glue.list_workflows()["Workflows"]:
        make_workflow(client, "refused", starts("a"))
    given = {"Name": "refused-more", "WorkflowName": "refused", **starts("a"), **definition}
    given = {name: value for name, value in given.items() if value}
    with pytest.raises(ClientError, match=reason):
        glue.create_trigger(**given)
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_trigger(Name="refused-more")
