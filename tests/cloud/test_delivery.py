"""What a job on GitHub may do: the deployment of these tests is one, and what goes beyond it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

import deployment_bucket
from local_cloud import control
from tests.cloud.conftest import Deployed
from tests.cloud.delivery import SUBJECTS, variables


def document(statement: dict[str, Any]) -> str:
    """A policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


TRUST = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
EVERYTHING = {"PolicyDocument": document({"Effect": "Allow", "Action": "*", "Resource": "*"})}
DEPLOYER = "oakvale-delivery-local-deploy"
# Rights that a first deployment on the laptop doesn't ask for, by the reason.
LATER = ("Delete", "Remove", "Untag", "Update")
NOT_ASKED_FOR = {
    "a later deployment that changes something": {
        "kinesis:DecreaseStreamRetentionPeriod",
        *("glue:StartTrigger", "glue:StopTrigger", "iam:PutRolePermissionsBoundary", "kms:PutKeyPolicy"),
        *("lambda:GetFunctionConfiguration", "logs:DisassociateKmsKey", "sqs:SetQueueAttributes"),
    },
    "a role that is deleted": {"iam:ListInstanceProfilesForRole"},
    "an address for the alerts": {"sns:GetSubscriptionAttributes", "sns:Subscribe"},
    "tags, for which AWS asks as it makes the thing, MiniStack doesn't": {
        *("athena:TagResource", "cloudwatch:TagResource", "events:TagResource", "glue:TagResource", "iam:TagRole"),
        *("kms:TagResource", "lambda:TagResource", "logs:TagResource", "s3:TagResource", "scheduler:TagResource"),
        *("sns:TagResource", "sqs:TagQueue", "states:TagResource"),
        *("firehose:TagDeliveryStream", "kinesis:AddTagsToStream"),
    },
    "tags that newer versions of the provider read otherwise": {"s3:ListTagsForResource"},
    "keys, which MiniStack's services don't ask": {
        *("kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "logs:AssociateKmsKey"),
    },
}


def decisions(deployed: Deployed, purpose: str) -> list[dict[str, Any]]:
    """What the laptop cloud has decided about a role, so far."""
    name = deployed.delivery.role(purpose).rpartition("/")[2]
    lines = (deployed.cloud.folder / "access.jsonl").read_text(encoding="utf-8").splitlines()
    return [decision for decision in map(json.loads, lines) if decision["role"] == name]


def granted(deployed: Deployed, purpose: str) -> set[str]:
    """All actions that the policies of a role allow."""
    iam, name = deployed.client("iam"), deployed.delivery.role(purpose).rpartition("/")[2]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    versions = [iam.get_policy_version(PolicyArn=each["PolicyArn"], VersionId="v1") for each in attached]
    statements = [each for version in versions for each in version["PolicyVersion"]["Document"]["Statement"]]
    return {action for statement in statements if statement["Effect"] == "Allow" for action in statement["Action"]}


def test_a_deployment_has_the_rights_that_it_needs_and_no_others(deployed: Deployed) -> None:
    """It was applied by this role; what it didn't ask for then is here with its reason."""
    made = [decision for decision in decisions(deployed, "deploy") if decision["resource"] != "*"]
    assert len(made) > 500
    used = {decision["action"] for decision in decisions(deployed, "deploy") if decision["allowed"]}
    unused = {action for action in granted(deployed, "deploy") - used if not verb(action).startswith(LATER)}
    assert sorted(unused) == sorted({action for actions in NOT_ASKED_FOR.values() for action in actions})


def verb(action: str) -> str:
    """What an action does, without its service."""
    return action.partition(":")[2]


def test_every_role_of_the_lake_is_bounded(deployed: Deployed) -> None:
    iam = deployed.client("iam")
    roles = [role["RoleName"] for role in iam.list_roles()["Roles"] if "-delivery-" not in role["RoleName"]]
    assert len(roles) > 10
    boundaries = {
        iam.get_role(RoleName=role)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"] for role in roles
    }
    assert boundaries == {boundary(deployed)}


@pytest.mark.parametrize("purpose", ["deploy", "plan"])
@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "repo:owner/name:ref:refs/heads/other"},
        {"sub": "repo:owner/other:ref:refs/heads/main"},
        {"sub": "repo:owner/other:pull_request"},
        {"sub": "repo:owner/name:environment:production"},
        {"aud": "https://github.com/owner"},
        {"iss": "https://example.com"},
    ],
)
def test_another_job_gets_no_keys(deployed: Deployed, purpose: str, claims: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="Not authorized to perform sts:AssumeRoleWithWebIdentity"):
        deployed.delivery.keys(purpose, **claims)


def test_a_job_that_plans_cannot_deploy_nor_the_other_way_round(deployed: Deployed) -> None:
    for purpose, other in (("deploy", "plan"), ("plan", "deploy")):
        with pytest.raises(ClientError, match="AssumeRoleWithWebIdentity"):
            deployed.delivery.keys(purpose, sub=SUBJECTS[other])


def deployment(deployed: Deployed) -> str:
    """The deployment bucket, with states and artefacts."""
    return deployment_bucket.name(deployed.lake.outputs["queries_bucket"].rpartition("-")[2], control.REGION)


