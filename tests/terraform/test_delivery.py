"""Who may deploy from GitHub: which jobs take a role, what it may do, and that no environment reaches another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import parliament
import pytest

from tests.terraform.deployment import ACCOUNT, BOUNDARY, Deployment, TerraformRun, apply_mocked, by_sid

HERE = f"us-east-1:{ACCOUNT}"
NAME = "oakvale-staging"
ISSUER = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
POLICY_CHARACTERS, POLICIES = 6144, 10
# Where the name begins of what the mocked provider calls otherwise than we do.
MOCKED = re.compile(
    r"^(arn:aws:(?:sns|lambda|glue):[^:]+:\d+:(?:function:|workflow/)?)(?=alerts|mocked|runs|record|start)"
)
# Role -> the one job that takes it.
JOBS = {
    "staging-deploy": "repo:owner/name:ref:refs/heads/main",
    "staging-plan": "repo:owner/name:pull_request",
    "production-deploy": "repo:owner/name:environment:production",
}
BUCKETS = [f"arn:aws:s3:::{NAME}-{store}-{ACCOUNT}" for store in ("raw", "lake", "queries", "logs")]
DEPLOYMENT = f"arn:aws:s3:::oakvale-deployment-{ACCOUNT}-us-east-1"
STATE = f"{DEPLOYMENT}/state/staging.tfstate"
KEYS, MAPPINGS = f"arn:aws:kms:{HERE}:key/*", f"arn:aws:lambda:{HERE}:event-source-mapping:*"
GLUE = f"arn:aws:glue:{HERE}"
LAYERS = ("bronze", "silver", "gold")
CATALOGS = [f"{GLUE}:catalog", *(f"{GLUE}:database/oakvale_staging_{layer}" for layer in LAYERS)]
JOBS_OF_GLUE = [f"{GLUE}:{kind}/{NAME}-*" for kind in ("job", "trigger", "workflow")]
FUNCTION = f"arn:aws:lambda:{HERE}:function:{NAME}-*"
LOGS = [
    f"arn:aws:logs:{HERE}:log-group:{group}"
    for group in (f"/{NAME}/*", f"/aws/lambda/{NAME}-*", f"/aws/vendedlogs/states/{NAME}-*")
]
EVENTS = [
    f"arn:aws:events:{HERE}:rule/{NAME}-*",
    *(f"arn:aws:scheduler:{HERE}:{kind}/{NAME}-*" for kind in ("schedule", "schedule-group")),
]
MESSAGES = [f"arn:aws:{service}:{HERE}:{NAME}-*" for service in ("sns", "sqs")]
ALARM, MACHINE = f"arn:aws:cloudwatch:{HERE}:alarm:{NAME}-*", f"arn:aws:states:{HERE}:stateMachine:{NAME}-*"
STREAMS = [f"arn:aws:firehose:{HERE}:deliverystream/{NAME}-*", f"arn:aws:kinesis:{HERE}:stream/{NAME}-*"]
WORKGROUP, ROLE = f"arn:aws:athena:{HERE}:workgroup/{NAME}", f"arn:aws:iam::{ACCOUNT}:role/{NAME}-*"
TAGGED = {f"aws:ResourceTag/{tag}": value for tag, value in (("project", "oakvale"), ("environment", "staging"))}
TAGGED_ANEW = {name.replace("Resource", "Request"): value for name, value in TAGGED.items()}
OWN_BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/oakvale-delivery-staging-boundary"

READS: dict[str, list[str]] = {
    "FindState": [DEPLOYMENT],
    "ReadState": [STATE],
    "HoldLock": [f"{STATE}.tflock"],
    "ReadBuckets": BUCKETS,
    "ReadKeys": [KEYS],
    "ReadCatalog": [*CATALOGS, *(f"{GLUE}:table/oakvale_staging_{layer}/*" for layer in LAYERS)],
    "ReadJobs": JOBS_OF_GLUE,
    "ReadFunctions": [FUNCTION],
    "ReadMappings": [MAPPINGS],
    "ReadLogGroups": LOGS,
    "ReadEvents": EVENTS,
    "ReadMessages": MESSAGES,
    "ReadAlarms": [ALARM],
    "ReadMachines": [MACHINE],
    "ReadStreams": STREAMS,
    "ReadQueries": [WORKGROUP],
    "ReadRoles": [ROLE],
    "ReadLists": ["*"],
}
WRITES: dict[str, list[str]] = {
    "WriteState": [STATE],
    "PutArtifacts": [f"{DEPLOYMENT}/artifacts/*"],
    "MakeBuckets": BUCKETS,
    "MakeKeys": ["*"],
    "TagNewKeys": [KEYS],
    "ChangeKeys": [KEYS],
    "NameKeys": [f"arn:aws:kms:{HERE}:alias/{NAME}{end}" for end in ("", "-alerts")],
    "HandKeysOn": [KEYS],
    "MakeDatabases": CATALOGS,
    "MakeTables": [*CATALOGS, f"{GLUE}:table/oakvale_staging_bronze/runs"],
    "MakeSecurityConfiguration": ["*"],
    "MakeJobs": JOBS_OF_GLUE,
    "MakeFunctions": [FUNCTION],
    "MakeMappings": ["*"],
    "ChangeMappings": [MAPPINGS],
    "TagNewMappings": [MAPPINGS],
    "TagMappings": [MAPPINGS],
    "MakeLogGroups": LOGS,
    "MakeEvents": EVENTS,
    "MakeMessages": MESSAGES,
    "MakeAlarms": [ALARM],
    "MakeMachines": [MACHINE],
    "MakeStreams": STREAMS,
    "EncryptStreams": [KEYS, STREAMS[1]],
    "MakeQueries": [WORKGROUP],
    "MakeBoundedRoles": [ROLE],
    "ChangeRoles": [ROLE],
    "PassRoles": [ROLE],
}
OF_OWN_FUNCTIONS = {"ArnLike": {"lambda:FunctionArn": FUNCTION}}
CONDITIONS: dict[str, dict[str, Any]] = {
    "ReadKeys": {"StringEquals": TAGGED},
    "MakeKeys": {"StringEquals": TAGGED_ANEW},
    "TagNewKeys": {"StringEquals": TAGGED_ANEW, "Null": {"aws:ResourceTag/project": "true"}},
    "ChangeKeys": {"StringEquals": TAGGED},
    "HandKeysOn": {
        "StringEquals": {
            **TAGGED,
            "kms:ViaService": [f"{name}.us-east-1.amazonaws.com" for name in ("kinesis", "lambda", "scheduler")],
        }
    },
    "MakeMappings": OF_OWN_FUNCTIONS,
    "ChangeMappings": OF_OWN_FUNCTIONS,
    "TagNewMappings": {"StringEquals": TAGGED_ANEW, "Null": {"aws:ResourceTag/project": "true"}},
    "TagMappings": {"StringEquals": TAGGED},
    "MakeBoundedRoles": {"StringEquals": {"iam:PermissionsBoundary": OWN_BOUNDARY}},
    "PassRoles": {
        "StringEquals": {
            "iam:PassedToService": [
                f"{name}.amazonaws.com" for name in ("events", "firehose", "glue", "lambda", "scheduler", "states")
            ]
        }
    },
}
# What takes data, keys, bounds or identities away is nobody's on GitHub.
ADMINISTRATORS = {
    *("s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:DeleteObjectVersion", "kms:ScheduleKeyDeletion"),
    *("kinesis:DeleteStream", "kinesis:StopStreamEncryption"),
    *(
        "glue:DeleteSecurityConfiguration",
        "kms:DisableKey",
        "glue:DeleteDatabase",
        "iam:DeleteRolePermissionsBoundary",
        "iam:AttachRolePolicy",
    ),
    *("iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:CreateUser", "iam:CreateAccessKey"),
    *("iam:CreateOpenIDConnectProvider", "iam:UpdateOpenIDConnectProviderThumbprint", "sts:AssumeRole"),
}

# Findings of the linter that tell nothing, by a part of their text, and why.
MEANINGLESS = {
    "PRIVILEGE_ESCALATION": "who deploys buckets sets their policies and lifecycles",
    "type String but given Arn": "AWS's own examples compare the boundary so, and it has no wildcard",
    "athena:ListTagsForResource": "tags of workgroups alone: other kinds have tags too",
    "athena:TagResource": "the same",
    "kms:CreateAlias": "an alias wants the right on itself and on its key, which are two statements",
    "states:DescribeExecution": "of standard executions; express ones have no record",
    "kinesis:UpdateStreamMode": "it has its stream as a resource",
    "cloudwatch:DescribeAlarms": "a list, also when it is asked for one name",
}


def policies(delivery: Deployment, role: str) -> list[str]:
    """The documents of the policies that a role has."""
    environment, purpose = role.split("-")
    place = f'module.environment["{environment}"]'
    named = {
        address.removeprefix(f"{place}.aws_iam_policy.this"): values["policy"]
        for address, values in delivery.of("aws_iam_policy").items()
    }
    attached = [
        address.removeprefix(f"{place}.aws_iam_role_policy_attachment.this")
        for address, values in delivery.of("aws_iam_role_policy_attachment").items()
        if values["role"] == f"oakvale-delivery-{environment}-{purpose}"
    ]
    return [named[key] for key in attached]


def boundary(delivery: Deployment, environment: str) -> dict[str, dict[str, Any]]:
    """The statements of an environment's boundary, by Sid."""
    return by_sid(delivery.one(f'module.environment["{environment}"].aws_iam_policy.boundary')["policy"])


