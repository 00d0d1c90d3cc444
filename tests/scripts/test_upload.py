"""Each artefact is put once under the key of its content, and what is there is checked."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import pytest

import artifacts
import environments
import upload
from artifacts import Artifact, ManifestError
from environments import DeployError

LARGE = b"x" * upload.LARGE_BYTES


@pytest.fixture
def built(project: Path) -> list[Artifact]:
    """Two artefacts, one of them large."""
    (project / artifacts.PACKAGE).mkdir(parents=True)
    found = []
    for name, content in (("greet.zip", LARGE), ("shop.py", b"SHOP = 1\n")):
        (project / artifacts.PACKAGE / name).write_bytes(content)
        found.append(Artifact(name, f"build/package/{name}", hashlib.sha256(content).hexdigest()))
    artifacts.write_manifest(project, found)
    return found


def run() -> list[str]:
    """Uploads to dev; returns what is said, with single spaces."""
    lines: list[str] = []
    upload.upload(environments.find("dev"), lambda line: lines.append(" ".join(line.split())))
    return lines


def test_all_is_put_and_the_second_time_nothing(built: list[Artifact], aws: Any, bucket: str) -> None:
    large, small = built
    assert run() == [
        "1/2 greet.zip 1,000,000 bytes on its way ...",
        f"1/2 greet.zip 1,000,000 bytes new {large.key}",
        f"2/2 shop.py 9 bytes new {small.key}",
    ]
    assert aws.get_object(Bucket=bucket, Key=large.key)["Body"].read() == LARGE
    assert aws.get_object(Bucket=bucket, Key=small.key)["Body"].read() == b"SHOP = 1\n"
    assert run() == [
        f"1/2 greet.zip 1,000,000 bytes unchanged {large.key}",
        f"2/2 shop.py 9 bytes unchanged {small.key}",
    ]


def test_other_bytes_under_the_key_are_refused_and_left(built: list[Artifact], aws: Any, bucket: str) -> None:
    aws.put_object(Bucket=bucket, Key=built[1].key, Body=b"other")
    with pytest.raises(DeployError) as refused:
        run()
    assert str(refused.value) == (
        f"s3://{bucket}/{built[1].key} holds other bytes than its name says "
        f"(SHA-256 {hashlib.sha256(b'other').hexdigest()}): find out who wrote it, delete it, and upload again"
    )
    assert aws.get_object(Bucket=bucket, Key=built[1].key)["Body"].read() == b"other"


@pytest.mark.parametrize(("content", "outcome"), [(b"SHOP = 1\n", "unchanged"), (b"other", None)])
def test_who_comes_second_at_the_same_time_puts_nothing(
    built: list[Artifact], aws: Any, bucket: str, content: bytes, outcome: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is free when it is looked at, and taken when it is put."""
    real = aws.put_object

    def overtaken(**arguments: Any) -> Any:
        assert arguments["IfNoneMatch"] == "*"
        real(Bucket=bucket, Key=built[1].key, Body=content)
        return real(**arguments)

    monkeypatch.setattr(aws, "put_object", overtaken)
    if outcome is None:
        with pytest.raises(DeployError, match=r"holds other bytes than its name says"):
            upload.put_once(aws, bucket, built[1])
    else:
        assert upload.put_once(aws, bucket, built[1]) == outcome
    assert aws.get_object(Bucket=bucket, Key=built[1].key)["Body"].read() == content


def test_a_checksum_of_s3_is_taken_and_must_be_right(built: list[Artifact], aws: Any, bucket: str) -> None:
    aws.put_object(Bucket=bucket, Key="with", Body=b"a", ChecksumAlgorithm="SHA256")
    aws.put_object(Bucket=bucket, Key="without", Body=b"a")
    for key in ("with", "without"):
        assert upload.stored_sha256(aws, bucket, key) == hashlib.sha256(b"a").hexdigest()
    assert upload.stored_sha256(aws, bucket, "none") is None


def test_without_the_bucket_nothing_is_tried(built: list[Artifact], aws: Any) -> None:
    with pytest.raises(DeployError, match=r"isn't there: run make bootstrap ENV=dev$"):
        run()


def test_a_file_that_was_changed_after_the_build_is_refused(
    built: list[Artifact], aws: Any, bucket: str, project: Path
) -> None:
    (project / built[1].file).write_text("changed")
    with pytest.raises(ManifestError, match=r"shop\.py isn't the file that .*manifest\.json names: run make package$"):
        run()
    assert "Contents" not in aws.list_objects_v2(Bucket=bucket)


def test_a_refusal_names_the_file(
    built: list[Artifact], aws: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "put_once", lambda s3, name, _: s3.get_object(Bucket=name, Key="none"))
    with pytest.raises(DeployError, match=rf"^build/package/greet\.zip can't be put into {bucket}: .*NoSuchKey"):
        run()


def test_the_command(
    built: list[Artifact], aws: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["upload.py", "--environment", "dev"])
    assert upload.main() == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"all of it is in s3://{bucket}/artifacts/"
    monkeypatch.setattr(sys, "argv", ["upload.py", "--environment", "prod"])
    assert upload.main() == 1
    assert capsys.readouterr().err == "error: there is no environment 'prod'; there are: dev, local, production\n"