def boundary(deployed: Deployed) -> str:
    """The ARN of the policy that bounds the roles."""
    return deployed.delivery.settings["LOCAL_BOUNDARY_ARN"]


def role(name: str, **more: str) -> dict[str, str]:
    """A role that Glue takes."""
    return {"RoleName": name, "AssumeRolePolicyDocument": document(TRUST), **more}


def job(name: str, runs_as: str) -> dict[str, Any]:
    """A Glue job that runs as a role."""
    return {"Name": name, "Role": runs_as, "Command": {"Name": "glueetl", "ScriptLocation": "s3://a/b"}}


# The right that is missing, the call that asks for it, and its arguments.
Attempt = tuple[str, str, Callable[[Deployed], dict[str, Any]]]
BEYOND_A_DEPLOYMENT: list[Attempt] = [
    ("iam:CreateRole", "create_role", lambda _: role("oakvale-local-unbounded")),
    ("iam:CreateRole", "create_role", lambda d: role("oakvale-staging-other", PermissionsBoundary=boundary(d))),
    (
        "iam:DeleteRolePermissionsBoundary",
        "delete_role_permissions_boundary",
        lambda d: {"RoleName": d.role("movies-gold")},
    ),
    ("iam:PutRolePolicy", "put_role_policy", lambda _: {"RoleName": DEPLOYER, "PolicyName": "more", **EVERYTHING}),
    ("iam:UpdateAssumeRolePolicy", "update_assume_role_policy", lambda _: {"RoleName": DEPLOYER, **EVERYTHING}),
    ("iam:CreatePolicyVersion", "create_policy_version", lambda d: {"PolicyArn": boundary(d), **EVERYTHING}),
    ("iam:PassRole", "create_job", lambda d: job("oakvale-local-other", d.delivery.role("deploy"))),
    ("glue:CreateJob", "create_job", lambda d: job("oakvale-staging-other", d.role("movies-gold"))),
    ("s3:GetObject", "get_object", lambda d: {"Bucket": d.bucket("lake"), "Key": "gates/movies/silver.json"}),
    ("s3:DeleteBucket", "delete_bucket", lambda d: {"Bucket": d.bucket("queries")}),
    ("kms:CreateKey", "create_key", lambda _: {"Description": "of no environment"}),
    (
        "kms:ScheduleKeyDeletion",
        "schedule_key_deletion",
        lambda d: {"KeyId": d.client("kms").list_keys()["Keys"][0]["KeyId"]},
    ),
]
BEYOND_A_PLAN: list[Attempt] = [
    ("s3:PutObject", "put_object", lambda d: {"Bucket": deployment(d), "Key": "state/local.tfstate"}),
    ("s3:PutObject", "put_object", lambda d: {"Bucket": deployment(d), "Key": "artifacts/movies.py"}),
    ("s3:GetObject", "get_object", lambda d: {"Bucket": deployment(d), "Key": "state/delivery.tfstate"}),
    ("s3:GetObject", "get_object", lambda d: {"Bucket": d.bucket("raw"), "Key": "raw/movies/a.jsonl"}),
    ("glue:StartJobRun", "start_job_run", lambda d: {"JobName": d.lake.named("jobs", "movies-gold")}),
]


@pytest.mark.parametrize(
    ("purpose", "attempt"),
    [
        *(("deploy", attempt) for attempt in BEYOND_A_DEPLOYMENT),
        *(("plan", attempt) for attempt in BEYOND_A_PLAN),
    ],
)
def test_a_job_is_refused_what_goes_beyond_it(deployed: Deployed, purpose: str, attempt: Attempt) -> None:
    action, call, arguments = attempt
    service = action.partition(":")[0]
    client = deployed.cloud.client("glue" if "job" in call else service, deployed.delivery.keys(purpose))
    with pytest.raises(ClientError, match=r"AccessDenied|not authorized"):
        getattr(client, call)(**arguments(deployed))
    last = decisions(deployed, purpose)[-1]
    assert (last["action"], last["allowed"]) == (action, False)


def test_a_role_that_a_deployment_makes_is_held_by_the_boundary(deployed: Deployed) -> None:
    """It may give it all rights there are, and still the role can do no more than one of the lake ever may."""
    iam, name = deployed.cloud.client("iam", deployed.delivery.keys("deploy")), "oakvale-local-greedy"
    made = iam.create_role(**role(name, PermissionsBoundary=boundary(deployed)))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="all", **EVERYTHING)
    account = deployed.client("sts").get_caller_identity()["Arn"]
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=document({**TRUST, "Principal": {"AWS": account}}))
    keys = variables(deployed.client("sts").assume_role(RoleArn=made["Arn"], RoleSessionName="test"))
    s3 = deployed.cloud.client("s3", keys)
    s3.list_objects_v2(Bucket=deployed.bucket("lake"))
    for environment in ("local", "delivery"):
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.get_object(Bucket=deployment(deployed), Key=f"state/{environment}.tfstate")
    with pytest.raises(ClientError, match="AccessDenied"):
        deployed.cloud.client("iam", keys).delete_role_permissions_boundary(RoleName=name)
    iam.delete_role_policy(RoleName=name, PolicyName="all")
    iam.delete_role(RoleName=name)
