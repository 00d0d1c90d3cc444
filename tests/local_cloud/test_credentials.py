"""Keys of roles, made inside the server: here in this process, with MiniStack's own modules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core import iam_evaluator
from ministack.services import iam, sts

from local_cloud.credentials import CredentialsError, role_session

ACCOUNT = "000000000000"
ARN = f"arn:aws:iam::{ACCOUNT}:role/bronze"


def make_role(trust: dict[str, Any] | list[dict[str, Any]]) -> None:
    """Makes the role `bronze`."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": trust})
    iam._roles["bronze"] = {"Arn": ARN, "RoleId": "AROA1", "AssumeRolePolicyDocument": policy}


def trust(service: str, effect: str = "Allow") -> dict[str, Any]:
    """A statement of a trust policy."""
    return {"Effect": effect, "Principal": {"Service": service}, "Action": "sts:AssumeRole"}


@pytest.fixture(autouse=True)
def no_roles_or_sessions(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leaves nothing behind in MiniStack's modules."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4321")
    yield
    iam._roles.clear()
    sts._sessions.clear()


@pytest.mark.parametrize("role", [ARN, "bronze"])
def test_the_keys_are_those_of_a_session_of_the_role(role: str) -> None:
    make_role([trust("lambda.amazonaws.com"), trust("glue.amazonaws.com")])
    variables = role_session(role, "jr_1")
    found = iam_evaluator.resolve_credential(
        variables["AWS_ACCESS_KEY_ID"], ACCOUNT, session_token=variables["AWS_SESSION_TOKEN"]
    )
    assert found.principal_arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/bronze/jr_1"
    assert found.principal_type == "AssumedRole"
    assert found.principal_id == "AROA1:jr_1"
    assert found.secret_access_key == variables["AWS_SECRET_ACCESS_KEY"]
    assert {name: value for name, value in variables.items() if "KEY" not in name and "TOKEN" not in name} == {
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4321",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def test_two_runs_have_keys_of_their_own() -> None:
    make_role(trust("glue.amazonaws.com"))
    one, other = role_session(ARN, "jr_1"), role_session(ARN, "jr_2")
    secret = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    assert all(one[name] != other[name] for name in secret)


def test_the_keys_expire() -> None:
    make_role(trust("glue.amazonaws.com"))
    variables = role_session(ARN, "jr_1", lifetime=-1)
    found = iam_evaluator.resolve_credential(variables["AWS_ACCESS_KEY_ID"], ACCOUNT)
    assert found.code == "ExpiredTokenException"


@pytest.mark.parametrize("role", [ARN, "bronze"])
def test_a_role_that_does_not_exist(role: str) -> None:
    with pytest.raises(CredentialsError, match=f"role {role} doesn't exist"):
        role_session(role, "jr_1")


def test_a_role_of_another_account() -> None:
    make_role(trust("glue.amazonaws.com"))
    with pytest.raises(CredentialsError, match="role arn:aws:iam::111111111111:role/bronze doesn't exist"):
        role_session("arn:aws:iam::111111111111:role/bronze", "jr_1")


@pytest.mark.parametrize("statement", [trust("lambda.amazonaws.com"), trust("glue.amazonaws.com", effect="Deny")])
def test_a_role_that_does_not_trust_the_service(statement: dict[str, Any]) -> None:
    make_role(statement)
    with pytest.raises(CredentialsError, match=r"doesn't trust glue\.amazonaws\.com"):
        role_session(ARN, "jr_1")
    assert sts._sessions == {}