@pytest.mark.parametrize("role", JOBS)
def test_only_its_job_takes_a_role(delivery: Deployment, role: str) -> None:
    statement = delivery.trust(f"oakvale-delivery-{role}")
    assert statement == {
        "Sid": "JobOnGitHubTakesThis",
        "Effect": "Allow",
        "Action": ["sts:AssumeRoleWithWebIdentity"],
        "Principal": {"Federated": PROVIDER},
        "Condition": {"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": JOBS[role]}},
    }


def test_there_is_no_other_role_and_all_is_said_to_github(delivery: Deployment) -> None:
    assert {role["name"] for role in delivery.of("aws_iam_role").values()} == {f"oakvale-delivery-{r}" for r in JOBS}
    (provider,) = delivery.of("aws_iam_openid_connect_provider").values()
    assert (provider["url"], provider["client_id_list"]) == (f"https://{ISSUER}", ["sts.amazonaws.com"])
    roles = {f"{role.replace('-', '_').upper()}_ROLE_ARN" for role in JOBS}
    assert set(delivery.outputs["settings"]) == roles | {
        *("AWS_REGION", "STAGING_BOUNDARY_ARN", "PRODUCTION_BOUNDARY_ARN"),
    }


@pytest.mark.parametrize(("role", "expected"), [("staging-plan", READS), ("staging-deploy", READS | WRITES)])
def test_a_role_reaches_this_and_nothing_else(delivery: Deployment, role: str, expected: dict[str, list[str]]) -> None:
    found = by_sid(*policies(delivery, role))
    assert {sid: statement["Effect"] for sid, statement in found.items()} == dict.fromkeys(expected, "Allow")
    assert {sid: sorted(statement["Resource"]) for sid, statement in found.items()} == {
        sid: sorted(resources) for sid, resources in expected.items()
    }
    assert {sid: statement["Condition"] for sid, statement in found.items() if "Condition" in statement} == {
        sid: condition for sid, condition in CONDITIONS.items() if sid in expected
    }


