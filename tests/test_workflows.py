"""CI's workflow files: valid by GitHub's schema, sound to an auditor, all of it offline; and both would notice."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").iterdir())
CI = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
CHECKOUT = re.search(r"actions/checkout@\w{40}", CI)


def lint(*files: Path) -> str:
    """What GitHub's schema and the auditor find in workflow files; nothing if all is well."""
    programs = Path(sys.executable).parent
    schema = [programs / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", "--color", "never"]
    auditor = [programs / "zizmor", "--offline", "--no-config", "--persona", "pedantic", "--format", "plain"]
    answers = [
        subprocess.run([*command, *files], capture_output=True, text=True, check=False, timeout=60)
        for command in (schema, [*auditor, "--no-progress", "--color", "never"])
    ]
    return "".join(answer.stdout + answer.stderr for answer in answers if answer.returncode)


def test_the_workflows_are_valid_and_sound() -> None:
    assert {path.suffix for path in WORKFLOWS} == {".yml"}
    assert lint(*WORKFLOWS) == ""


def test_actions_are_pinned_by_commit_with_their_version_beside() -> None:
    used = [
        line.strip() for path in WORKFLOWS for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line
    ]
    pinned = re.compile(r"- uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert len(used) >= 3
    assert [line for line in used if not pinned.fullmatch(line)] == []


@pytest.mark.parametrize(
    ("good", "bad", "finding"),
    [
        ("runs-on: ubuntu-24.04", "run-on: ubuntu-24.04", "'runs-on' is a required property"),
        (CHECKOUT[0] if CHECKOUT else "", "actions/checkout@v4", "unpinned-uses"),
        ("contents: read", "contents: write", "excessive-permissions"),
        ("        with:\n          persist-credentials: false\n", "", "artipacked"),
        ("run: .ci/run", "run: echo ${{ github.head_ref }}", "template-injection"),
        ("pull_request:", "pull_request_target:", "dangerous-triggers"),
    ],
)
def test_a_mistake_is_found(tmp_path: Path, good: str, bad: str, finding: str) -> None:
    assert CI.count(good) == 1
    workflow = tmp_path / ".github" / "workflows" / "ci.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(CI.replace(good, bad), encoding="utf-8")
    assert finding in lint(workflow)
