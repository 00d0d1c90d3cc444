"""make delivery: a state of its own in the account's bucket, a plan that is approved, and what GitHub must know."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests.scripts.conftest import BUCKET, FakeTerraform

import delivery

SETTINGS = {"AWS_REGION": "eu-west-1", "STAGING_PLAN_ROLE_ARN": "arn:aws:iam::123456789012:role/plan"}
PLAIN = '{"type": "change_summary", "@message": "Plan: 0", "changes": {"operation": "apply"}}\n'
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"


@pytest.fixture
def answering(terraform: FakeTerraform) -> FakeTerraform:
    """A Terraform that would change something, and has outputs."""
    terraform.answers("plan", "Plan: 14 to add\n", code=2)
    terraform.answers("apply", PLAIN)
    terraform.answers("output", json.dumps({"settings": {"value": SETTINGS}}))
    return terraform


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The command."""
    monkeypatch.setattr(sys, "argv", ["delivery.py", "--repository", "owner/name", *arguments])
    return delivery.main()


def test_the_roles_are_planned_approved_and_told(
    project: Path,
    answering: FakeTerraform,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "delivery")
    assert run(monkeypatch, "--environment", "dev", "--identity-provider", PROVIDER) == 0
    assert answering.commands() == ["init", "plan", "apply", "output"]
    init, plan, apply = (answering.calls(command)[0][0] for command in ("init", "plan", "apply"))
    assert f"-backend-config=bucket={BUCKET}" in init
    assert "-backend-config=key=state/delivery.tfstate" in init
    folder = project / "build" / "terraform" / "delivery"
    assert plan[0] == f"-chdir={project / 'terraform' / 'delivery'}"
    assert plan[-4:] == [
        "-var=region=eu-west-1",
        "-var=repository=owner/name",
        f"-var=identity_provider_arn={PROVIDER}",
        f"-out={folder / 'approved.tfplan'}",
    ]
    assert apply[-1] == str(folder / "approved.tfplan")
    told = [f"{name}={value}" for name, value in SETTINGS.items()]
    assert (folder / "github.env").read_text().splitlines() == told
    assert capsys.readouterr().out.splitlines()[-5:] == [
        "Variables of the repository on GitHub, none of them a secret:",
        *told,
        "",
        "Set them: gh variable set --env-file build/terraform/delivery/github.env --repo owner/name",
    ]


@pytest.mark.parametrize(("yes", "applied"), [([], False), (["--yes"], True)])
def test_nothing_is_applied_that_nobody_approves(
    project: Path,
    answering: FakeTerraform,
    bucket: str,
    yes: list[str],
    applied: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "dev")
    assert run(monkeypatch, "--environment", "dev", *yes) == (0 if applied else 1)
    assert ("apply" in answering.commands()) is applied
    error = "error: that isn't delivery: nothing was applied; YES=1 answers for you\n"
    assert capsys.readouterr().err == ("" if applied else error)


def test_without_the_bucket_the_remedy_is_named(
    project: Path,
    answering: FakeTerraform,
    aws: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "--environment", "dev") == 1
    expected = f"error: the deployment bucket {BUCKET} isn't there: run make bootstrap ENV=dev\n"
    assert capsys.readouterr().err == expected
    assert answering.calls() == []
