"""Show what this machine needs to run the project, what it has, and how to get the rest.

Runs with Python 3.8 and newer, without a single package installed: it is the first thing to try.
"""

from __future__ import annotations

import argparse
import sys

from machine_checks import (
    Check,
    check_disk,
    check_java,
    check_make,
    check_provider,
    check_python,
    check_terraform,
)
from project_checks import check_build, check_cloud, check_jars, check_packages

CHECKS = (
    *(check_python, check_java, check_make, check_terraform, check_provider, check_disk),
    *(check_packages, check_jars, check_build, check_cloud),
)


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
    checks = [check() for check in CHECKS]
    show(checks)
    return 0 if all(check.passed for check in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
