"""Find the Terraform program, new enough for the S3 backend's own lock. Needs no package."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

REQUIRED_VERSION = (1, 11)
HOW_TO_GET_IT = "install Terraform 1.11 or newer (developer.hashicorp.com/terraform/install) and put it on PATH"
TIMEOUT_SECONDS = 30


class TerraformNotFoundError(Exception):
    """No Terraform of the required version is on PATH; `found` tells what is."""

    def __init__(self, found: str) -> None:
        super().__init__(f"Terraform 1.11 or newer is needed, found {found}: {HOW_TO_GET_IT}")
        self.found = found


@dataclass(frozen=True)
class Terraform:
    """The program and its version."""

    program: str
    version: str


def find_terraform() -> Terraform:
    """The Terraform on PATH. Raises TerraformNotFoundError when there is none, or too old a one."""
    program = shutil.which("terraform")
    if program is None:
        raise TerraformNotFoundError("no Terraform")
    command = [program, "version", "-json"]
    try:
        answer = subprocess.run(
            command,
            env=clean(os.environ),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        version = str(json.loads(answer.stdout)["terraform_version"])
        parts = [int(part) for part in re.findall(r"\d+", version)[:2]]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        raise TerraformNotFoundError(f"{program}, which doesn't tell its version") from None
    if tuple(parts) < REQUIRED_VERSION:
        raise TerraformNotFoundError(f"{version} in {program}")
    return Terraform(program, version)


def clean(variables: Mapping[str, str]) -> dict[str, str]:
    """Environment variables for Terraform: without a configuration file that isn't there, or calls to check for news.

    Terraform would warn of the missing file before each answer.
    """
    kept = {**variables, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
    if not os.path.isfile(kept.get("TF_CLI_CONFIG_FILE", "")):
        kept.pop("TF_CLI_CONFIG_FILE", None)
    return kept
