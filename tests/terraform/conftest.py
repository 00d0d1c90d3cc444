"""Terraform, ready to run, and the deployments that the tests look at: each is made once."""

from __future__ import annotations

import pytest

import terraform_program
import terraform_provider
from tests.terraform.deployment import BOUNDARY, TERRAFORM, Deployment, TerraformRun, apply_mocked, deploy


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> TerraformRun:
    """Terraform with the provider installed, as a deployment finds it."""
    return initialised(TerraformRun(tmp_path_factory.mktemp("terraform")))


@pytest.fixture(scope="session")
def delivery_terraform(tmp_path_factory: pytest.TempPathFactory) -> TerraformRun:
    """The same for the root of those who deploy."""
    return initialised(TerraformRun(tmp_path_factory.mktemp("delivery"), TERRAFORM / "delivery"))


def initialised(run: TerraformRun) -> TerraformRun:
    """Terraform once it has what it needs."""
    known, mirror = terraform_provider.remembered()
    if not known:
        mirror = terraform_provider.choose(terraform_program.find_terraform().program)
    source = [f"-plugin-dir={mirror}"] if mirror else []
    init = run("init", "-backend=false", "-input=false", "-no-color", *source)
    assert init.returncode == 0, init.stdout + init.stderr
    return run


@pytest.fixture(scope="session")
def delivery(delivery_terraform: TerraformRun) -> Deployment:
    """Who may deploy the environments of a repository."""
    return apply_mocked(delivery_terraform, "-var=repository=owner/name")


@pytest.fixture(scope="session")
def local(terraform: TerraformRun) -> Deployment:
    """The laptop's environment."""
    return deploy(terraform, "local")


@pytest.fixture(scope="session")
def dev(terraform: TerraformRun) -> Deployment:
    """A development environment with Delta jars of its own."""
    return deploy(terraform, "dev", "-var=delta_jars=own")


@pytest.fixture(scope="session")
def staging(terraform: TerraformRun) -> Deployment:
    """The rehearsal for production, in an account that bounds its roles."""
    return deploy(terraform, "staging", f"-var=permissions_boundary_arn={BOUNDARY}")


@pytest.fixture(scope="session")
def production(terraform: TerraformRun) -> Deployment:
    """Production."""
    return deploy(terraform, "production")


@pytest.fixture(params=["local", "dev", "staging", "production"])
def deployment(request: pytest.FixtureRequest) -> Deployment:
    """Each environment in turn."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Deployment)
    return found
