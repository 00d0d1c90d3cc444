"""A pipeline that Step Functions runs: how landed files reach it, and the states of a run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from statelint.linter import Linter

from tests.terraform.deployment import ACCOUNT, Deployment, by_sid

HERE = f"us-east-1:{ACCOUNT}"
MODULE = 'state_machine["market"]'


def states(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """The states of the definition."""
    definition = json.loads(deployment.one(f"{MODULE}.aws_sfn_state_machine.this")["definition"])
    assert definition["StartAt"] == "Begin"
    return dict(definition["States"])


def successors(state: dict[str, Any]) -> set[str]:
    """The states that may follow one."""
    caught = {catch["Next"] for catch in state.get("Catch", [])}
    return caught | ({state["Next"]} if "Next" in state else set())


def test_the_definition_is_valid_to_a_linter_that_is_not_ours(deployment: Deployment) -> None:
    assert Linter.validate(deployment.one(f"{MODULE}.aws_sfn_state_machine.this")["definition"]) == []


def test_the_steps_follow_each_other(production: Deployment) -> None:
    found = states(production)
    path = ["Begin"]
    while "Next" in found[path[-1]]:
        path.append(found[path[-1]]["Next"])
    assert path == ["Begin", "Bronze", "Silver", "Gold", "Archive", "TellOfSuccess", "LookAgain", "Succeeded"]
    jobs = {name: state["Parameters"] for name, state in found.items() if "glue" in state.get("Resource", "")}
    assert jobs == {
        "Bronze": {"JobName": "oakvale-market-bronze"},
        "Silver": {"JobName": "oakvale-market-silver"},
        "Gold": {"JobName": "oakvale-market-gold"},
        "Archive": {"JobName": "oakvale-market-bronze", "Arguments": {"--mode": "archive"}},
    }
    minutes = {name: found[name]["TimeoutSeconds"] // 60 for name in jobs}
    assert minutes == {"Bronze": 90, "Silver": 90, "Gold": 60, "Archive": 90}  # half an hour above the jobs' own


def test_every_task_has_a_time_out_retries_with_jitter_and_a_catch(production: Deployment) -> None:
    tasks = {name: state for name, state in states(production).items() if state["Type"] == "Task"}
    assert len(tasks) == 11
    for name, task in tasks.items():
        assert task["TimeoutSeconds"] >= 60, name
        assert all(retry["JitterStrategy"] == "FULL" and retry["BackoffRate"] >= 2 for retry in task["Retry"]), name
        (catch,) = task["Catch"]
        assert catch["ErrorEquals"] == ["States.ALL"], name


def test_a_job_is_never_tried_again_while_it_might_still_run(production: Deployment) -> None:
    for state in states(production).values():
        if "glue" in state.get("Resource", ""):
            assert state["Resource"].endswith(":glue:startJobRun.sync")
            named = [error for retry in state["Retry"] for error in retry["ErrorEquals"]]
            assert "States.Timeout" not in named
            assert "States.ALL" not in named
            assert [(retry["IntervalSeconds"], retry["MaxAttempts"]) for retry in state["Retry"]] == [(60, 6), (60, 1)]


def test_every_failure_ends_as_one_and_looks_for_more_files_before(production: Deployment) -> None:
    found = states(production)
    ends = {name for name, state in found.items() if state["Type"] in ("Succeed", "Fail")}
    assert ends == {"Succeeded", "Failed", "FailedUntold"}
    for name, state in found.items():
        for catch in state.get("Catch", []):
            paths = [[catch["Next"]]]
            while paths:
                path = paths.pop()
                assert path[-1] not in ("Succeeded", "Bronze"), (name, path)
                if path[-1] in ends:
                    looked = [step for step in path if step.startswith("LookAgain") and not step.endswith("Failed")]
                    assert looked or name.startswith("LookAgainAfter"), (name, path)
                paths += [[*path, following] for following in successors(found[path[-1]])]
    assert set(found) == {"Begin"} | {following for state in found.values() for following in successors(state)}


def test_landed_files_reach_the_function_through_a_queue_that_gathers_them(deployment: Deployment) -> None:
    name, module = f"{deployment.outputs['name']}-market", MODULE
    rule = deployment.one(f"{module}.aws_cloudwatch_event_rule.landed")
    assert json.loads(rule["event_pattern"]) == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": [deployment.outputs["raw_bucket"]]},
            "object": {"key": [{"prefix": "raw/market/"}]},  # files of no table too: they are reported
        },
    }
    queue, dead = (deployment.one(f"{module}.aws_sqs_queue.{each}") for each in ("arrivals", "dead"))
    target = deployment.one(f"{module}.aws_cloudwatch_event_target.queue")
    assert (target["rule"], target["arn"]) == (rule["name"], queue["arn"])
    policy = by_sid(queue["policy"])
    assert set(policy) == {"RuleOfLandedFilesSends", "OnlyOverTls"}
    assert policy["RuleOfLandedFilesSends"]["Principal"] == {"Service": "events.amazonaws.com"}
    assert policy["RuleOfLandedFilesSends"]["Condition"] == {
        "ArnEquals": {"aws:SourceArn": f"arn:aws:events:{HERE}:rule/{name}-start"}
    }
    assert set(by_sid(dead["policy"])) == {"OnlyOverTls"}
    for each, values in ((f"{name}-arrivals", queue), (f"{name}-arrivals-dead", dead)):
        closed = by_sid(values["policy"])["OnlyOverTls"]
        assert (closed["Effect"], closed["Resource"]) == ("Deny", [f"arn:aws:sqs:{HERE}:{each}"])
        assert closed["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert json.loads(queue["redrive_policy"]) == {"deadLetterTargetArn": dead["arn"], "maxReceiveCount": 5}
    mapping = deployment.one(f"{module}.aws_lambda_event_source_mapping.arrivals")
    assert mapping["event_source_arn"] == queue["arn"]
    assert mapping["function_name"] == deployment.one('start_runs["market"].aws_lambda_function.this')["arn"]
    assert mapping["function_response_types"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize(("environment", "window"), [("local", 5), ("dev", 60), ("production", 300)])
def test_a_message_is_left_to_the_function_for_long_enough(
    request: pytest.FixtureRequest, environment: str, window: int
) -> None:
    deployment: Deployment = request.getfixturevalue(environment)
    mapping = deployment.one(f"{MODULE}.aws_lambda_event_source_mapping.arrivals")
    assert (mapping["batch_size"], mapping["maximum_batching_window_in_seconds"]) == (100, window)
    function = deployment.one('start_runs["market"].aws_lambda_function.this')
    queue = deployment.one(f"{MODULE}.aws_sqs_queue.arrivals")
    assert queue["visibility_timeout_seconds"] == 6 * function["timeout"] + window


def test_runs_that_end_without_a_word_are_told_of(production: Deployment) -> None:
    machine = production.one(f"{MODULE}.aws_sfn_state_machine.this")
    rule = json.loads(production.one("aws_cloudwatch_event_rule.ended_runs[0]")["event_pattern"])
    assert rule["source"] == ["aws.states"]
    assert rule["detail"] == {
        "stateMachineArn": [machine["arn"]],
        "$or": [
            {"status": ["ABORTED", "TIMED_OUT"]},
            {"status": ["FAILED"], "error": [{"anything-but": [states(production)["Failed"]["Error"]]}]},
        ],
    }
