"""What the deployment bucket must be set to: who may do what in it, and how objects are kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        LifecycleRuleTypeDef,
        OwnershipControlsTypeDef,
        PublicAccessBlockConfigurationTypeDef,
        ServerSideEncryptionConfigurationTypeDef,
    )

OLD_STATES_KEPT_DAYS = 90
BLOCKED: PublicAccessBlockConfigurationTypeDef = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
ENCRYPTION: ServerSideEncryptionConfigurationTypeDef = {
    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
}
OWNERSHIP: OwnershipControlsTypeDef = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
LIFECYCLE: list[LifecycleRuleTypeDef] = [
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

    def current(self) -> Any:
        """What is set; None when nothing is: S3 then answers with an error, of another name for each setting."""
        try:
            return self.read()
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise


def settings(s3: S3Client, bucket: str) -> list[Setting]:
    """All settings of the bucket."""
    return [*_settings_of_access(s3, bucket), *_settings_of_objects(s3, bucket)]


def _settings_of_access(s3: S3Client, bucket: str) -> list[Setting]:
    """Who may do what."""
    policy = _policy(f"arn:{s3.meta.partition}:s3:::{bucket}")
    return [
        Setting(
            "public access block",
            BLOCKED,
            lambda: s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
            lambda: s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=BLOCKED),
        ),
        Setting(
            "ownership",
            OWNERSHIP,
            lambda: s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"],
            lambda: s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=OWNERSHIP),
        ),
        Setting(
            "policy",
            policy,
            lambda: json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]),
            lambda: s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy)),
        ),
    ]


def _settings_of_objects(s3: S3Client, bucket: str) -> list[Setting]:
    """How objects are kept."""
    return [
        Setting(
            "versioning",
            "Enabled",
            lambda: s3.get_bucket_versioning(Bucket=bucket).get("Status"),
            lambda: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}),
        ),
        Setting(
            "encryption",
            "AES256",
            lambda: _algorithm(s3, bucket),
            lambda: s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=ENCRYPTION),
        ),
        Setting(
            "lifecycle",
            LIFECYCLE,
            lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
            lambda: s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": LIFECYCLE}),
        ),
    ]


def _algorithm(s3: S3Client, bucket: str) -> str:
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    return rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]


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
