"""Keys of a role for what the cloud runs in a role's name, as Glue gets them on AWS."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator, responses
from ministack.services import iam, sts

from local_cloud.replacements import require


class CredentialsError(Exception):
    """A service can't have the keys of a role: it doesn't exist, or doesn't trust the service."""


def install() -> None:
    """Checks what we use of MiniStack."""
    require(responses, "get_account_id", ())
    require(responses, "get_region", ())
    require(iam, "_roles")
    require(iam_evaluator, "_service_principal_matches", ("principal", "service"))
    require(sts, "register_session", ("access_key", "session"))
    for maker in ("_gen_session_access_key", "_gen_secret", "_gen_session_token"):
        require(sts, maker, ())


def role_session(
    role_arn: str, name: str, *, service: str = "glue.amazonaws.com", lifetime: float = 3600
) -> dict[str, str]:
    """The AWS_* variables of a process that `service` runs as a role; the keys expire after `lifetime` seconds.

    Glue takes a role by its name too. The session's name is part of the principal that refusals name: the run's id
    is a good one.
    """
    account, role_name = responses.get_account_id(), role_arn.rpartition("/")[2]
    role = iam._roles.get(role_name)
    if role is None or role_arn not in (role["Arn"], role_name):
        raise CredentialsError(f"role {role_arn} doesn't exist: create it before what uses it")
    if not _trusts(role, service):
        raise CredentialsError(
            f"role {role_arn} doesn't trust {service}: allow it sts:AssumeRole in the role's trust policy"
        )
    key, secret, token = sts._gen_session_access_key(), sts._gen_secret(), sts._gen_session_token()
    session = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{role_name}/{name}",
        "UserId": f"{role['RoleId']}:{name}",
        "SecretAccessKey": secret,
        "SessionToken": token,
        "Expiration": time.time() + lifetime,
        "AccountId": account,
        "PrincipalType": "AssumedRole",
    }
    sts.register_session(key, session)
    region = responses.get_region()
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"],
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def client(service: str, variables: Mapping[str, str], config: Any = None) -> Any:
    """The boto3 client of a service with the keys, the region and the endpoint of these AWS_* variables."""
    import boto3  # not at the top: half a second of the server's start

    session = boto3.Session(
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=variables.get("AWS_SESSION_TOKEN"),
        region_name=variables["AWS_REGION"],
    )
    place = variables["AWS_ENDPOINT_URL"]
    return session.client(service, endpoint_url=place, config=config)  # type: ignore[call-overload]


def _trusts(role: dict[str, Any], service: str) -> bool:
    document = role["AssumeRolePolicyDocument"]
    statements = (json.loads(document) if isinstance(document, str) else document).get("Statement", [])
    return any(
        statement["Effect"] == "Allow" and iam_evaluator._service_principal_matches(statement.get("Principal"), service)
        for statement in ([statements] if isinstance(statements, dict) else statements)
    )
