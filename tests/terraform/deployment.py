"""What Terraform would deploy for an environment file, without an account: a test run against a mocked provider."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import terraform_program

ROOT = Path(__file__).resolve().parents[2]
TERRAFORM = ROOT / "terraform"
ACCOUNT = "111122223333"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
# A build of two pipelines that is never deployed: `shop` has two sources, so a mix-up of tables shows.
PACKAGE = "tests/package"
TIMEOUT_SECONDS = 400


class TerraformRun:
    """Terraform with its data in a folder of the tests, for the repository's code or a copy of it."""

    def __init__(self, data: Path, code: Path = TERRAFORM) -> None:
        self.data, self.code = data, code

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs it; nothing of this machine's AWS account can reach it."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_VAR_"))}
        return subprocess.run(
            [terraform_program.find_terraform().program, f"-chdir={self.code}", *arguments],
            env={**terraform_program.clean(variables), "TF_DATA_DIR": str(self.data)},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )


@dataclass(frozen=True)
class Deployment:
    """Every resource with its values, as an apply would leave them."""

    resources: dict[str, dict[str, Any]]
    outputs: dict[str, Any]

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """The resources of a kind, by address."""
        return {address: values for address, values in self.resources.items() if f".{kind}." in f".{address}"}

    def one(self, address: str) -> dict[str, Any]:
        """A resource by the end of its address."""
        found = [values for key, values in self.resources.items() if key.endswith(address)]
        assert len(found) == 1, f"{address}: {len(found)} resources"
        return found[0]

    def statements(self, role: str) -> dict[str, dict[str, Any]]:
        """The statements of a role's policies, by Sid."""
        policies = [values["policy"] for values in self.of("aws_iam_role_policy").values() if values["role"] == role]
        return by_sid(*policies)

    def trust(self, role: str) -> dict[str, Any]:
        """The one statement that says who may take a role."""
        (found,) = [values for values in self.of("aws_iam_role").values() if values["name"] == role]
        (statement,) = json.loads(found["assume_role_policy"])["Statement"]
        return dict(statement)


def by_sid(*policies: str) -> dict[str, dict[str, Any]]:
    """The statements of policies by Sid; each must have one of its own."""
    statements = [statement for policy in policies for statement in json.loads(policy)["Statement"]]
    found = {statement["Sid"]: statement for statement in statements}
    assert len(found) == len(statements), "a Sid stands twice"
    return found


def deploy(terraform: TerraformRun, environment: str, *options: str) -> Deployment:
    """The deployment of an environment file, mocked."""
    values = (f"-var-file=environments/{environment}.tfvars", f"-var=package={PACKAGE}")
    return apply_mocked(terraform, "-test-directory=tests/environments", *values, *options)


def apply_mocked(terraform: TerraformRun, *options: str) -> Deployment:
    """What the one test run of a root leaves, mocked."""
    run = terraform("test", "-json", "-verbose", *options)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    messages = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    (state,) = [message["test_state"] for message in messages if message["type"] == "test_state"]
    return Deployment(
        {resource["address"]: resource["values"] for resource in _resources(state["root_module"])},
        {name: output["value"] for name, output in state["outputs"].items()},
    )


def _resources(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from _resources(child)
