"""The whole deployment on a laptop cloud, applied once for all tests of this folder, which run in one process.

It is applied as a job on GitHub would, with the rights of such a job and under the boundary that these demand.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

import backfill
import deployment
import environments
import package
import terraform_runner
import upload
import workflow_runs
from film_dirt import KINDS
from local_cloud import control
from tests.cloud.delivery import Delivery, deliver

FIRST = date(2026, 11, 1)
LAYERS = ("bronze", "silver", "gold")
START_SECONDS, RUN_SECONDS = 120.0, 600.0
# A catalogue in which all kinds of dirt occur.
SETTINGS = {"seed": 11, "movies": 300, "corrections": 0.2, "dirt": dict.fromkeys(KINDS, 0.02)}


@dataclass
class Deployed:
    """The local environment on a cloud of the tests' own, and what tests do with it."""

    cloud: control.Cloud
    lake: deployment.Deployment
    delivery: Delivery
    days: int = 0
    notes: list[str] = field(default_factory=list)
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """A client with all rights, made once: to make one takes longer than most of what it is asked for."""
        if service not in self._clients:
            self._clients[service] = self.lake.client(service)
        return self._clients[service]

    def role(self, name: str) -> str:
        """The deployed name of a job's role (`movies-bronze`), a function's (`generate_movies`) or the `analyst`'s."""
        if name == "analyst":
            return str(self.lake.outputs["analyst_role_arn"]).rpartition("/")[2]
        return self.lake.named("roles", name)

    def session(self, role: str) -> boto3.Session:
        """A session with the rights of a role, and nobody else's."""
        arn = self.client("iam").get_role(RoleName=self.role(role))["Role"]["Arn"]
        keys = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return boto3.Session(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            region_name=self.lake.outputs["region"],
        )

    def bucket(self, name: str) -> str:
        """A bucket's deployed name, by its name in the outputs."""
        return str(self.lake.outputs[f"{name}_bucket"])

    def land_days(self, count: int) -> list[dict[str, Any]]:
        """Lets the function make the files of the next days, and the landed files start the workflow; its job runs."""
        glue, workflow = self.client("glue"), self.lake.named("workflows", "movies")
        known = workflow_runs.run_ids(glue, workflow)
        function = self.lake.named("functions", "generate_movies")
        for number in range(self.days, self.days + count):
            event = {"date": (FIRST + timedelta(days=number)).isoformat(), **SETTINGS}
            assert backfill.invoke(self.client("lambda"), function, event)["outcome"] == "written"
        self.days += count
        workflow_runs.await_start(glue, workflow, known, START_SECONDS)
        return workflow_runs.follow_new(glue, workflow, known, RUN_SECONDS, self.notes.append)

    def run(self) -> list[dict[str, Any]]:
        """Starts the workflow by hand and waits for its end; its job runs."""
        return self.follow(self.client("glue").start_workflow_run(Name=self.lake.named("workflows", "movies"))["RunId"])

    def follow(self, run_id: str) -> list[dict[str, Any]]:
        """Waits for the end of a run of the workflow; its job runs. Raises when one fails."""
        workflow = self.lake.named("workflows", "movies")
        return workflow_runs.follow(self.client("glue"), workflow, run_id, RUN_SECONDS, self.notes.append)

    def wait_for_job(self, job: str, run_id: str) -> None:
        """Waits until a job run and what Glue makes of it by itself have ended."""
        deadline = time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline:
            runs = self.client("glue").get_job_runs(JobName=job)["JobRuns"]
            if not any(run["JobRunState"] in ("STARTING", "RUNNING", "STOPPING", "WAITING") for run in runs):
                return
            time.sleep(0.2)
        raise AssertionError(f"run {run_id} of {job} has not ended within {RUN_SECONDS:.0f} s")

    def objects(self, bucket: str, prefix: str = "") -> dict[str, Any]:
        """All objects of a bucket below a prefix, by key, as a listing shows them."""
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.bucket(bucket), Prefix=prefix)
        return {item["Key"]: item for page in pages for item in page.get("Contents", [])}

    def download(self, folder: Path) -> Path:
        """Copies raw and lake into a folder, files with the times that their objects have."""
        s3 = self.client("s3")
        for bucket in ("raw", "lake"):
            for key, item in self.objects(bucket).items():
                path = folder / key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(s3.get_object(Bucket=self.bucket(bucket), Key=key)["Body"].read())
                since = item["LastModified"] - datetime(1970, 1, 1, tzinfo=UTC)  # whole numbers: a float would round
                os.utime(path, ns=(since // timedelta(microseconds=1) * 1000,) * 2)
        return folder


@pytest.fixture(scope="package")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The local environment, applied; this process then speaks to its cloud alone, until the folder's tests end."""
    variables, folder, notes = dict(os.environ), tmp_path_factory.mktemp("cloud"), list[str]()
    package.package()
    cloud = control.start(folder)
    own, patch = environments.ROOT / "build" / "terraform" / "in_tests", pytest.MonkeyPatch()
    try:
        # The tests of README apply the same environment to another cloud, perhaps at this moment.
        patch.setattr(environments.Environment, "folder", property(lambda environment: own / environment.name))
        environments.enter_cloud(cloud)
        delivery = deliver("local", notes)
        with delivery.job("deploy"):
            environment, bucket = terraform_runner.connect("local")
            terraform_runner.init(environment, bucket)
            upload.upload(environment, notes.append)
            terraform_runner.apply(environment, notes.append)
        yield Deployed(cloud, deployment.read("local"), delivery, notes=notes)
    finally:
        patch.undo()
        os.environ.clear()
        os.environ.update(variables)
        control.stop(folder)


@pytest.fixture(scope="package")
def five_days(deployed: Deployed) -> Deployed:
    """Five days of films, which landed in two parts and so were taken by two runs or more."""
    for days in (3, 2):
        runs = deployed.land_days(days)
        assert {run["JobName"] for run in runs} == {deployed.lake.named("jobs", f"movies-{name}") for name in LAYERS}
    return deployed
