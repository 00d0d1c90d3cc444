"""plan, apply and destroy: what runs in which order, what is asked, and what stops it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.scripts.conftest import BUCKET, FakeTerraform

import artifacts
import deploy
import deployment_bucket
import environments
from environments import DeployError

PLAIN = '{"type": "change_summary", "@message": "Plan: 0", "changes": {"operation": "apply"}}\n'


@pytest.fixture
def built(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build of nothing, which `make package` would make again."""
    (project / artifacts.PACKAGE).mkdir(parents=True)
    artifacts.write_manifest(project, [])
    monkeypatch.setattr(deploy.package, "package", lambda: artifacts.write_manifest(project, []))
    return project


def answering(answer: str | None) -> Callable[[str], str]:
    """What a person types when asked; None: there is nobody."""

    def asked(_: str) -> str:
        if answer is None:
            raise EOFError
        return answer

    return asked


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The command."""
    monkeypatch.setattr(sys, "argv", ["deploy.py", *arguments])
    return deploy.main()


def test_apply_prepares_uploads_and_applies(
    built: Path, terraform: FakeTerraform, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    terraform.answers("apply", PLAIN)
    uploads: list[list[str]] = []
    monkeypatch.setattr(deploy.upload, "upload", lambda *_: uploads.append(terraform.commands()))
    assert run(monkeypatch, "apply", "--environment", "dev") == 0  # nothing would change, so nothing is asked
    assert terraform.commands() == ["init", "plan", "apply"]
    assert uploads == [["init", "plan"]]  # once, and before anything is applied


@pytest.mark.parametrize(
    ("name", "yes", "answer", "applied"),
    [
        ("dev", False, "dev", True),
        ("dev", False, "yes", False),
        ("production", False, None, False),
        ("production", True, None, True),
    ],
)
def test_apply_does_what_was_shown_and_agreed_to(
    built: Path,
    terraform: FakeTerraform,
    bucket: str,
    name: str,
    yes: bool,
    answer: str | None,
    applied: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    terraform.answers("plan", "Plan: 3 to add\n", code=2)
    terraform.answers("apply", PLAIN)
    monkeypatch.setattr("builtins.input", answering(answer))
    code = run(monkeypatch, "apply", "--environment", name, *(["--yes"] if yes else []))
    shown = capsys.readouterr()
    assert "Plan: 3 to add\n" in shown.out
    if not applied:
        assert (code, terraform.commands()) == (1, ["init", "plan"])
        assert shown.err == f"error: that isn't {name}: nothing was applied; YES=1 answers for you\n"
        return
    assert (code, terraform.commands()) == (0, ["init", "plan", "apply"])
    file = built / "build" / "terraform" / name / "approved.tfplan"
    assert terraform.calls("plan")[0][0][-1] == f"-out={file}"
    assert terraform.calls("apply")[0][0][-1] == str(file)


def test_plan_puts_nothing_anywhere(
    built: Path,
    terraform: FakeTerraform,
    bucket: str,
    aws: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    terraform.answers("plan", "Plan: 3 to add\n", code=2)
    assert run(monkeypatch, "plan", "--environment", "dev") == 0
    assert capsys.readouterr().out == "Plan: 3 to add\n"
    assert terraform.commands() == ["init", "plan"]
    assert "Contents" not in aws.list_objects_v2(Bucket=bucket)


@pytest.mark.parametrize("action", ["plan", "apply", "destroy"])
def test_without_the_bucket_the_remedy_is_named(
    built: Path,
    terraform: FakeTerraform,
    aws: Any,
    action: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, action, "--environment", "dev", "--yes") == 1
    expected = f"error: the deployment bucket {BUCKET} isn't there: run make bootstrap ENV=dev\n"
    assert capsys.readouterr().err == expected
    assert terraform.calls() == []


def test_local_gets_its_bucket_by_itself(built: Path, terraform: FakeTerraform, aws: Any) -> None:
    terraform.answers("apply", PLAIN)
    deploy.apply("local", lambda _: None)
    assert deployment_bucket.bootstrap(aws, BUCKET, "123456789012", "eu-west-1") == []
    assert terraform.commands() == ["init", "apply"]


def test_without_the_cloud_local_says_how_to_start_it(
    built: Path,
    terraform: FakeTerraform,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(environments.control, "running", lambda: None)
    assert run(monkeypatch, "apply", "--environment", "local") == 1
    assert capsys.readouterr().err == "error: the laptop cloud isn't running: make up\n"


def test_an_unknown_environment_lists_the_known(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "plan", "--environment", "prod") == 1
    assert capsys.readouterr().err == "error: there is no environment 'prod'; there are: dev, local, production\n"


@pytest.mark.parametrize(
    ("name", "yes", "answer", "destroyed"),
    [
        ("dev", False, "dev", True),
        ("dev", False, "yes", False),
        ("dev", False, None, False),
        ("dev", True, None, True),
        ("production", True, None, False),
        ("production", True, "dev", False),
        ("production", True, " production ", True),
    ],
)
def test_destroy_asks_for_the_name(
    built: Path,
    terraform: FakeTerraform,
    bucket: str,
    name: str,
    yes: bool,
    answer: str | None,
    destroyed: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("builtins.input", answering(answer))
    code = run(monkeypatch, "destroy", "--environment", name, *(["--yes"] if yes else []))
    shown = capsys.readouterr()
    assert (code, terraform.commands()) == ((0, ["init", "show", "destroy"]) if destroyed else (1, []))
    assert "it stops\nbefore anything is deleted" in shown.out
    assert ("nothing was destroyed" in shown.err) is not destroyed
    assert ("YES=1" in shown.err) is (not destroyed and name != "production")


def test_destroying_a_laptop_cloud_keeps_nothing_and_says_nothing_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    deploy.confirm_destroy("local", yes=True)
    assert capsys.readouterr().out == ""


def deployed(terraform: FakeTerraform, **buckets: bool) -> None:
    """A state with these buckets, and whether they are deleted with what is in them."""
    resources = [
        {"type": "aws_s3_bucket", "values": {"bucket": name, "force_destroy": thrown}}
        for name, thrown in buckets.items()
    ]
    lake = {"resources": [*resources, {"type": "aws_kms_key", "values": {}}]}
    state = {"values": {"root_module": {"child_modules": [{"resources": []}, lake]}}}
    terraform.answers("show", json.dumps(state))
    terraform.answers("destroy", PLAIN)


@pytest.mark.parametrize("deleted", [False, True])
def test_destroy_stops_before_anything_when_data_is_there(
    built: Path, terraform: FakeTerraform, bucket: str, aws: Any, deleted: bool
) -> None:
    deployed(terraform, raw=False, lake=False, queries=True, gone=False)
    for name in ("raw", "lake", "queries"):
        aws.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        aws.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for name in ("lake", "queries"):
        aws.put_object(Bucket=name, Key="x", Body=b"1")
    if deleted:  # for the eye; its versions are there, and keep the bucket
        aws.delete_object(Bucket="lake", Key="x")
    with pytest.raises(DeployError) as refused:
        deploy.destroy("dev", lambda _: None)
    assert str(refused.value) == (
        "lake holds objects: nothing was destroyed; empty it first, with all versions, if its data may go"
    )
    assert terraform.commands() == ["init", "show"]
    for kind in ("Versions", "DeleteMarkers"):
        for version in aws.list_object_versions(Bucket="lake").get(kind, []):
            aws.delete_object(Bucket="lake", Key="x", VersionId=version["VersionId"])
    deploy.destroy("dev", lambda _: None)
    assert terraform.commands()[-1] == "destroy"


def test_a_bucket_that_cannot_be_looked_at_stops_destroy(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListObjectVersions")

    monkeypatch.setattr(aws, "list_object_versions", refuse)
    with pytest.raises(DeployError, match=r"^the bucket raw can't be looked at, so nothing was destroyed: .*Denied"):
        deploy._holds_objects(aws, "raw")


def test_a_failure_is_shown_whole(
    built: Path,
    terraform: FakeTerraform,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    terraform.answers("plan", error="Error: one\n\nbecause\n\nError: two\n", code=1)
    assert run(monkeypatch, "plan", "--environment", "dev") == 1
    shown = capsys.readouterr().err
    assert shown.startswith("error: terraform plan failed for dev:\nError: one\n\nbecause\n\nError: two\nIts log is ")


def test_an_interrupt_is_no_stack_trace(
    built: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(deploy.package, "package", interrupt)
    assert run(monkeypatch, "apply", "--environment", "dev") == 130
    assert capsys.readouterr().err.startswith("interrupted; what was done so far is in the state")


def test_the_bucket_of_another_account_is_never_used(
    built: Path, terraform: FakeTerraform, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "account", lambda environment: "999999999999")
    with pytest.raises(DeployError, match=r"oakvale-deployment-999999999999-eu-west-1 isn't there"):
        deploy.destroy("dev", lambda _: None)
