"""`make erase ENV=`: the job is told which request is its own, and no argument says who is erased."""

from __future__ import annotations

import sys
from typing import Any

import pytest

import deployment
import erase
import workflow_runs
from lakehouse import erasure_request
from lakehouse.storage import S3Storage
from workflow_runs import WorkflowFailedError

PERSON = "987654321012"
JOBS = {"retail-erasure": "oakvale-dev-retail-erasure"}


@pytest.fixture
def lake(aws: Any, monkeypatch: pytest.MonkeyPatch) -> S3Storage:
    """The bucket of a deployed lake, which keeps versions; the command line asks for a person of retail."""
    aws.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    aws.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    deployed = deployment.Deployment("dev", {"lake_bucket": "lake", "jobs": JOBS})
    monkeypatch.setattr(deployment.Deployment, "client", lambda _, service: aws)
    monkeypatch.setattr(deployment, "connect", lambda environment: deployed)
    monkeypatch.setattr(sys, "argv", ["erase.py", "--environment", "dev", "--pipeline", "retail"])
    monkeypatch.setenv("GIVEN_PERSON", PERSON)
    return S3Storage("lake", aws)


@pytest.mark.parametrize("ends", ["taken", "never begun"])
def test_the_job_takes_the_request_and_nothing_is_left_of_it(
    lake: S3Storage, ends: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[tuple[Any, ...]] = []

    def run_job(glue: Any, job: str, arguments: dict[str, str], *_: Any) -> dict[str, Any]:
        started.append((job, PERSON in str(arguments)))
        if ends == "never begun":
            raise WorkflowFailedError("no worker is free")
        assert erasure_request.take(lake, "retail", arguments["--request"]) == PERSON
        return {"Id": "jr_1"}

    monkeypatch.setattr(workflow_runs, "run_job", run_job)
    assert erase.main() == (1 if ends == "never begun" else 0)
    assert started == [("oakvale-dev-retail-erasure", False)]
    found = lake.client.list_object_versions(Bucket="lake")
    assert found.get("Versions", []) + found.get("DeleteMarkers", []) == []
    assert ("error: no worker is free" in capsys.readouterr().out) == (ends == "never begun")


def test_a_pipeline_without_persons_has_no_such_job(
    lake: S3Storage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [*sys.argv[:-1], "movies"])
    assert erase.main() == 1
    assert "error: dev has no job movies-erasure; there are: retail-erasure" in capsys.readouterr().out
    assert list(lake.list("")) == []


def test_a_person_is_named_in_the_environment(
    lake: S3Storage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GIVEN_PERSON")
    with pytest.raises(SystemExit):
        erase.main()
    assert "as GIVEN_PERSON: a command line is seen by all" in " ".join(capsys.readouterr().err.split())
