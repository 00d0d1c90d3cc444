"""Policies looked through by a linter that isn't ours: actions that AWS knows, on resources that they can have.

Trust policies are left out: it takes them for policies that lack their resources. A table in test_roles.py has them.
"""

from __future__ import annotations

import parliament
import pytest

from tests.terraform.deployment import Deployment

# Kind of resource -> findings that tell nothing, by a part of their text.
MEANINGLESS = {
    # It knows executions of express state machines alone.
    "aws_iam_role_policy": {"states:DescribeExecution"},
    "aws_sns_topic_policy": set(),
    "aws_sqs_queue": set(),
    # The resource of a key's policy is the key, which has no other name there than `*`; and what is behind
    # kms:EncryptionContext: is the service's own, so no list has it, nor its type.
    "aws_kms_key": {"RESOURCE_STAR", "kms:EncryptionContext:aws:logs:arn", "ArnLike requires a value of type Arn"},
    # Its numbers are whole ones, and not each action of `s3:*` knows this key.
    "aws_s3_bucket_policy": {"s3:TlsVersion"},
}


@pytest.mark.parametrize("kind", MEANINGLESS)
def test_the_linter_finds_nothing_in_policies(staging: Deployment, kind: str) -> None:
    policies = [values["policy"] for values in staging.of(kind).values()]
    assert len(policies) >= 1
    findings = {str(finding) for policy in policies for finding in parliament.analyze_policy_string(policy).findings}
    found = {next((part for part in MEANINGLESS[kind] if part in finding), finding) for finding in findings}
    assert found == MEANINGLESS[kind]


def test_every_policy_is_looked_through(staging: Deployment) -> None:
    documents = {
        address: values["policy"]
        for address, values in staging.resources.items()
        if str(values.get("policy")).startswith("{")  # not what the mocked provider makes up
    }
    kinds = {next(part for part in address.split(".") if part.startswith("aws_")) for address in documents}
    assert kinds == set(MEANINGLESS)
    assert len(staging.of("aws_iam_role_policy")) == len(staging.of("aws_iam_role"))
