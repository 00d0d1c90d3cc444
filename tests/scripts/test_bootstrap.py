"""The deployment bucket is made once, set right again when it isn't, and never anybody else's."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.scripts.conftest import ACCOUNT, BUCKET

import bootstrap
import deployment_bucket
import environments
from environments import DeployError

SETTINGS = ["public access block", "ownership", "versioning", "encryption", "policy", "lifecycle"]


def test_a_bucket_with_all_settings(project: Path, aws: Any) -> None:
    name, done = bootstrap.bootstrap(environments.find("dev"))
    assert (name, done[0]) == (BUCKET, "created")
    assert set(done[1:]) <= set(SETTINGS)
    assert aws.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] == "eu-west-1"
    assert aws.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    encryption = aws.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    block = aws.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    assert block == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    ownership = aws.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"]
    assert ownership == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    statements = json.loads(aws.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    arn = f"arn:aws:s3:::{BUCKET}"
    assert all((statement["Effect"], statement["Principal"]) == ("Deny", "*") for statement in statements)
    assert [(each["Action"], each["Resource"], each.get("Condition")) for each in statements] == [
        ("s3:*", [arn, f"{arn}/*"], {"Bool": {"aws:SecureTransport": "false"}}),
        ("s3:*", [arn, f"{arn}/*"], {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
        ("s3:DeleteBucket", [arn], None),
    ]
    states, uploads = aws.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert states["Filter"] == {"Prefix": "state/"}
    assert states["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90}
    assert uploads["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


def test_a_second_time_there_is_nothing_to_do(project: Path, aws: Any) -> None:
    bootstrap.bootstrap(environments.find("dev"))
    assert bootstrap.bootstrap(environments.find("production")) == (BUCKET, [])


@pytest.mark.parametrize(
    ("damage", "mended"),
    [
        (lambda s3: s3.delete_public_access_block(Bucket=BUCKET), "public access block"),
        (lambda s3: s3.delete_bucket_ownership_controls(Bucket=BUCKET), "ownership"),
        (
            lambda s3: s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}),
            "versioning",
        ),
        (lambda s3: s3.delete_bucket_encryption(Bucket=BUCKET), "encryption"),
        (lambda s3: s3.delete_bucket_policy(Bucket=BUCKET), "policy"),
        (lambda s3: s3.delete_bucket_lifecycle(Bucket=BUCKET), "lifecycle"),
    ],
)
def test_what_was_changed_is_mended(project: Path, aws: Any, damage: Any, mended: str) -> None:
    bootstrap.bootstrap(environments.find("dev"))
    damage(aws)
    assert bootstrap.bootstrap(environments.find("dev")) == (BUCKET, [mended])
    assert bootstrap.bootstrap(environments.find("dev")) == (BUCKET, [])


def test_the_first_region_takes_no_location(project: Path, aws: Any) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    assert deployment_bucket.bootstrap(s3, "oakvale-deployment-1-us-east-1", ACCOUNT, "us-east-1")[0] == "created"


def test_the_policy_is_of_the_regions_partition(project: Path, aws: Any) -> None:
    s3 = boto3.client("s3", region_name="cn-north-1")
    deployment_bucket.bootstrap(s3, "oakvale-deployment-1-cn-north-1", ACCOUNT, "cn-north-1")
    policy = json.loads(s3.get_bucket_policy(Bucket="oakvale-deployment-1-cn-north-1")["Policy"])
    assert policy["Statement"][2]["Resource"] == ["arn:aws-cn:s3:::oakvale-deployment-1-cn-north-1"]


def failing(code: str, status: int) -> Any:
    """A call that S3 refuses."""

    def fail(**_: object) -> None:
        answer: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(answer, "Operation")

    return fail


def test_a_bucket_that_is_refused_may_be_anybodys(project: Path, aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "head_bucket", failing("403", 403))
    with pytest.raises(DeployError) as refused:
        deployment_bucket.bootstrap(aws, BUCKET, ACCOUNT, "eu-west-1")
    assert str(refused.value) == (
        f"the bucket {BUCKET} is refused: either these credentials lack s3:ListBucket on it, "
        f"or it belongs to another account than {ACCOUNT}, and nothing may be put there"
    )


def test_whose_bucket_it_is_is_asked(project: Path, aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(aws, "head_bucket", lambda **arguments: asked.append(arguments))
    assert deployment_bucket.exists(aws, BUCKET, ACCOUNT)
    assert asked == [{"Bucket": BUCKET, "ExpectedBucketOwner": ACCOUNT}]


def test_a_name_that_is_taken(project: Path, aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "create_bucket", failing("BucketAlreadyExists", 409))
    with pytest.raises(DeployError, match=rf"^another account has taken the bucket name {BUCKET}: ask AWS support$"):
        deployment_bucket.bootstrap(aws, BUCKET, ACCOUNT, "eu-west-1")


def test_a_missing_right_is_named(project: Path, aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "put_bucket_policy", failing("AccessDenied", 403))
    with pytest.raises(DeployError, match=rf"^the bucket {BUCKET} can't be set up: .*AccessDenied.*Operation.*: no$"):
        deployment_bucket.bootstrap(aws, BUCKET, ACCOUNT, "eu-west-1")


def test_without_the_bucket_the_remedy_is_named(project: Path, aws: Any) -> None:
    expected = rf"^the deployment bucket {BUCKET} isn't there: run make bootstrap ENV=dev$"
    with pytest.raises(DeployError, match=expected):
        deployment_bucket.require(aws, BUCKET, ACCOUNT, environments.find("dev"))


def test_the_command(
    project: Path, aws: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bootstrap.py", "--environment", "dev"])
    assert bootstrap.main() == 0
    assert capsys.readouterr().out.startswith(f"{BUCKET}: created, ")
    assert bootstrap.main() == 0
    assert capsys.readouterr().out == f"{BUCKET}: is as it must be\n"
    monkeypatch.setattr(sys, "argv", ["bootstrap.py", "--environment", "prod"])
    assert bootstrap.main() == 1
    assert capsys.readouterr().err == "error: there is no environment 'prod'; there are: dev, local, production\n"
