"""Puts what `make package` has built into the deployment bucket: `make upload ENV=dev`.

A key holds the hash of its content, so what is there is never replaced, only checked.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

import deployment_bucket
import environments
from artifacts import ROOT, Artifact, ManifestError, read_manifest
from environments import DeployError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LARGE_BYTES = 1_000_000
"""From here on the upload itself is announced."""


def upload(environment: environments.Environment, note: Callable[[str], None]) -> str:
    """Puts each artefact that isn't there yet, and checks all that are; returns the bucket's name."""
    artifacts = read_manifest(ROOT)
    account = environments.account(environment)
    bucket = deployment_bucket.name(account, environment.region)
    s3 = environment.session().client("s3")
    deployment_bucket.require(s3, bucket, account, environment)
    for number, artifact in enumerate(artifacts, 1):
        size = (ROOT / artifact.file).stat().st_size
        label = f"{number}/{len(artifacts)}  {artifact.name:<22} {size:>11,} bytes"
        try:
            if size >= LARGE_BYTES and stored_sha256(s3, bucket, artifact.key) is None:
                note(f"{label}  on its way ...")
            outcome = put_once(s3, bucket, artifact)
        except (BotoCoreError, ClientError) as error:
            raise DeployError(f"{artifact.file} can't be put into {bucket}: {error}") from error
        note(f"{label}  {outcome:<9}  {artifact.key}")
    return bucket


def put_once(s3: S3Client, bucket: str, artifact: Artifact) -> str:
    """Puts the artefact unless its key is taken; "new" or "unchanged". Raises DeployError when it is other bytes."""
    outcome = "unchanged"
    stored = stored_sha256(s3, bucket, artifact.key)
    if stored is None:
        outcome = _put(s3, bucket, artifact)
        stored = stored_sha256(s3, bucket, artifact.key)
    if stored != artifact.sha256:
        raise DeployError(
            f"s3://{bucket}/{artifact.key} holds other bytes than its name says (SHA-256 {stored}): "
            "find out who wrote it, delete it, and upload again"
        )
    return outcome


def _put(s3: S3Client, bucket: str, artifact: Artifact) -> str:
    checksum = base64.b64encode(bytes.fromhex(artifact.sha256)).decode()
    with (ROOT / artifact.file).open("rb") as body:
        try:
            s3.put_object(Bucket=bucket, Key=artifact.key, Body=body, IfNoneMatch="*", ChecksumSHA256=checksum)
        except ClientError as error:
            # Another upload was there first; what it has put is checked like any other.
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise
            return "unchanged"
    return "new"


def stored_sha256(s3: S3Client, bucket: str, key: str) -> str | None:
    """The SHA-256 of an object: S3's own where it has one, else of its bytes; None when there is no object."""
    try:
        head: Any = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise
    if checksum := head.get("ChecksumSHA256"):
        return base64.b64decode(checksum).hex()
    digest = hashlib.sha256()
    for block in s3.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(LARGE_BYTES):
        digest.update(block)
    return digest.hexdigest()


def main() -> int:
    """Command line; exit code 1 when something can't be put."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", required=True, help="local, dev, staging or production")
    options = parser.parse_args()
    try:
        bucket = upload(environments.enter(options.environment), lambda line: print(f"  {line}", flush=True))
    except (DeployError, ManifestError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"all of it is in s3://{bucket}/artifacts/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
