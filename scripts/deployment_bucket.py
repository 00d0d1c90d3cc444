"""The deployment bucket: one per account and region, for Terraform's states and for what is deployed.

Terraform can't make the bucket that holds its own state, so `make bootstrap` makes it, and sets it right again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

import deployment_bucket_settings
from environments import DeployError, Environment

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


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
        for setting in deployment_bucket_settings.settings(s3, bucket):
            if setting.current() != setting.wanted:
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
