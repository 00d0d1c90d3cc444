"""The environments that terraform/environments/ describes, and the AWS account that each is deployed to."""

from __future__ import annotations

import os
import re
import urllib.error
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from direct_http import open_directly
from local_cloud import control

ROOT = Path(__file__).resolve().parent.parent
TERRAFORM = ROOT / "terraform"


class DeployError(Exception):
    """Something can't be deployed; the message says why and what to do."""


@dataclass(frozen=True)
class Environment:
    """One file of terraform/environments/: its name, region, and the profile that it asks for."""

    name: str
    region: str
    profile: str | None

    @property
    def values(self) -> Path:
        """The file that gives Terraform's variables their values."""
        return TERRAFORM / "environments" / f"{self.name}.tfvars"

    @property
    def code(self) -> Path:
        """The folder of Terraform's code that describes it."""
        return TERRAFORM

    @property
    def options(self) -> list[str]:
        """What gives Terraform's variables their values, as options."""
        return [f"-var-file={self.values}"]

    @property
    def folder(self) -> Path:
        """What Terraform keeps on this machine for it, its logs too."""
        return ROOT / "build" / "terraform" / self.name

    def variables(self) -> dict[str, str]:
        """This process's environment variables, with the region and the profile of the environment."""
        named = {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        return {**os.environ, **named, **({"AWS_PROFILE": self.profile} if self.profile else {})}

    def session(self) -> boto3.Session:
        """A boto3 session for its region and profile. Raises DeployError when there is no such profile."""
        try:
            return boto3.Session(profile_name=self.profile, region_name=self.region)
        except BotoCoreError as error:
            raise DeployError(f"{self.name}: {error}") from error


def find(name: str) -> Environment:
    """The environment of a name. Raises DeployError, naming those that there are."""
    environment = Environment(name, "", None)
    if name not in names():
        raise DeployError(f"there is no environment {name!r}; there are: {', '.join(names()) or 'none'}")
    region = _value(environment.values, "region") or _usual_region()
    if region is None:
        raise DeployError(f'{environment.values} must name the region, such as region = "us-east-1"')
    return Environment(name, region, _value(environment.values, "aws_profile"))


def enter(name: str) -> Environment:
    """The environment of a command. For `local`, this process then knows no other account than the laptop cloud's."""
    environment = find(name)
    if name == "local":
        cloud = control.running()
        if cloud is None:
            raise DeployError("the laptop cloud isn't running: make up")
        enter_cloud(cloud)
    return environment


def enter_cloud(cloud: control.Cloud) -> None:
    """Makes this process one that knows no other account than a laptop cloud's."""
    for variable in [variable for variable in os.environ if variable.startswith("AWS_")]:
        del os.environ[variable]
    os.environ.update(cloud.environment())


def names() -> list[str]:
    """All environments."""
    return sorted(path.stem for path in (TERRAFORM / "environments").glob("*.tfvars"))


def account(environment: Environment) -> str:
    """The number of the account that the credentials belong to. Raises DeployError when they don't work."""
    check_endpoint()
    session = environment.session()
    try:
        return session.client("sts").get_caller_identity()["Account"]
    except NoCredentialsError as error:
        raise DeployError(
            "there are no AWS credentials: run aws configure or aws sso login, or set AWS_PROFILE"
        ) from error
    except (BotoCoreError, ClientError) as error:
        raise DeployError(f"the AWS credentials of {environment.name} don't work: {error}") from error


def check_endpoint() -> None:
    """Raises DeployError when AWS_ENDPOINT_URL names an address where nothing answers: Terraform would try for long."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        return
    try:
        with open_directly(endpoint):
            pass
    except urllib.error.HTTPError:
        pass  # it answers, and that is all that was asked
    except (OSError, ValueError) as error:
        raise DeployError(
            f"nothing answers at {endpoint}, where AWS_ENDPOINT_URL points ({error}): "
            "start it (the laptop cloud: make up), or unset AWS_ENDPOINT_URL"
        ) from error


def _usual_region() -> str | None:
    """The region of an environment that names none: the default of Terraform's variable."""
    text = (TERRAFORM / "variables.tf").read_text(encoding="utf-8")
    found = re.search(r'^variable "region" \{\n(?:  .*\n)*?  default\s*=\s*"([^"]+)"', text, re.MULTILINE)
    return found.group(1) if found else None


def _value(file: Path, name: str) -> str | None:
    found = re.search(rf'^{name}\s*=\s*"([^"]*)"', file.read_text(encoding="utf-8"), re.MULTILINE)
    return found.group(1) if found else None
