"""What is deployed in an environment, and clients for it: the laptop cloud for `local`, AWS for all others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.config import Config

import environments
import terraform_runner
from environments import DeployError

LAYERS = ("bronze", "silver", "gold")
ORCHESTRATORS = ("workflows", "state_machines", "scheduled_workflows")
"""The outputs that tell what runs each pipeline: one of these."""
# A function may take five minutes; to give up earlier and call it again would make it run twice at once.
PATIENT = Config(read_timeout=330, retries={"total_max_attempts": 1})


@dataclass(frozen=True)
class Deployment:
    """One environment as `terraform apply` has left it."""

    environment: str
    outputs: dict[str, Any]

    def client(self, service: str) -> Any:
        """A boto3 client for the account and region of the environment."""
        session = environments.find(self.environment).session()
        config = PATIENT if service == "lambda" else None
        return session.client(service, region_name=self.outputs["region"], config=config)  # type: ignore[call-overload]

    @property
    def pipelines(self) -> list[str]:
        """All that are deployed, whatever runs them."""
        return sorted(pipeline for kind in ORCHESTRATORS for pipeline in self.outputs[kind])

    def orchestrator(self, pipeline: str) -> str:
        """What runs a pipeline's jobs one after the other: its kind among the outputs. Raises DeployError."""
        for kind in ORCHESTRATORS:
            if pipeline in self.outputs[kind]:
                return kind
        raise DeployError(f"{self.environment} has no pipeline {pipeline}; there are: {', '.join(self.pipelines)}")

    def named(self, kind: str, name: str) -> str:
        """The deployed name of a workflow, state machine, function or job, by its name in the repository."""
        known: dict[str, str] = self.outputs[kind]
        if name not in known:
            raise DeployError(f"{self.environment} has no {kind.rstrip('s')} {name}; there are: {', '.join(known)}")
        return known[name]

    def run_records(self, pipeline: str, layer: str) -> Iterator[dict[str, Any]]:
        """The run records of a layer, oldest first."""
        s3, bucket = self.client("s3"), self.outputs["lake_bucket"]
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"runs/{pipeline}/{layer}/")
        for key in sorted(item["Key"] for page in pages for item in page.get("Contents", [])):
            yield json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def connect(environment: str) -> Deployment:
    """What is deployed in an environment; for `local`, this process then speaks to the running laptop cloud only."""
    environments.enter(environment)
    return read(environment)


def read(environment: str) -> Deployment:
    """What is deployed in an environment of the account that this process speaks to."""
    outputs = terraform_runner.outputs(environment)
    if "workflows" not in outputs:
        raise DeployError(f"nothing is deployed in {environment}: make apply ENV={environment}")
    return Deployment(environment, outputs)
