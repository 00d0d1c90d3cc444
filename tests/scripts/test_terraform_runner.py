"""Terraform runs with a state, a folder and a time-out of its own for each environment, and its errors stay whole."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tests.scripts.conftest import BUCKET, FakeTerraform

import environments
import terraform_program
import terraform_provider
import terraform_runner
from environments import DeployError
from terraform_runner import TerraformError

ROOT = Path(__file__).resolve().parents[2]
SUMMARY = {"add": 1, "change": 0, "remove": 0, "import": 0, "operation": "plan"}
EVENTS = [
    {"type": "change_summary", "@message": "Plan: 1 to add", "changes": SUMMARY},
    {
        "type": "apply_complete",
        "@message": "done",
        "hook": {"action": "create", "resource": {"addr": "aws_s3_bucket.raw"}},
    },
]
ERROR = {"type": "diagnostic", "@message": "x", "diagnostic": {"severity": "error", "summary": "no", "detail": "why"}}


def lines(events: list[dict[str, Any]]) -> str:
    """Events as Terraform writes them."""
    return "".join(json.dumps(event) + "\n" for event in events)


def test_init_names_state_bucket_and_region(project: Path, terraform: FakeTerraform) -> None:
    terraform_runner.init(environments.find("dev"), BUCKET)
    [(arguments, variables)] = terraform.calls()
    assert arguments == [
        f"-chdir={project / 'terraform'}",
        *("init", "-reconfigure", "-no-color", f"-backend-config=bucket={BUCKET}"),
        *("-backend-config=key=state/dev.tfstate", "-backend-config=region=eu-west-1"),
        "-backend-config=use_lockfile=true",
    ]
    assert variables["TF_DATA_DIR"] == str(project / "build" / "terraform" / "dev")
    assert (variables["AWS_REGION"], variables["TF_INPUT"]) == ("eu-west-1", "0")


def test_a_remembered_mirror_is_used(project: Path, terraform: FakeTerraform, tmp_path: Path) -> None:
    (tmp_path / "mirror" / "host" / "hashicorp" / "aws").mkdir(parents=True)
    terraform_provider.remember(tmp_path / "mirror")
    terraform_runner.init(environments.find("dev"), BUCKET)
    assert [call[0][-1] for call in terraform.calls()] == [f"-plugin-dir={tmp_path / 'mirror'}"]


def test_a_choice_that_no_longer_works_is_made_anew(
    project: Path, terraform: FakeTerraform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = tmp_path / "mirror"
    (mirror / "host" / "hashicorp" / "aws").mkdir(parents=True)
    monkeypatch.setattr(terraform_provider, "mirrors", lambda: iter([mirror]))
    terraform.answers("init", error="Error: no provider: the registry is away\n", code=1)
    terraform.answers("init", having="-plugin-dir")
    terraform_runner.init(environments.find("dev"), BUCKET)
    assert ["-plugin-dir" in call[0][-1] for call in terraform.calls()] == [False, False, True]
    assert terraform_provider.remembered() == (True, mirror)


def test_no_provider_stops_before_an_init(
    project: Path, terraform: FakeTerraform, monkeypatch: pytest.MonkeyPatch
) -> None:
    terraform_provider.CHOICE.unlink()
    monkeypatch.setattr(terraform_provider, "mirrors", lambda: iter(()))
    terraform.answers("init", error="Error: no such host\n", code=1)
    with pytest.raises(DeployError, match=r"^Terraform can't get the AWS provider \(Error: no such host\), and there"):
        terraform_runner.init(environments.find("dev"), BUCKET)
    assert len(terraform.calls("init")) == 1


def test_an_init_that_fails_tells_the_error(project: Path, terraform: FakeTerraform) -> None:
    terraform.answers("init", "Initializing\n", error="Error: no bucket\n\nmake it\n", code=1)
    with pytest.raises(TerraformError) as refused:
        terraform_runner.init(environments.find("dev"), BUCKET)
    log = project / "build" / "terraform" / "dev" / "init.log"
    assert str(refused.value) == f"terraform init failed for dev:\nError: no bucket\n\nmake it\nIts log is {log}"
    assert log.read_text() == "Initializing\nError: no bucket\n\nmake it\n"
    assert terraform.commands() == ["init"]  # another provider wouldn't have helped


def test_apply_says_each_resource_and_keeps_a_log(project: Path, terraform: FakeTerraform) -> None:
    terraform.answers("apply", lines(EVENTS))
    said: list[str] = []
    terraform_runner.apply(environments.find("dev"), said.append)
    assert said[0] == "Plan: 1 to add"
    assert said[1].startswith("1/1 ")
    assert said[1].endswith(" s  created aws_s3_bucket.raw")
    [(arguments, _)] = terraform.calls()
    values = project / "terraform" / "environments" / "dev.tfvars"
    assert arguments[1:] == ["apply", "-json", "-auto-approve", "-lock-timeout=60s", f"-var-file={values}"]
    log = (project / "build" / "terraform" / "dev" / "apply.log").read_text()
    assert log.splitlines() == [" Plan: 1 to add", " done"]


@pytest.mark.parametrize("change", [terraform_runner.apply, terraform_runner.destroy])
def test_a_change_that_fails_tells_the_whole_error(project: Path, terraform: FakeTerraform, change: Any) -> None:
    terraform.answers(change.__name__, lines([*EVENTS, ERROR]), code=1)
    with pytest.raises(TerraformError) as refused:
        change(environments.find("dev"), lambda _: None)
    log = project / "build" / "terraform" / "dev" / f"{change.__name__}.log"
    name = change.__name__
    assert str(refused.value) == f"terraform {name} failed for dev:\nError: no\nwhy\nIts log is {log}"


def test_kept_buckets_are_those_that_must_be_empty(project: Path, terraform: FakeTerraform) -> None:
    assert terraform_runner.kept_buckets(environments.find("dev")) == []
    found = [{"type": "aws_s3_bucket", "values": {"bucket": name, "force_destroy": name == "q"}} for name in "rql"]
    inner = {"child_modules": [{"resources": [*found, {"type": "aws_sns_topic", "values": {}}]}]}
    terraform.answers("show", json.dumps({"values": {"root_module": {"child_modules": [inner]}}}))
    assert terraform_runner.kept_buckets(environments.find("dev")) == ["l", "r"]


def test_a_terraform_that_breaks_down_is_quoted(project: Path, terraform: FakeTerraform) -> None:
    terraform.answers("apply", "panic: oh\n", code=2)
    with pytest.raises(TerraformError, match=r"^terraform apply failed for dev:\npanic: oh\nIts log is "):
        terraform_runner.apply(environments.find("dev"), lambda _: None)


@pytest.mark.parametrize(("code", "changes"), [(0, False), (2, True)])
def test_a_plan_is_shown_without_chatter(project: Path, terraform: FakeTerraform, code: int, changes: bool) -> None:
    out = "\n\naws_x.y: Refreshing state... [id=1]\ndata.z: Reading...\n\nPlan: 1 to add\n\n\n  + x\n"
    terraform.answers("plan", out, code=code)
    said: list[str] = []
    assert terraform_runner.plan(environments.find("dev"), said.append) is changes
    assert said == ["Plan: 1 to add", "", "  + x"]
    assert (project / "build" / "terraform" / "dev" / "plan.log").read_text() == out


def test_a_plan_that_fails_is_an_error(project: Path, terraform: FakeTerraform) -> None:
    terraform.answers("plan", error="Error: wrong\n", code=1)
    with pytest.raises(TerraformError, match=r"^terraform plan failed for dev:\nError: wrong\nIts log is "):
        terraform_runner.plan(environments.find("dev"), lambda _: None)


def initialised(project: Path, **other: str) -> None:
    """What an init leaves."""
    backend = {"bucket": BUCKET, "key": "state/dev.tfstate", "region": "eu-west-1", "encrypt": None, **other}
    file = project / "build" / "terraform" / "dev" / "terraform.tfstate"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"backend": {"type": "s3", "config": backend}}))


def test_outputs_are_values_by_name(project: Path, terraform: FakeTerraform, bucket: str) -> None:
    initialised(project)
    terraform.answers("output", json.dumps({"name": {"value": "x", "sensitive": False}, "jobs": {"value": {"a": "b"}}}))
    assert terraform_runner.outputs("dev") == {"name": "x", "jobs": {"a": "b"}}
    assert terraform.commands() == ["output"]


@pytest.mark.parametrize("other", [None, {"bucket": "another"}])
def test_outputs_of_a_folder_for_another_state_need_an_init(
    project: Path, terraform: FakeTerraform, bucket: str, other: dict[str, str] | None
) -> None:
    if other:
        initialised(project, **other)
    terraform.answers("output", "{}\n")
    assert terraform_runner.outputs("dev") == {}
    assert terraform.commands() == ["init", "output"]


def test_outputs_without_the_bucket_name_the_remedy(project: Path, terraform: FakeTerraform, aws: Any) -> None:
    with pytest.raises(DeployError, match=r"isn't there: run make bootstrap ENV=dev$"):
        terraform_runner.outputs("dev")
    assert terraform.calls() == []


def test_a_call_that_takes_too_long_is_ended(
    project: Path, terraform: FakeTerraform, monkeypatch: pytest.MonkeyPatch
) -> None:
    terraform.answers("apply", hang=True)
    monkeypatch.setattr(terraform_runner, "APPLY", 1.0)
    began = time.monotonic()
    with pytest.raises(TerraformError) as refused:
        terraform_runner.apply(environments.find("dev"), lambda _: None)
    assert time.monotonic() - began < 30
    log = project / "build" / "terraform" / "dev" / "apply.log"
    assert str(refused.value) == f"terraform apply took over 1 s and was ended; its log is {log}"
    assert log.read_text().splitlines() == ["hanging", "Gracefully shutting down..."]


def test_an_interrupt_lets_terraform_end_well(project: Path, terraform: FakeTerraform) -> None:
    """Ctrl-C arrives while a line is shown; Terraform, in a process group of its own, is told once and waited for."""
    terraform.answers("plan", hang=True)

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        terraform_runner.plan(environments.find("dev"), interrupt)
    assert terraform.calls()[0][1]["PROCESS_GROUP"] != str(os.getpgrp())
    assert (terraform.program.parent / "interrupted").read_text() == "once\n"
    assert time.monotonic() - began < 30


def test_no_terraform_is_an_error_of_deploying(project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeployError, match=r"^Terraform 1\.11 or newer is needed, found no Terraform: "):
        terraform_runner.apply(environments.find("dev"), lambda _: None)


def test_the_real_configuration_is_valid(tmp_path: Path) -> None:
    """A real init and validate, of a copy; with the provider as this machine has it."""
    program = terraform_program.find_terraform().program
    mirror = terraform_provider.choose(program)
    copy = shutil.copytree(ROOT / "terraform", tmp_path / "terraform", ignore=shutil.ignore_patterns(".terraform*"))
    columns = Path("glue_scripts/lakehouse/run_record.json")  # which the root reads
    (tmp_path / columns).parent.mkdir(parents=True)
    shutil.copy(ROOT / columns, tmp_path / columns)
    variables = terraform_program.clean({**os.environ, "TF_DATA_DIR": str(tmp_path / "data")})
    mirrored = [] if mirror is None else [f"-plugin-dir={mirror}"]
    for command in (["init", "-backend=false", *mirrored], ["validate"]):
        answer = subprocess.run(
            [program, f"-chdir={copy}", *command, "-no-color"],
            env=variables,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert (answer.returncode, answer.stderr) == (0, "")
