"""What the tests of deploying share: a small repository, an account in this process, a Terraform that plays one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.loaders
import botocore.session
import pytest
from moto import mock_aws

import environments
import terraform_provider
import upload

LOADER = botocore.loaders.Loader()
ACCOUNT = "123456789012"
BUCKET = f"oakvale-deployment-{ACCOUNT}-eu-west-1"
PROGRAM = """#!{python}
import json, os, signal, sys, time
folder = os.path.dirname(os.path.abspath(__file__))
command = next(argument for argument in sys.argv[1:] if not argument.startswith("-"))
with open(folder + "/calls", "a") as calls:
    calls.write(json.dumps([command, sys.argv[1:], {{**os.environ, "PROCESS_GROUP": str(os.getpgrp())}}]) + "\\n")
answers = json.load(open(folder + "/answers"))
answer = next((a for a in answers if a["command"] == command and a["having"] in " ".join(sys.argv)), None)
answer = answer or {{"out": "", "error": "", "code": 0, "hang": False}}
sys.stdout.write(answer["out"])
sys.stderr.write(answer["error"])
sys.stdout.flush()
if answer["hang"]:
    def stop(*_):
        with open(folder + "/interrupted", "a") as interrupted:
            interrupted.write("once\\n")
        print("Gracefully shutting down...", flush=True)
        sys.exit(1)
    signal.signal(signal.SIGINT, stop)
    print("hanging", flush=True)
    time.sleep(60)
sys.exit(answer["code"])
"""


class FakeTerraform:
    """A program named terraform that notes its calls and gives the answers that it was told."""

    def __init__(self, folder: Path) -> None:
        self.program, self._answers = folder / "terraform", []
        folder.mkdir()
        self.program.write_text(PROGRAM.format(python=sys.executable))
        self.program.chmod(0o755)
        self.answers("version", json.dumps({"terraform_version": "1.11.4"}))
        self.answers("show", json.dumps({"format_version": "1.0"}))  # a state without resources

    def answers(
        self, command: str, out: str = "", *, error: str = "", code: int = 0, having: str = "", hang: bool = False
    ) -> None:
        """What it says from now on; with `having`, only to calls that have this in their arguments."""
        answer = {"command": command, "out": out, "error": error, "code": code, "having": having, "hang": hang}
        self._answers.insert(0, answer)
        (self.program.parent / "answers").write_text(json.dumps(self._answers))

    def calls(self, command: str = "") -> list[tuple[list[str], dict[str, str]]]:
        """The arguments and the environment of each call, those that ask for the version left out."""
        written = self.program.parent / "calls"
        lines: list[Any] = [json.loads(line) for line in written.read_text().splitlines()] if written.exists() else []
        return [(found[1], found[2]) for found in lines if found[0] != "version" and command in ("", found[0])]

    def commands(self) -> list[str]:
        """The commands in the order of the calls."""
        return [next(part for part in call[0] if not part.startswith("-")) for call in self.calls()]


@pytest.fixture
def terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTerraform:
    """The one on PATH."""
    fake = FakeTerraform(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{fake.program.parent}{os.pathsep}{os.environ['PATH']}")
    for name in ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR", terraform_provider.MIRROR_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    return fake


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the environments dev, local and production, and a provider that has been found before."""
    folder = tmp_path / "project"
    (folder / "terraform" / "environments").mkdir(parents=True)
    for name in ("dev", "local", "production"):
        text = f'environment = "{name}"\nregion      = "eu-west-1"\n'
        (folder / "terraform" / "environments" / f"{name}.tfvars").write_text(text)
    for module, name in ((environments, "ROOT"), (upload, "ROOT")):
        monkeypatch.setattr(module, name, folder)
    monkeypatch.setattr(environments, "TERRAFORM", folder / "terraform")
    monkeypatch.setattr(terraform_provider, "CHOICE", folder / "build" / "terraform" / "provider.json")
    terraform_provider.remember(None)
    return folder


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty account; yields its S3."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    # One loader for all clients: to read the descriptions of S3 anew for each takes most of a test's time.
    monkeypatch.setattr(botocore.session, "create_loader", lambda search_path: LOADER)
    with mock_aws():
        yield boto3.client("s3", region_name="eu-west-1")


@pytest.fixture
def bucket(aws: Any) -> str:
    """A deployment bucket, bare."""
    aws.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return BUCKET
