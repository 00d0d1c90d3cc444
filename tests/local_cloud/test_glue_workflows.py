"""Workflows: which jobs run after which, what a run says of itself, and where it ends."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local_cloud.glue_resources import (
    FAILS,
    LASTS,
    Clients,
    after,
    ended_run,
    make_job,
    make_workflow,
    starts,
    states,
    wait_for,
)

NOTHING = {
    "TotalActions": 0,
    "RunningActions": 0,
    "WaitingActions": 0,
    "SucceededActions": 0,
    "FailedActions": 0,
    "TimeoutActions": 0,
    "StoppedActions": 0,
    "ErroredActions": 0,
}


def run_workflow(client: Clients, name: str) -> dict[str, Any]:
    """Runs a workflow; its run once it has ended."""
    return ended_run(client, name, client("glue").start_workflow_run(Name=name)["RunId"])


def running_job(client: Clients, workflow: str, run_id: str) -> None:
    """Waits until a job of the run runs."""
    glue = client("glue")
    running = lambda: glue.get_workflow_run(Name=workflow, RunId=run_id)["Run"]["Statistics"]["RunningActions"]  # noqa: E731
    wait_for(f"a running job of {workflow}", running)


def test_a_workflow_is_kept_with_all_that_was_said(client: Clients) -> None:
    glue = client("glue")
    definition = {
        "Name": "described",
        "Description": "films",
        "DefaultRunProperties": {"day": "1"},
        "MaxConcurrentRuns": 2,
    }
    glue.create_workflow(**definition, Tags={"owner": "films"})
    times = ("CreatedOn", "LastModifiedOn")
    shown = glue.get_workflow(Name="described")["Workflow"]
    assert {name: value for name, value in shown.items() if name not in times} == definition
    arn = f"arn:aws:glue:{glue.meta.region_name}:000000000000:workflow/described"
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"owner": "films"}
    glue.update_workflow(Name="described", Description="no films", MaxConcurrentRuns=3)
    shown = glue.batch_get_workflows(Names=["described", "nothing"])
    changed = {**definition, "Description": "no films", "MaxConcurrentRuns": 3}
    assert {name: value for name, value in shown["Workflows"][0].items() if name not in times} == changed
    assert shown["MissingWorkflows"] == ["nothing"]
    assert "described" in glue.list_workflows()["Workflows"]
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_workflow(Name="nothing")


def test_jobs_run_one_after_the_other_with_their_arguments(client: Clients) -> None:
    glue = client("glue")
    says = "import sys\nprint(sys.argv[1:])"
    jobs = [make_job(client, f"chain-{layer}", says) for layer in ("bronze", "silver", "gold")]
    silver = {"Name": "chain-silver", **after(jobs[0]), "Actions": [{"JobName": jobs[1], "Arguments": {"--day": "3"}}]}
    make_workflow(client, "chain", starts(jobs[0]), silver, {**after(jobs[1]), **starts(jobs[2])})
    run = run_workflow(client, "chain")
    assert run["Status"] == "COMPLETED"
    assert run["Statistics"] == NOTHING | {"TotalActions": 3, "SucceededActions": 3}
    assert states(run) == {job: ["SUCCEEDED"] for job in jobs}
    nodes = {node["UniqueId"]: node for node in run["Graph"]["Nodes"]}
    edges = [(nodes[edge["SourceId"]]["Name"], nodes[edge["DestinationId"]]["Name"]) for edge in run["Graph"]["Edges"]]
    assert sorted(edges) == [
        ("chain-1", "chain-gold"),
        ("chain-bronze", "chain-silver"),
        ("chain-silver", "chain-1"),
        ("chain-silver", "chain-silver"),
        ("chain-start", "chain-bronze"),
    ]
    (job_run,) = glue.get_job_runs(JobName=jobs[1])["JobRuns"]
    assert job_run["TriggerName"] == "chain-silver"
    said = client("logs").get_log_events(logGroupName=f"{job_run['LogGroupName']}/output", logStreamName=job_run["Id"])
    words = said["events"][0]["message"]
    assert f"'--WORKFLOW_NAME', 'chain', '--WORKFLOW_RUN_ID', '{run['WorkflowRunId']}'" in words
    assert "'--day', '3'" in words
    assert glue.get_workflow(Name="chain")["Workflow"]["LastRun"]["WorkflowRunId"] == run["WorkflowRunId"]


def test_after_a_failed_job_the_next_ones_do_not_start(client: Clients) -> None:
    jobs = [make_job(client, "broken-first", FAILS), make_job(client, "broken-next")]
    make_workflow(client, "broken", starts(jobs[0]), {**after(jobs[0]), **starts(jobs[1])})
    run = run_workflow(client, "broken")
    assert run["Status"] == "COMPLETED"
    assert run["Statistics"] == NOTHING | {"TotalActions": 1, "FailedActions": 1}
    assert client("glue").get_job_runs(JobName=jobs[1])["JobRuns"] == []


def test_a_trigger_may_wait_for_a_failure(client: Clients) -> None:
    jobs = [make_job(client, "alarmed-first", FAILS), make_job(client, "alarmed-next")]
    make_workflow(client, "alarmed", starts(jobs[0]), {**after(jobs[0], state="FAILED"), **starts(jobs[1])})
    assert states(run_workflow(client, "alarmed")) == {jobs[0]: ["FAILED"], jobs[1]: ["SUCCEEDED"]}


def test_a_job_that_succeeds_when_it_is_tried_again_has_succeeded(client: Clients) -> None:
    once = "import sys\nif '_attempt_' not in sys.argv[sys.argv.index('--JOB_RUN_ID') + 1]: raise ValueError('first')"
    jobs = [make_job(client, "again-first", once, MaxRetries=1), make_job(client, "again-next")]
    unwanted = make_job(client, "again-unwanted")
    triggers = [{**after(jobs[0]), **starts(jobs[1])}, {**after(jobs[0], state="FAILED"), **starts(unwanted)}]
    make_workflow(client, "again", starts(jobs[0]), *triggers)
    run = run_workflow(client, "again")
    assert states(run) == {jobs[0]: ["FAILED", "SUCCEEDED"], jobs[1]: ["SUCCEEDED"]}
    assert run["Statistics"] == NOTHING | {"TotalActions": 2, "SucceededActions": 2}


def test_and_waits_for_all_jobs_and_any_for_one_and_each_fires_once(client: Clients) -> None:
    good, other, bad = (
        make_job(client, "many-good"),
        make_job(client, "many-other"),
        make_job(client, "many-bad", FAILS),
    )
    both, either, never = (make_job(client, f"many-{name}") for name in ("both", "either", "never"))
    make_workflow(
        client,
        "many",
        starts(good, other, bad),
        {**after(good, other), **starts(both)},
        {**after(good, other, bad, logical="ANY"), **starts(either)},
        {**after(good, bad), **starts(never)},
        # Not on: never fires.
        {"Name": "many-off", "StartOnCreation": False, **after(good), **starts(never)},
    )
    run = run_workflow(client, "many")
    ran = {good: ["SUCCEEDED"], other: ["SUCCEEDED"], bad: ["FAILED"], both: ["SUCCEEDED"], either: ["SUCCEEDED"]}
    assert states(run) == ran
    assert run["Statistics"] == NOTHING | {"TotalActions": 5, "SucceededActions": 4, "FailedActions": 1}


def test_a_job_started_by_hand_fires_no_trigger(client: Clients) -> None:
    glue = client("glue")
    jobs = [make_job(client, "hand-first"), make_job(client, "hand-next")]
    make_workflow(client, "hand", starts(jobs[0]), {**after(jobs[0]), **starts(jobs[1])})
    run_id = glue.start_job_run(JobName=jobs[0])["JobRunId"]
    job_state = lambda: glue.get_job_run(JobName=jobs[0], RunId=run_id)["JobRun"]["JobRunState"]  # noqa: E731
    wait_for("the job", lambda: job_state() == "SUCCEEDED")
    assert states(run_workflow(client, "hand")) == {job: ["SUCCEEDED"] for job in jobs}
    assert len(glue.get_job_runs(JobName=jobs[1])["JobRuns"]) == 1


def test_a_job_that_can_not_start_is_an_error_of_the_run(client: Clients) -> None:
    jobs = [make_job(client, "missing-first"), make_job(client, "missing-next")]
    make_workflow(client, "missing", starts(jobs[0]), {**after(jobs[0]), **starts(jobs[1])})
    client("glue").delete_job(JobName=jobs[1])
    run = run_workflow(client, "missing")
    assert run["Statistics"] == NOTHING | {"TotalActions": 2, "SucceededActions": 1, "ErroredActions": 1}
    (node,) = [node for node in run["Graph"]["Nodes"] if node["Name"] == jobs[1]]
    assert "missing-next" in node["JobDetails"]["JobRuns"][0]["ErrorMessage"]


def test_a_workflow_runs_no_more_often_at_once_than_it_may_and_can_be_stopped(client: Clients) -> None:
    glue = client("glue")
    jobs = [make_job(client, "full-first", LASTS), make_job(client, "full-next")]
    make_workflow(
        client, "full", starts(jobs[0]), {**after(jobs[0], state="STOPPED"), **starts(jobs[1])}, MaxConcurrentRuns=1
    )
    run_id = glue.start_workflow_run(Name="full")["RunId"]
    for again in (lambda: glue.start_workflow_run(Name="full"), lambda: glue.start_trigger(Name="full-start")):
        with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
            again()
    running_job(client, "full", run_id)
    glue.stop_workflow_run(Name="full", RunId=run_id)
    run = ended_run(client, "full", run_id)
    assert run["Status"] == "STOPPED"
    # Nothing more starts in a run that was stopped.
    assert run["Statistics"] == NOTHING | {"TotalActions": 1, "StoppedActions": 1}
    with pytest.raises(glue.exceptions.IllegalWorkflowStateException):
        glue.stop_workflow_run(Name="full", RunId=run_id)
    assert [run["WorkflowRunId"] for run in glue.get_workflow_runs(Name="full")["Runs"]] == [run_id]


def test_the_properties_of_a_run_are_its_own(client: Clients) -> None:
    glue, job = client("glue"), make_job(client, "proper-job")
    make_workflow(client, "proper", starts(job), DefaultRunProperties={"day": "1", "kind": "all"})
    run_ids = [glue.start_workflow_run(Name="proper", RunProperties={"day": "2"})["RunId"] for _ in range(2)]
    glue.put_workflow_run_properties(Name="proper", RunId=run_ids[0], RunProperties={"kind": "new", "more": "3"})
    found = [glue.get_workflow_run_properties(Name="proper", RunId=run_id)["RunProperties"] for run_id in run_ids]
    assert found == [{"day": "2", "kind": "new", "more": "3"}, {"day": "2", "kind": "all"}]
    assert glue.get_workflow(Name="proper")["Workflow"]["DefaultRunProperties"] == {"day": "1", "kind": "all"}
    first, second = (ended_run(client, "proper", run_id) for run_id in run_ids)
    assert first["WorkflowRunProperties"] == found[0]
    # The second found its job at its own limit of concurrent runs.
    assert {run["Statistics"]["TotalActions"] for run in (first, second)} == {1}


def test_runs_come_latest_first_in_pages(client: Clients) -> None:
    glue, job = client("glue"), make_job(client, "paged-job")
    make_workflow(client, "paged", starts(job))
    run_ids = [run_workflow(client, "paged")["WorkflowRunId"] for _ in range(3)]
    first = glue.get_workflow_runs(Name="paged", MaxResults=2)
    rest = glue.get_workflow_runs(Name="paged", MaxResults=2, NextToken=first["NextToken"])
    assert [run["WorkflowRunId"] for run in [*first["Runs"], *rest["Runs"]]] == run_ids[::-1]
    assert "NextToken" not in rest


def test_a_workflow_without_a_start_trigger_has_nothing_to_run(client: Clients) -> None:
    glue = client("glue")
    glue.create_workflow(Name="idle")
    with pytest.raises(glue.exceptions.InvalidInputException, match="idle has no start trigger"):
        glue.start_workflow_run(Name="idle")
