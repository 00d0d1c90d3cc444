"""Looks through the Terraform code with checkov: no finding without a reason, and no reason without a finding.

The reasons stand in terraform/checkov.yaml: for each check that we don't follow, the resources and why.
checkov lives in an environment of its own, build/checkov, which the first call makes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements-checkov.txt"
REASONS = ROOT / "terraform" / "checkov.yaml"
DELIVERY = ROOT / "terraform" / "delivery"
ROOTS = {ROOT / "terraform": ("--skip-path", re.escape(f"{DELIVERY}/")), DELIVERY: ()}
"""Folder -> further options. Each root by itself: checkov takes variables of two roots that share a name for one."""
ENVIRONMENT = ROOT / "build" / "checkov"
TIMEOUT_SECONDS = 600

Finding = tuple[str, str]
"""A check's id and the resource that fails it, as `module.lake.aws_s3_bucket.this`."""


class ScanError(Exception):
    """checkov can't be installed or run, or the file of reasons is wrong."""


def install(requirements: Path = REQUIREMENTS, environment: Path = ENVIRONMENT) -> Path:
    """Makes checkov's environment unless it is there for these very requirements; returns its program."""
    stamp = environment / hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    if not stamp.exists():
        print("Installing checkov into build/checkov (once, a minute) ...", flush=True)
        venv.create(environment, clear=True, with_pip=True)
        python = str(environment / "bin" / "python")
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        _run([*pip, "-r", str(requirements)])
        stamp.touch()
    return environment / "bin" / "checkov"


def scan(program: Path, folder: Path, *options: str) -> dict[Finding, str]:
    """All findings in a folder of Terraform code, each with the check's own title."""
    usual = ["--framework", "terraform", "--skip-download", "--quiet", "--compact", "--soft-fail", "--output", "json"]
    answer = _run([str(program), "--directory", str(folder), *usual, *options])
    report = json.loads(answer)
    if "results" not in report:
        raise ScanError(f"checkov could not read {folder}: {report}")
    if unread := report["summary"]["parsing_errors"]:
        raise ScanError(f"checkov could not read {unread} of the files in {folder}: terraform validate says which")
    found = report["results"]["failed_checks"]
    return {(check["check_id"], check["resource"]): check["check_name"] for check in found}


def read_reasons(path: Path = REASONS) -> dict[Finding, str]:
    """The findings that are meant, each with its reason. Raises ScanError for an entry that isn't whole."""
    reasons: dict[Finding, str] = {}
    entries: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    for entry in entries:
        if set(entry) != {"check", "reason", "resources"} or not entry["reason"] or not entry["resources"]:
            raise ScanError(f"{path.name}: an entry has check, reason and resources, not {entry}")
        for resource in entry["resources"]:
            if (entry["check"], resource) in reasons:
                raise ScanError(f"{path.name}: {entry['check']} {resource} stands there twice")
            reasons[entry["check"], resource] = entry["reason"]
    return reasons


def compare(findings: dict[Finding, str], reasons: dict[Finding, str]) -> list[str]:
    """What is wrong: findings without a reason, reasons without a finding."""
    unexplained = [f"{check} {resource}: {findings[check, resource]}" for check, resource in findings.keys() - reasons]
    needless = [
        f"{check} {resource}: no longer found, delete it from {REASONS.name}"
        for check, resource in reasons.keys() - findings
    ]
    return sorted(unexplained) + sorted(needless)


def _run(command: list[str]) -> str:
    # checkov asks its maker for policies when it finds a key of his in the environment.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("BC_", "PRISMA_", "CKV_"))}
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, env=clean, check=False
        )
    except subprocess.TimeoutExpired:
        raise ScanError(f"{Path(command[0]).name} took over {TIMEOUT_SECONDS} s") from None
    if answer.returncode != 0:
        raise ScanError(f"{Path(command[0]).name} failed:\n{answer.stdout[-2000:]}{answer.stderr[-2000:]}")
    return answer.stdout


def main() -> int:
    """Command line; exit code 1 when a finding has no reason, or a reason no finding."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    try:
        reasons = read_reasons()
        program = install()
        found = [scan(program, folder, *options) for folder, options in ROOTS.items()]
        wrong = compare({finding: title for each in found for finding, title in each.items()}, reasons)
    except ScanError as error:
        wrong = [str(error)]
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    if not wrong:
        print(f"checkov: nothing found beyond what terraform/checkov.yaml explains ({len(reasons)} findings)")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
