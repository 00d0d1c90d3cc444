"""The deployment bucket: one per account and region, for Terraform's states and for what is deployed.

Terraform can't make the bucket that holds its own state, so `make bootstrap` makes it, and sets it right again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from environments import DeployError, Environment

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OLD_STATES_KEPT_DAYS = 90
BLOCKED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
ENCRYPTION = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]}
OWNERSHIP = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
LIFECYCLE = [
    {
        "ID": "old-states",
        "Status": "Enabled",
        "Filter": {"Prefix": "state/"},
        "NoncurrentVersionExpiration": {"NoncurrentDays": OLD_STATES_KEPT_DAYS},
    },
    {
        "ID": "unfinished-uploads",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    },
]


@dataclass(frozen=True)
class Setting:
    """One setting of the bucket: what it must be, how it is read, and how it is set."""

    name: str
    wanted: Any
    read: Callable[[], Any]
    write: Callable[[], Any]


def name(account: str, region: str) -> str:
    """The bucket's name; Terraform and the scripts compute it alike."""
    return f"oakvale-deployment-{account}-{region}"


def require(s3: S3Client, bucket: str, account: str, environment: Environment) -> None:
    """Raises DeployError when the bucket isn't there and ours."""
    if not exists(s3, bucket, account):
        raise DeployError(f"the deployment bucket {bucket} isn't there: run make bootstrap ENV={environment.name}")


def exists(s3: S3Client, bucket: str, account: str) -> bool:
    """Whether the account has the bucket. Raises DeployError when another account has it, or the right is missing."""
    try:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("404", "NoSuchBucket", "NotFound"):
            return False
        if code in ("403", "AccessDenied", "Forbidden"):
            raise DeployError(
                f"the bucket {bucket} is refused: either these credentials lack s3:ListBucket on it, "
                f"or it belongs to another account than {account}, and nothing may be put there"
            ) from error
        raise DeployError(f"the bucket {bucket} can't be looked at: {error}") from error
    except BotoCoreError as error:
        raise DeployError(f"the bucket {bucket} can't be looked at: {error}") from error
    return True


def bootstrap(s3: S3Client, bucket: str, account: str, region: str) -> list[str]:
    """Makes the bucket and sets what isn't as it must be; returns what was done, nothing if all was right."""
    done = []
    try:
        if not exists(s3, bucket, account):
            _create(s3, bucket, region)
            done.append("created")
        for setting in _settings(s3, bucket):
            if _read(setting) != setting.wanted:
                setting.write()
                done.append(setting.name)
    except (BotoCoreError, ClientError) as error:
        raise DeployError(f"the bucket {bucket} can't be set up: {error}") from error
    return done


def _create(s3: S3Client, bucket: str, region: str) -> None:
    # The API refuses us-east-1 as a location: it is what no location means.
    location: Any = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=bucket, ObjectOwnership="BucketOwnerEnforced", **location)
    except ClientError as error:
        if error.response["Error"]["Code"] == "BucketAlreadyExists":
            raise DeployError(f"another account has taken the bucket name {bucket}: ask AWS support") from error
        raise
    s3.get_waiter("bucket_exists").wait(Bucket=bucket)


def _settings(s3: S3Client, bucket: str) -> list[Setting]:
    policy = _policy(f"arn:{s3.meta.partition}:s3:::{bucket}")

    def get(operation: str, *path: str) -> Callable[[], Any]:
        def read() -> Any:
            answer = getattr(s3, operation)(Bucket=bucket)
            for key in path:
                answer = answer.get(key)
            return answer

        return read

    def put(operation: str, **content: Any) -> Callable[[], Any]:
        return lambda: getattr(s3, operation)(Bucket=bucket, **content)

    return [
        Setting(
            "public access block",
            BLOCKED,
            get("get_public_access_block", "PublicAccessBlockConfiguration"),
            put("put_public_access_block", PublicAccessBlockConfiguration=BLOCKED),
        ),
        Setting(
            "ownership",
            OWNERSHIP,
            get("get_bucket_ownership_controls", "OwnershipControls"),
            put("put_bucket_ownership_controls", OwnershipControls=OWNERSHIP),
        ),
        Setting(
            "versioning",
            "Enabled",
            get("get_bucket_versioning", "Status"),
            put("put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"}),
        ),
        Setting(
            "encryption",
            "AES256",
            lambda: _algorithm(s3, bucket),
            put("put_bucket_encryption", ServerSideEncryptionConfiguration=ENCRYPTION),
        ),
        Setting(
            "policy",
            policy,
            lambda: json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]),
            put("put_bucket_policy", Policy=json.dumps(policy)),
        ),
        Setting(
            "lifecycle",
            LIFECYCLE,
            get("get_bucket_lifecycle_configuration", "Rules"),
            put("put_bucket_lifecycle_configuration", LifecycleConfiguration={"Rules": LIFECYCLE}),
        ),
    ]


def _algorithm(s3: S3Client, bucket: str) -> str:
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    return rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]


def _read(setting: Setting) -> Any:
    """What is set; None when nothing is: S3 then answers with an error, of another name for each setting."""
    try:
        return setting.read()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise


def _policy(arn: str) -> dict[str, Any]:
    """Refuses plain HTTP, TLS before 1.2, and to delete the bucket: the states of all environments lie in it."""

    def deny(sid: str, action: str, resource: list[str], **condition: Any) -> dict[str, Any]:
        return {"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource, **condition}

    everything = [arn, f"{arn}/*"]
    plain, old = {"Bool": {"aws:SecureTransport": "false"}}, {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            deny("OnlyOverTls", "s3:*", everything, Condition=plain),
            deny("OnlyOverModernTls", "s3:*", everything, Condition=old),
            deny("NobodyDeletesTheBucket", "s3:DeleteBucket", [arn]),
        ],
    }
