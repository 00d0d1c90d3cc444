"""A finding of checkov needs a reason, a reason needs a finding, and the file of reasons is strict."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from scan_terraform import ScanError, compare, install, read_reasons, scan

FOUND = {("CKV_AWS_18", "aws_s3_bucket.logs"): "Ensure the S3 bucket has access logging enabled"}


def reasons(folder: Path, *entries: object) -> Path:
    """A file of reasons."""
    path = folder / "checkov.yaml"
    path.write_text(yaml.safe_dump(list(entries)), encoding="utf-8")
    return path


def test_a_finding_with_a_reason_is_no_error(tmp_path: Path) -> None:
    entry = {"check": "CKV_AWS_18", "reason": "it holds the logs itself", "resources": ["aws_s3_bucket.logs"]}
    assert compare(FOUND, read_reasons(reasons(tmp_path, entry))) == []


def test_a_finding_without_a_reason_is_told_with_its_title() -> None:
    assert compare(FOUND, {}) == [
        "CKV_AWS_18 aws_s3_bucket.logs: Ensure the S3 bucket has access logging enabled",
    ]


def test_a_reason_that_is_no_longer_needed_is_an_error() -> None:
    known = dict.fromkeys([*FOUND, ("CKV_AWS_18", "aws_s3_bucket.raw")], "why")
    assert compare(FOUND, known) == ["CKV_AWS_18 aws_s3_bucket.raw: no longer found, delete it from checkov.yaml"]


@pytest.mark.parametrize(
    "entry",
    [
        {"check": "CKV_AWS_18", "resources": ["a"]},
        {"check": "CKV_AWS_18", "reason": "", "resources": ["a"]},
        {"check": "CKV_AWS_18", "reason": "why", "resources": []},
        {"check": "CKV_AWS_18", "reason": "why", "resources": ["a"], "until": "2027"},
    ],
)
def test_an_entry_must_be_whole(tmp_path: Path, entry: dict[str, object]) -> None:
    with pytest.raises(ScanError, match=r"checkov\.yaml: an entry has check, reason and resources, not"):
        read_reasons(reasons(tmp_path, entry))


def test_the_same_resource_twice_is_an_error(tmp_path: Path) -> None:
    entry = {"check": "CKV_AWS_18", "reason": "why", "resources": ["a", "a"]}
    with pytest.raises(ScanError, match="CKV_AWS_18 a stands there twice"):
        read_reasons(reasons(tmp_path, entry))


def test_requirements_that_cannot_be_installed_are_an_error(tmp_path: Path) -> None:
    wrong = tmp_path / "requirements.txt"
    wrong.write_text("not a requirement", encoding="utf-8")  # pip stops before it asks anybody
    with pytest.raises(ScanError, match="python failed"):
        install(wrong, tmp_path / "environment")
    assert not list((tmp_path / "environment").glob("[0-9a-f]" * 16))


def fake_checkov(folder: Path, answer: str, code: int = 0) -> Path:
    """A program that answers as told, whatever it is asked."""
    program = folder / "checkov"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\nexit {code}\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def test_what_checkov_cannot_read_is_an_error(tmp_path: Path) -> None:
    answer = '{"results": {"failed_checks": []}, "summary": {"failed": 0, "parsing_errors": 2}}'
    with pytest.raises(ScanError, match="checkov could not read 2 of the files in"):
        scan(fake_checkov(tmp_path, answer), tmp_path)


def test_nothing_looked_at_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="checkov could not read"):
        scan(fake_checkov(tmp_path, '{"passed": 0, "failed": 0}'), tmp_path)


def test_a_failing_checkov_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="checkov failed"):
        scan(fake_checkov(tmp_path, "no", code=3), tmp_path)
