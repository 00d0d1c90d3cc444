"""Jobs on GitHub, as the laptop cloud knows them: by a token that says who they are, without GitHub's signature."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3

import bootstrap
import delivery
import environments

REPOSITORY = "owner/name"
ISSUER = "https://token.actions.githubusercontent.com"
BOUNDARY = "TF_VAR_permissions_boundary_arn"
SUBJECTS = {"deploy": f"repo:{REPOSITORY}:ref:refs/heads/main", "plan": f"repo:{REPOSITORY}:pull_request"}


@dataclass(frozen=True)
class Delivery:
    """The roles of an environment, applied."""

    root: delivery.Delivery
    settings: dict[str, str]

    def role(self, purpose: str) -> str:
        """The ARN of the role for a purpose."""
        return self.settings[f"LOCAL_{purpose.upper()}_ROLE_ARN"]

    def keys(self, purpose: str, **claims: str) -> dict[str, str]:
        """The AWS_* variables of a job that takes a role; `claims` are those that differ from the right ones."""
        sts = boto3.client("sts")
        signed = {"iss": ISSUER, "aud": "sts.amazonaws.com", "sub": SUBJECTS[purpose], **claims}
        answer: Any = sts.assume_role_with_web_identity(
            RoleArn=self.role(purpose), RoleSessionName="test", WebIdentityToken=token(signed)
        )
        return variables(answer)

    @contextmanager
    def job(self, purpose: str) -> Iterator[None]:
        """This process has the rights of a role meanwhile."""
        before = dict(os.environ)
        os.environ.update(self.keys(purpose))
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def variables(answer: Any) -> dict[str, str]:
    """The AWS_* variables of a session that STS has begun."""
    keys = answer["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }


def deliver(environment: str, notes: list[str]) -> Delivery:
    """What an administrator does once: the deployment bucket, and the roles. From then on all roles are bounded."""
    beside = environments.find(environment)
    bucket, _ = bootstrap.bootstrap(beside)
    deployments = json.dumps({environment: SUBJECTS["deploy"].removeprefix(f"repo:{REPOSITORY}:")})
    root = delivery.find(beside, {"repository": REPOSITORY, "planned": environment, "deployments": deployments})
    settings = delivery.apply(root, bucket, notes.append, None)
    os.environ[BOUNDARY] = settings["LOCAL_BOUNDARY_ARN"]
    return Delivery(root, settings)


def token(claims: dict[str, str]) -> str:
    """A token in the form of GitHub's, signed by nobody."""
    parts = ({"alg": "none"}, claims)
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*texts, "unsigned"])
