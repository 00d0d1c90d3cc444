"""What the project needs of a machine: programs, the provider of Terraform, room on the disk. Needs no package."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import java_runtime
import terraform_program
import terraform_provider

ROOT = Path(__file__).resolve().parent.parent
PYTHON_NEEDED = (3, 11)
MAKE_NEEDED = (3, 81)
FREE_SPACE_NEEDED_GB = 4


@dataclass(frozen=True)
class Check:
    """One thing that is needed: what was found, and how to get it when that isn't enough."""

    name: str
    needed: str
    found: str
    remedy: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing is left to do."""
        return not self.remedy


def check_python() -> Check:
    """The Python that runs this: make setup builds .venv with it."""
    enough = sys.version_info[:2] >= PYTHON_NEEDED
    remedy = "install a newer Python and name it: make setup PYTHON=python3.11"
    return Check("Python", "3.11 or newer", platform.python_version(), "" if enough else remedy)


def check_java() -> Check:
    """Java of exactly the version that Glue runs."""
    needed = f"{java_runtime.REQUIRED_VERSION}"
    try:
        java = java_runtime.find_java()
    except java_runtime.JavaNotFoundError as error:
        return Check("Java", needed, error.found, java_runtime.HOW_TO_GET_IT)
    return Check("Java", needed, f"{java.version} in {java.home}")


def check_make() -> Check:
    """GNU make; what macOS ships is enough."""
    needed, remedy = "GNU make 3.81 or newer", "install GNU make, for example: sudo apt install make"
    program = shutil.which("make")
    if program is None:
        return Check("make", needed, "nothing", remedy)
    answer = subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True, check=False)
    version = re.match(r"GNU Make (\d+)\.(\d+)", answer.stdout)
    if version is None:
        return Check("make", needed, "another make", remedy)
    enough = (int(version.group(1)), int(version.group(2))) >= MAKE_NEEDED
    return Check("make", needed, version.group(0), "" if enough else remedy)


def check_terraform() -> Check:
    """Terraform, new enough for the configuration in terraform/."""
    needed = "1.11 or newer"
    try:
        terraform = terraform_program.find_terraform()
    except terraform_program.TerraformNotFoundError as error:
        return Check("Terraform", needed, error.found, terraform_program.HOW_TO_GET_IT)
    return Check("Terraform", needed, f"{terraform.version} in {terraform.program}")


def check_provider() -> Check:
    """Whether Terraform can get the AWS provider: from the mirror that has worked before, the registry, or a mirror."""
    name, needed = "AWS provider", "the registry, or a mirror"
    try:
        program = terraform_program.find_terraform().program
        _, before = terraform_provider.remembered()
        # Terraform's own ways have worked before; that a registry answered then says nothing about now.
        mirror = before or terraform_provider.choose(program)
    except terraform_program.TerraformNotFoundError:
        return Check(name, needed, "no Terraform that could look for it", "get Terraform first")
    except terraform_provider.ProviderError as error:
        return Check(name, needed, error.reason, error.remedy)
    if mirror is None:
        return Check(name, needed, "Terraform finds it by itself")
    return Check(name, needed, f"{'what worked before: ' if before else ''}a mirror in {mirror}")


def check_disk() -> Check:
    """Room for packages, jars, provider, what is built and a small lake, in a folder that can be written."""
    needed = f"{FREE_SPACE_NEEDED_GB} GB free, writable"
    free = f"{shutil.disk_usage(ROOT).free / 1e9:.1f} GB free in {ROOT}"
    if not os.access(ROOT, os.W_OK):
        return Check("Disk", needed, f"{ROOT} can't be written", "get write access, or clone elsewhere")
    enough = shutil.disk_usage(ROOT).free >= FREE_SPACE_NEEDED_GB * 1e9
    return Check("Disk", needed, free, "" if enough else "free some space, or clone to another disk")
