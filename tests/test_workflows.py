"""CI's workflow files: valid by GitHub's schema, sound to an auditor, all of it offline; and both would notice."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").iterdir())
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/*"))
CI = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
CHECKOUT = re.search(r"actions/checkout@\w{40}", CI)


def lint(*files: Path) -> str:
    """What GitHub's schema and the auditor find in workflow files; nothing if all is well."""
    programs = Path(sys.executable).parent
    schema = [programs / "check-jsonschema", "--color", "never", "--builtin-schema"]
    auditor = [programs / "zizmor", "--offline", "--no-config", "--persona", "pedantic", "--format", "plain"]
    actions = [file for file in files if file.name == "action.yml"]
    workflows = [file for file in files if file not in actions]
    commands = [
        [*auditor, "--no-progress", "--color", "never", *files],
        *([[*schema, "vendor.github-workflows", *workflows]] if workflows else []),
        *([[*schema, "vendor.github-actions", *actions]] if actions else []),
    ]
    answers = [subprocess.run(command, capture_output=True, text=True, check=False, timeout=60) for command in commands]
    return "".join(answer.stdout + answer.stderr for answer in answers if answer.returncode)


def test_the_workflows_are_valid_and_sound() -> None:
    assert {path.suffix for path in WORKFLOWS} == {".yml"}
    assert {path.name for path in ACTIONS} == {"action.yml"}
    assert lint(*WORKFLOWS, *ACTIONS) == ""


def test_actions_are_pinned_by_commit_with_their_version_beside() -> None:
    lines = [line.strip() for path in (*WORKFLOWS, *ACTIONS) for line in path.read_text(encoding="utf-8").splitlines()]
    used = [line for line in lines if "uses:" in line and "uses: $/.github/" not in line]  # the repository's own
    pinned = re.compile(r"- uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert len(used) >= 9
    assert [line for line in used if not pinned.fullmatch(line)] == []
    assert len({line.split("@")[0] for line in used}) == len({*used}), "one action in two versions"


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


def jobs() -> dict[str, dict[str, Any]]:
    """Every job by its workflow and name, with the triggers of its workflow."""
    found = {}
    for path in WORKFLOWS:
        workflow = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # or `on` would be true
        for name, job in workflow["jobs"].items():
            found[f"{path.stem}/{name}"] = {**job, "triggers": set(workflow["on"]), "defaults": workflow["permissions"]}
    return found


def test_only_jobs_that_deploy_or_plan_may_say_who_they_are() -> None:
    """The others can't ask AWS for keys; and no job has a secret."""
    permissions = {name: job.get("permissions", job["defaults"]) for name, job in jobs().items()}
    read, identity = {"contents": "read"}, {"contents": "read", "id-token": "write"}
    assert permissions == {
        "ci/check": read,
        "delivery/check": read,
        "delivery/staging": identity,
        "delivery/production": identity,
        "plan/staging": identity,
    }
    assert not any("secrets." in path.read_text(encoding="utf-8") for path in (*WORKFLOWS, *ACTIONS))


def test_main_goes_to_staging_after_its_check_and_to_production_after_approval() -> None:
    found = jobs()
    check, staging, production = (found[f"delivery/{name}"] for name in ("check", "staging", "production"))
    assert check["triggers"] == {"push"}
    assert (check["uses"], "workflow_call" in found["ci/check"]["triggers"]) == ("$/.github/workflows/ci.yml", True)
    assert (staging["needs"], production["needs"]) == ("check", "staging")
    # The role of staging is for main's jobs without an environment, that of production for the environment's.
    assert ("environment" in staging, production["environment"]) == (False, "production")
    for name, job in (("staging", staging), ("production", production)):
        assert job["concurrency"] == {"group": f"apply-{name}", "cancel-in-progress": "false"}
        assert job["steps"][-1]["run"] == f"make apply ENV={name} YES=1"
        assert "ref" not in job["steps"][0]["with"]  # so it is the commit that was pushed, in both
        bounds(job, name, "DEPLOY")


def test_a_pull_request_is_planned_unless_it_comes_from_a_fork() -> None:
    job = jobs()["plan/staging"]
    assert job["triggers"] == {"pull_request"}
    assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"]
    assert job["steps"][-1]["run"].startswith("make plan ENV=staging | tee plan.txt\n")
    assert "environment" not in job
    bounds(job, "staging", "PLAN")


def bounds(job: dict[str, Any], environment: str, purpose: str) -> None:
    """The job takes its own role, and the roles that it makes are bounded; where there is no role, it is skipped."""
    name = environment.upper()
    assert job["env"] == {"TF_VAR_permissions_boundary_arn": f"${{{{ vars.{name}_BOUNDARY_ARN }}}}"}
    prepared = job["steps"][1]
    assert prepared["uses"] == "$/.github/actions/prepare"
    assert prepared["with"]["role"] == f"${{{{ vars.{name}_{purpose}_ROLE_ARN }}}}"
    assert f"vars.{name}_{purpose}_ROLE_ARN != ''" in job["if"]


def test_no_installer_sees_the_keys() -> None:
    """What is fetched from elsewhere runs before the job has its role."""
    (action,) = ACTIONS
    steps = yaml.safe_load(action.read_text(encoding="utf-8"))["runs"]["steps"]
    assert [step.get("run") or step["uses"].split("@")[0] for step in steps] == [
        *("actions/setup-python", "hashicorp/setup-terraform", "make package"),
        "aws-actions/configure-aws-credentials",
    ]
