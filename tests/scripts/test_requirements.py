"""The pinned requirements hold every direct dependency, a hash for each package, and no address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import project_checks

ROOT = Path(__file__).resolve().parents[2]
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NEEDED = DECLARED["project"]["dependencies"] + DECLARED["project"]["optional-dependencies"]["cloud"]
DIRECT = {
    "requirements.txt": NEEDED,
    "requirements-dev.txt": NEEDED + DECLARED["project"]["optional-dependencies"]["dev"],
    "requirements-lambda.txt": DECLARED["dependency-groups"]["lambda"],
    "requirements-checkov.txt": DECLARED["dependency-groups"]["checkov"],
}


def requirements(name: str) -> str:
    """The text of one of the files."""
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DIRECT)
def test_each_line_is_a_pin_a_hash_or_a_comment(name: str) -> None:
    pin = r"[a-z0-9-]+(\[[a-z0-9,-]+\])?==[0-9a-z.]+( ; [a-z_ '!=<>.0-9A-Z]+)? \\"
    allowed = re.compile(rf"{pin}|    --hash=sha256:[0-9a-f]{{64}}( \\)?|\s*#.*")
    assert [line for line in requirements(name).splitlines() if not allowed.fullmatch(line)] == []


@pytest.mark.parametrize("name", DIRECT)
def test_each_package_has_a_hash(name: str) -> None:
    lines = requirements(name).splitlines()
    without = [
        line
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
        if "==" in line and not following.startswith("    --hash=sha256:")
    ]
    assert without == []


@pytest.mark.parametrize("name", DIRECT)
def test_no_host_index_or_path(name: str) -> None:
    """Also not in a comment: the header would otherwise repeat the command line that made the file."""
    forbidden = r"https?:|index|find-links|trusted|file:|(^|[\s=])/|\.(com|org|net|io|dev)\b"
    assert re.findall(forbidden, requirements(name), re.IGNORECASE | re.MULTILINE) == []


@pytest.mark.parametrize("name", DIRECT)
def test_every_direct_dependency_is_pinned_as_asked_for(name: str) -> None:
    pins = project_checks.pinned_versions(requirements(name))
    for dependency in DIRECT[name]:
        wanted = re.fullmatch(r"([A-Za-z0-9-]+)(?:\[[a-z0-9,]+\])?(?:==(\S+))?", dependency)
        assert wanted is not None, dependency
        assert project_checks.normal_name(wanted.group(1)) in pins, dependency
        assert wanted.group(2) in (None, pins[project_checks.normal_name(wanted.group(1))]), dependency


def test_the_files_agree() -> None:
    """All but those of checkov, which has an environment of its own."""
    run_time, development, function, _ = (project_checks.pinned_versions(requirements(name)) for name in DIRECT)
    assert function.items() <= run_time.items() <= development.items()
