"""An environment is a file in terraform/environments; credentials and endpoint are looked at before anything runs."""

from __future__ import annotations

import http.server
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.scripts.conftest import ACCOUNT

import environments
from environments import DeployError, Environment


def test_an_environment_has_the_region_and_the_profile_of_its_file(project: Path) -> None:
    file = project / "terraform" / "environments" / "dev.tfvars"
    assert environments.find("dev") == Environment("dev", "eu-west-1", None)
    file.write_text('aws_profile = "oakvale-dev"\nregion="us-west-2" # far away\n')
    assert environments.find("dev") == Environment("dev", "us-west-2", "oakvale-dev")


def test_the_usual_region_is_that_of_terraform(project: Path) -> None:
    (project / "terraform" / "environments" / "dev.tfvars").write_text('environment = "dev"\n')
    (project / "terraform" / "variables.tf").write_text(
        'variable "project" {\n  default = "oakvale"\n}\n\n'
        'variable "region" {\n  description = "Where."\n  type        = string\n  default     = "eu-north-1"\n}\n'
    )
    assert environments.find("dev").region == "eu-north-1"
    (project / "terraform" / "variables.tf").write_text(
        'variable "region" {\n}\n\nvariable "x" {\n  default = "y"\n}\n'
    )
    with pytest.raises(DeployError, match=r'dev\.tfvars must name the region, such as region = "us-east-1"$'):
        environments.find("dev")


@pytest.mark.parametrize("name", environments.names())
def test_every_environment_of_the_repository_has_a_region(name: str) -> None:
    assert environments.find(name).region == "us-east-1"


def test_an_unknown_environment_lists_the_known(project: Path) -> None:
    with pytest.raises(DeployError, match=r"^there is no environment 'prod'; there are: dev, local, production$"):
        environments.find("prod")


def test_programs_get_the_region_and_the_profile(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "elsewhere")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    names = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "HOME")
    for profile, expected in (("oakvale", "oakvale"), (None, "mine")):
        variables = Environment("dev", "eu-west-1", profile).variables()
        assert [variables[name] for name in names] == ["eu-west-1", "eu-west-1", expected, os.environ["HOME"]]


def test_the_account_is_that_of_the_credentials(project: Path, aws: Any) -> None:
    assert environments.account(environments.find("dev")) == ACCOUNT


def test_no_credentials(project: Path, aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    expected = r"^there are no AWS credentials: run aws configure or aws sso login, or set AWS_PROFILE$"
    with pytest.raises(DeployError, match=expected):
        environments.account(environments.find("dev"))


def test_credentials_that_are_refused(project: Path, aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise ClientError({"Error": {"Code": "ExpiredToken", "Message": "it has expired"}}, "GetCallerIdentity")

    client = SimpleNamespace(get_caller_identity=refuse)
    monkeypatch.setattr(Environment, "session", lambda self: SimpleNamespace(client=lambda name: client))
    with pytest.raises(DeployError, match=r"^the AWS credentials of dev don't work: .*ExpiredToken.*it has expired$"):
        environments.account(environments.find("dev"))


def test_a_profile_that_is_not_there(project: Path, aws: Any) -> None:
    with pytest.raises(DeployError, match=r"^dev: The config profile \(nobody\) could not be found$"):
        Environment("dev", "eu-west-1", "nobody").session()


@pytest.fixture
def refusing_server() -> Iterator[str]:
    """A server that answers every call with an error, as a cloud answers a call of no service."""

    class Refuse(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(403)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Refuse)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_endpoint_that_answers_is_fine(refusing_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", refusing_server)
    environments.check_endpoint()


def test_an_endpoint_that_does_not_answer_is_named_at_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        with pytest.raises(DeployError) as refused:
            environments.account(environments.find("dev"))
    assert str(refused.value).startswith(f"nothing answers at {endpoint}, where AWS_ENDPOINT_URL points (")
    assert str(refused.value).endswith("start it (the laptop cloud: make up), or unset AWS_ENDPOINT_URL")


def test_local_is_the_cloud_that_runs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setattr(environments.control, "running", lambda: None)
    with pytest.raises(DeployError, match=r"^the laptop cloud isn't running: make up$"):
        environments.enter("local")
    assert environments.enter("dev").name == "dev"
    assert os.environ["AWS_PROFILE"] == "mine"
    cloud = SimpleNamespace(environment=lambda: {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    monkeypatch.setattr(environments.control, "running", lambda: cloud)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:2")  # undone after the test
    assert environments.enter("local").name == "local"
    left = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    assert left == {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
