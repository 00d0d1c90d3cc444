"""What is deployed in an environment, and clients for it: the laptop cloud for `local`, AWS for all others."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import terraform_runner

from local_cloud import control

ROOT = Path(__file__).resolve().parent.parent
CLOUD_FOLDER = ROOT / "build" / "cloud"
LAYERS = ("bronze", "silver", "gold")


class NotDeployedError(Exception):
    """What was asked for isn't there; the message says how to get it."""


@dataclass(frozen=True)
class Deployment:
    """One environment as `terraform apply` has left it."""

    environment: str
    outputs: dict[str, Any]

    def client(self, service: str) -> Any:
        """A boto3 client for the account and region of the environment."""
        return boto3.client(service, region_name=self.outputs["region"])  # type: ignore[call-overload]

    def named(self, kind: str, name: str) -> str:
        """The deployed name of a workflow, function or job, by its name in the repository."""
        known: dict[str, str] = self.outputs[kind]
        if name not in known:
            raise NotDeployedError(
                f"{self.environment} has no {kind.rstrip('s')} {name}; there are: {', '.join(known)}"
            )
        return known[name]

    def run_records(self, pipeline: str, layer: str) -> Iterator[dict[str, Any]]:
        """The run records of a layer, oldest first."""
        s3, bucket = self.client("s3"), self.outputs["lake_bucket"]
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"runs/{pipeline}/{layer}/")
        for key in sorted(item["Key"] for page in pages for item in page.get("Contents", [])):
            yield json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def connect(environment: str, cloud_folder: Path = CLOUD_FOLDER) -> Deployment:
    """The environment's deployment. For `local`, this process then speaks to the running laptop cloud only."""
    if environment == "local":
        cloud = control.running(cloud_folder)
        if cloud is None:
            raise NotDeployedError("the laptop cloud isn't running; start it and deploy to it: make up apply")
        enter(cloud)
    outputs = terraform_runner.outputs(environment)
    if "workflows" not in outputs:
        raise NotDeployedError(f"nothing is deployed in {environment}: make apply ENV={environment}")
    return Deployment(environment, outputs)


def enter(cloud: control.Cloud) -> None:
    """Makes this process one that knows no other account than the laptop cloud's."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(cloud.environment())
