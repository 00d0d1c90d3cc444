"""Terraform's own checks, from Python so that `make check` runs them with everything else."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.terraform.deployment import TERRAFORM, TerraformRun


def test_files_are_formatted(terraform: TerraformRun) -> None:
    run = terraform("fmt", "-check", "-recursive", "-no-color")
    assert run.returncode == 0, f"not formatted: {run.stdout}"


def test_configuration_is_valid(terraform: TerraformRun) -> None:
    run = terraform("validate", "-no-color")
    assert run.returncode == 0, run.stdout + run.stderr


def test_its_own_tests_pass(terraform: TerraformRun) -> None:
    run = terraform("test", "-no-color")
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
    runs = sum(file.read_text().count('\nrun "') for file in TERRAFORM.glob("tests/*.tftest.hcl"))
    assert f"{runs} passed, 0 failed" in run.stdout


def test_a_plan_without_a_build_says_what_to_do(terraform: TerraformRun) -> None:
    run = terraform(
        "test", "-no-color", "-test-directory=tests/environments",
        "-var-file=environments/dev.tfvars", "-var=package=tests/no-such-folder",
    )  # fmt: skip
    assert run.returncode == 1
    text = " ".join(re.sub("[│╷╵]", " ", run.stdout + run.stderr).split())
    assert "There is no build in tests/no-such-folder: run make package" in text


def test_a_bucket_that_stays_keeps_its_key(terraform: TerraformRun, tmp_path: Path) -> None:
    """Terraform deletes the key after the buckets, so not at all when one of them can't be deleted."""
    code = shutil.copytree(TERRAFORM, tmp_path / "terraform", ignore=shutil.ignore_patterns(".terraform"))
    versions = code / "versions.tf"
    versions.write_text(versions.read_text().replace('backend "s3" {}', ""))  # it would want a state
    graph = TerraformRun(terraform.data, code)("graph")
    assert graph.returncode == 0, graph.stderr
    key = "module.lake.module.key.aws_kms"
    for one, other in (
        ("module.lake.aws_s3_bucket.this", f"{key}_alias.this"),
        (f"{key}_alias.this", f"{key}_key.this"),
    ):
        assert f'"{one}" -> "{other}";' in graph.stdout


def test_files_stay_short_and_say_what_each_value_is() -> None:
    for file in TERRAFORM.rglob("*.tf"):
        text = file.read_text()
        assert len(text.splitlines()) < 250, file
        blocks = re.findall(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
        for kind, name, block in blocks:
            assert re.search(r'^  description += ".{10,}"$', block, re.MULTILINE), f"{file}: {kind} {name}"
