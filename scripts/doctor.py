"""Show what this machine needs to run the project, what it has, and how to get the rest.

Runs with any Python 3 and without a single package installed: it is the first thing to try.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import fetch_jars
import java_runtime

ROOT = Path(__file__).resolve().parent.parent
PYTHON_NEEDED = (3, 11)
MAKE_NEEDED = (3, 81)
FREE_SPACE_NEEDED_GB = 3
PACKAGES_SHOWN = 5


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


def check_packages(root: Path = ROOT) -> Check:
    """The packages in .venv: each in the version that requirements-dev.txt pins."""
    wanted = pinned_versions((root / "requirements-dev.txt").read_text(encoding="utf-8"))
    needed = f"{len(wanted)} packages in .venv"
    folders = [str(folder) for folder in root.glob(".venv/lib/python*/site-packages")]
    if not folders:
        return Check("Packages", needed, "no .venv", "make setup")
    present = {
        normal_name(package.metadata["Name"]): package.version
        for package in importlib.metadata.distributions(path=folders)
    }
    wrong = [
        f"{name} {present.get(name, 'missing')} instead of {version}"
        for name, version in sorted(wanted.items())
        if present.get(name) != version
    ]
    if not wrong:
        return Check("Packages", needed, f"{len(wanted)} as pinned")
    more = f" and {len(wrong) - PACKAGES_SHOWN} more" if len(wrong) > PACKAGES_SHOWN else ""
    return Check("Packages", needed, ", ".join(wrong[:PACKAGES_SHOWN]) + more, "make setup")


def pinned_versions(requirements: str) -> dict[str, str]:
    """Version by package; those with a condition are left out, since not every machine needs them."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+) \\$", requirements, re.MULTILINE)
    return {normal_name(name): version for name, version in pins}


def normal_name(name: str) -> str:
    """The one spelling of a package's name that the index compares by."""
    return re.sub(r"[-_.]+", "-", name).lower()


def check_jars() -> Check:
    """The Delta Lake jars, each with its sum."""
    try:
        sums = fetch_jars.expected_jars()
        missing = fetch_jars.missing_jars(fetch_jars.JAR_FOLDER, sums)
    except fetch_jars.JarError as error:
        return Check("Delta jars", "as in SHA256SUMS", "something else", str(error))
    if missing:
        return Check("Delta jars", "as in SHA256SUMS", f"{', '.join(missing)} missing", "make setup")
    return Check("Delta jars", "as in SHA256SUMS", f"{len(sums)} verified")


def check_disk() -> Check:
    """Room for the packages, the jars, what is built and a small lake, in a folder that can be written."""
    needed = f"{FREE_SPACE_NEEDED_GB} GB free, writable"
    free = f"{shutil.disk_usage(ROOT).free / 1e9:.0f} GB free in {ROOT}"
    if not os.access(ROOT, os.W_OK):
        return Check("Disk", needed, f"{ROOT} can't be written", "get write access, or clone elsewhere")
    enough = shutil.disk_usage(ROOT).free >= FREE_SPACE_NEEDED_GB * 1e9
    return Check("Disk", needed, free, "" if enough else "free some space, or clone to another disk")


def show(checks: list[Check]) -> None:
    """Print the checks: a drawn table on a terminal where rich is there, else one line each."""
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        drawn = False
    else:
        drawn = sys.stdout.isatty()
    if not drawn:
        for check in checks:
            verdict = "ok     " if check.passed else "MISSING"
            remedy = "" if check.passed else f": {check.remedy}"
            print(f"{verdict}  {check.name} (needed: {check.needed}): found {check.found}{remedy}")
        return
    table = Table("", "", "needed")
    for heading in ("found", "how to get it"):
        table.add_column(heading, overflow="fold")
    for check in checks:
        mark = Text("ok", "green") if check.passed else Text("missing", "bold red")
        table.add_row(mark, *map(Text, (check.name, check.needed, check.found, check.remedy)))
    Console().print(table)


def main() -> int:
    """Command line: exit code 1 when something needed is missing."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    checks = [check_python(), check_java(), check_make(), check_packages(), check_jars(), check_disk()]
    show(checks)
    return 0 if all(check.passed for check in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