def test_a_plan_changes_nothing_but_its_lock(delivery: Deployment) -> None:
    for sid, statement in by_sid(*policies(delivery, "staging-plan")).items():
        verbs = {action.partition(":")[2] for action in statement["Action"]}
        changing = {verb for verb in verbs if not verb.startswith(("Describe", "Get", "List", "Validate"))}
        assert changing == ({"DeleteObject", "PutObject"} if sid == "HoldLock" else set()), sid


@pytest.mark.parametrize("role", ["staging-deploy", "production-deploy"])
def test_a_deployment_takes_nothing_away_that_holds_data_or_bounds(delivery: Deployment, role: str) -> None:
    allowed = [each for each in by_sid(*policies(delivery, role)).values() if each["Effect"] == "Allow"]
    actions = {action for statement in allowed for action in statement["Action"]}
    assert not any("*" in action for action in actions)
    assert actions & ADMINISTRATORS == set()
    assert not any(
        resource.startswith(BOUNDARY.rpartition("/")[0]) for each in allowed for resource in each["Resource"]
    )


def test_environments_do_not_reach_each_other(delivery: Deployment) -> None:
    """Production's names begin those of all others, so its role is refused what is theirs."""
    shared = {"*", KEYS, MAPPINGS, DEPLOYMENT, f"{DEPLOYMENT}/artifacts/*", f"{GLUE}:catalog"}
    for one, other in (("staging", "production"), ("production", "staging")):
        mine = by_sid(*policies(delivery, f"{one}-deploy")).values()
        theirs = {
            resource
            for statement in by_sid(*policies(delivery, f"{other}-deploy")).values()
            if statement["Effect"] == "Allow"
            for resource in statement["Resource"]
        }
        for resource in (found.replace("*", "any") for found in theirs - shared):
            effects = {
                statement["Effect"]
                for statement in mine
                if any(fnmatchcase(resource, pattern) for pattern in set(statement["Resource"]) - shared)
            }
            # "any" stands for a name that production itself may have.
            assert effects != {"Allow"}, (one, resource)
    refused = by_sid(*policies(delivery, "production-deploy"))["LeaveOthersAlone"]
    assert (refused["Effect"], refused["Action"]) == ("Deny", ["*"])
    for name in ("delivery-staging-deploy", "dev-movies-bronze", "local-movies-bronze", "staging-movies-bronze"):
        role = f"arn:aws:iam::{ACCOUNT}:role/oakvale-{name}"
        assert any(fnmatchcase(role, pattern) for pattern in refused["Resource"]), name


