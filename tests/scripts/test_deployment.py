"""What is deployed is found by the repository's names, and what isn't is said with the command that deploys it."""

from __future__ import annotations

import json
from typing import Any

import pytest

import deployment
import environments
import terraform_runner
from environments import DeployError
from local_cloud import control

OUTPUTS = {
    "region": "eu-west-1",
    "lake_bucket": "lake",
    "workflows": {"movies": "oakvale-dev-movies"},
    "state_machines": {"retail": "arn:aws:states:eu-west-1:111122223333:stateMachine:oakvale-dev-retail"},
    "scheduled_workflows": {"events": ["oakvale-dev-events-hourly", "oakvale-dev-events-daily"]},
}


def test_nothing_deployed_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terraform_runner, "outputs", lambda name: {})
    with pytest.raises(DeployError, match="nothing is deployed in dev: make apply ENV=dev"):
        deployment.read("dev")


def test_reads_the_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terraform_runner, "outputs", lambda name: OUTPUTS)
    assert deployment.read("dev").named("workflows", "movies") == "oakvale-dev-movies"


def test_a_cloud_that_does_not_run_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "running", lambda: None)
    with pytest.raises(DeployError, match="the laptop cloud isn't running: make up"):
        deployment.connect("local")


def test_an_unknown_name_is_told_with_those_that_there_are() -> None:
    with pytest.raises(DeployError, match="dev has no workflow films; there are: movies"):
        deployment.Deployment("dev", OUTPUTS).named("workflows", "films")


def test_each_pipeline_is_run_by_one_of_three() -> None:
    dev = deployment.Deployment("dev", OUTPUTS)
    assert dev.pipelines == ["events", "movies", "retail"]
    kinds = {pipeline: dev.orchestrator(pipeline) for pipeline in dev.pipelines}
    assert kinds == {"events": "scheduled_workflows", "movies": "workflows", "retail": "state_machines"}
    with pytest.raises(DeployError, match="dev has no pipeline films; there are: events, movies, retail"):
        dev.orchestrator("films")


def test_clients_are_of_the_profile_that_the_environment_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = environments.Environment("dev", "eu-west-1", "nobody-has-this")
    monkeypatch.setattr(environments, "find", lambda name: profile)
    with pytest.raises(DeployError, match="nobody-has-this"):
        deployment.Deployment("dev", OUTPUTS).client("s3")


def test_run_records_come_oldest_first(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    keys = {"2026/11/02/b": 2, "2026/11/01/a": 1, "2026/11/10/c": 3}
    for key, number in keys.items():
        record = json.dumps({"number": number}).encode()
        aws.put_object(Bucket="lake", Key=f"runs/movies/gold/{key}.json", Body=record)
    aws.put_object(Bucket="lake", Key="runs/movies/silver/2026/11/03/d.json", Body=b"{}")
    records = deployment.Deployment("dev", OUTPUTS).run_records("movies", "gold")
    assert [record["number"] for record in records] == [1, 2, 3]
