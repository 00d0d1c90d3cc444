"""Makes the roles with which GitHub's jobs deploy, once per account: `make delivery REPOSITORY=owner/name`."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import deploy
import environments
import terraform_runner
from environments import DeployError

NAME = "delivery"
IDS = re.compile(r"@\d+")
"""What GitHub may sign beside the names of owner and repository."""
SETTINGS = "settings"
"""The output that holds what GitHub must know."""


@dataclass(frozen=True)
class Delivery(environments.Environment):
    """The root in terraform/delivery: a state beside those of the environments, and values that are given."""

    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> Path:
        """The folder of Terraform's code that describes it."""
        return environments.TERRAFORM / "delivery"

    @property
    def options(self) -> list[str]:
        """What gives Terraform's variables their values, as options."""
        return [f"-var={name}={value}" for name, value in {"region": self.region, **self.given}.items()]


def find(beside: environments.Environment, given: Mapping[str, str]) -> Delivery:
    """The delivery of the account and region of an environment."""
    return Delivery(NAME, beside.region, beside.profile, given)


def apply(delivery: Delivery, bucket: str, note: deploy.Note, approve: Callable[[], None] | None) -> dict[str, str]:
    """Makes the roles what the code says; tells what GitHub must know. A plan is shown if there is who approves it."""
    terraform_runner.init(delivery, bucket)
    planned = deploy.approved_plan(delivery, note, approve) if approve else None
    terraform_runner.apply(delivery, note, planned)
    settings: dict[str, str] = terraform_runner.outputs_of(delivery)[SETTINGS]
    return settings


def show(delivery: Delivery, settings: Mapping[str, str]) -> None:
    """Writes down what GitHub must know, and prints it with the command that tells it."""
    file = delivery.folder / "github.env"
    lines = [f"{name}={value}" for name, value in settings.items()]
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    print("\nVariables of the repository on GitHub, none of them a secret:", *lines, sep="\n")
    place = file.relative_to(environments.ROOT)
    print(f"\nSet them: gh variable set --env-file {place} --repo {IDS.sub('', delivery.given['repository'])}")


def main() -> int:
    """Command line; exit code 1 when something fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", required=True, help="any environment of the account and region")
    parser.add_argument("--repository", required=True, help="OWNER/NAME on GitHub, or OWNER@id/NAME@id")
    parser.add_argument("--identity-provider", help="ARN of GitHub's identity provider, where the account has one")
    parser.add_argument("--yes", action="store_true", help="without asking")
    options = parser.parse_args()
    given = {"repository": options.repository}
    if options.identity_provider:
        given["identity_provider_arn"] = options.identity_provider
    try:
        beside = environments.enter(options.environment)
        approve = None if beside.name == deploy.LOCAL else lambda: deploy.confirm_apply(NAME, yes=options.yes)
        bucket = terraform_runner.require_bucket(beside)
        delivery = find(beside, given)
        show(delivery, apply(delivery, bucket, lambda line: print(line, flush=True), approve))
    except DeployError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