def test_the_boundary_holds_all_that_the_roles_of_the_lake_may(delivery: Deployment, staging: Deployment) -> None:
    bounds = list(boundary(delivery, "staging").values())
    seen = 0
    for address, action, resource in granted(staging):
        within = any(
            action in bound["Action"] and any(fnmatchcase(resource, pattern) for pattern in bound["Resource"])
            for bound in bounds
        )
        assert within, f"{address}: {action} on {resource} is more than the boundary of delivery allows"
        seen += 1
    assert seen > 300


def granted(deployment: Deployment) -> Iterator[tuple[str, str, str]]:
    """Every action on every resource that a role of the lake may."""
    for address, values in deployment.of("aws_iam_role_policy").items():
        for statement in json.loads(values["policy"])["Statement"]:
            for action in statement["Action"]:
                for resource in statement["Resource"]:
                    # What the mocked provider calls its things isn't what we call them.
                    yield address, action, MOCKED.sub(rf"\1{NAME}-", resource)


def test_a_boundary_is_of_its_environment_and_about_no_right(delivery: Deployment) -> None:
    for environment, name in (("staging", NAME), ("production", "oakvale")):
        bounds = boundary(delivery, environment)
        assert {sid for sid, bound in bounds.items() if bound["Resource"] == ["*"]} == {"Observe"}
        data = bounds["UseData"]["Resource"]
        assert sorted(data) == sorted(
            f"arn:aws:s3:::{name}-{store}-{ACCOUNT}{end}"
            for store in ("raw", "lake", "queries", "logs")
            for end in ("", "/*")
        )
        actions = {action for bound in bounds.values() for action in bound["Action"]}
        assert not any("*" in action or action.startswith(("iam:", "sts:")) for action in actions)


def test_policies_fit_into_iams_limits(delivery: Deployment) -> None:
    for address, values in delivery.of("aws_iam_policy").items():
        assert len(values["policy"]) <= POLICY_CHARACTERS, address
    assert max(len(policies(delivery, role)) for role in JOBS) <= POLICIES


def test_the_linter_finds_nothing_else_in_the_policies(delivery: Deployment) -> None:
    documents = {values["policy"] for values in delivery.of("aws_iam_policy").values()}
    findings = {str(found) for document in documents for found in parliament.analyze_policy_string(document).findings}
    found = {next((part for part in MEANINGLESS if part in finding), finding) for finding in findings}
    assert found == set(MEANINGLESS)


def test_an_account_with_a_provider_keeps_it(delivery_terraform: TerraformRun) -> None:
    values = (f"-var=identity_provider_arn={PROVIDER}", "-var=repository=owner@12/name@345")
    delivery = apply_mocked(delivery_terraform, *values, '-var=deployments={"staging":"environment:rehearsal"}')
    assert delivery.of("aws_iam_openid_connect_provider") == {}
    trust = delivery.trust("oakvale-delivery-staging-deploy")
    assert trust["Principal"] == {"Federated": PROVIDER}
    assert trust["Condition"]["StringEquals"][f"{ISSUER}:sub"] == "repo:owner@12/name@345:environment:rehearsal"


@pytest.mark.parametrize(
    ("values", "messages"),
    [
        (
            ("repository=owner", "identity_provider_arn=github", 'deployments={"test":"ref:refs/heads/*"}'),
            (
                "repository must be OWNER/NAME, as GitHub spells it, each with its @id where GitHub signs so.",
                "identity_provider_arn must be the ARN of oidc-provider/",
                "deployments: a job is ref:refs/heads/<branch> or environment:<name>, without wildcards.",
                "deployments: each environment needs its file in terraform/environments.",
            ),
        ),
        (
            ("repository=owner/name", "planned=dev"),
            ("planned must be one of the environments in deployments.",),
        ),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_made(
    delivery_terraform: TerraformRun, values: tuple[str, ...], messages: tuple[str, ...]
) -> None:
    run = delivery_terraform("test", "-no-color", *(f"-var={value}" for value in values))
    assert run.returncode == 1
    text = " ".join((run.stdout + run.stderr).split())
    assert [message for message in messages if message not in text] == []
