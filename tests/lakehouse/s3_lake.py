"""Lakes on the laptop cloud's S3 behind a proxy that can fail: fill a bucket, run a layer, look at the result."""

from __future__ import annotations

import importlib
import itertools
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

import laptop_spark
from counting_s3 import forget
from lakehouse import storage
from lakehouse.job import main
from local_cloud import control
from local_cloud.control import Cloud
from tests.lakehouse import faulty_s3
from tests.lakehouse.faulty_s3 import FaultyS3


@dataclass
class S3:
    """Buckets, and the suite's session set to reach them through the proxy."""

    cloud: Cloud
    proxy: FaultyS3
    spark: SparkSession
    names: Iterator[int] = field(default_factory=itertools.count)
    known: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client = self.cloud.client("s3")

    def environment(self) -> dict[str, str]:
        """What a job needs to reach S3 through the proxy."""
        return {**self.cloud.environment(), "AWS_ENDPOINT_URL": self.proxy.endpoint}

    def bucket(self, objects: Mapping[str, bytes]) -> str:
        """A new bucket with these objects."""
        name = f"faults-{next(self.names)}"
        self.client.create_bucket(Bucket=name)
        for key, content in objects.items():
            self.client.put_object(Bucket=name, Key=key, Body=content)
        return name

    def kept(self, name: str, objects: Mapping[str, bytes]) -> str:
        """The bucket that was made under this name, or a new one with these objects."""
        return self.known.get(name) or self.known.setdefault(name, self.bucket(objects))

    def objects(self, bucket: str) -> dict[str, bytes]:
        """All that is in a bucket."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return {key: self.client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def run(self, lake: str, raw: str, layer: str) -> dict[str, Any]:
        """Runs a layer of movies in the suite's session, as a new process would: it knows nothing of these tables."""
        places = ["--lake", f"s3://{lake}", "--raw", f"s3://{raw}"]
        script = importlib.import_module("pipelines.movies")
        try:
            return main(script, ["--pipeline", "movies", "--layer", layer, *places])
        finally:
            forget(self.spark, lake, raw)

    @contextmanager
    def impatient(self, seconds: int) -> Iterator[None]:
        """Has clients wait so long for an answer; S3A takes less than 15 seconds only in the way of its own tests."""
        jvm: Any = self.spark.sparkContext._jvm
        clients, duration = jvm.org.apache.hadoop.fs.s3a.impl.AWSClientConfig, jvm.java.time.Duration
        configuration = self.spark.sparkContext._jsc.hadoopConfiguration()  # type: ignore[union-attr]
        before = configuration.get("fs.s3a.connection.timeout")
        with pytest.MonkeyPatch.context() as patched:
            patched.setitem(storage.PATIENCE, "read_timeout", seconds)
            configuration.set("fs.s3a.connection.timeout", f"{seconds}s")
            clients.setMinimumOperationDuration(duration.ofSeconds(seconds))
            try:
                yield
            finally:
                clients.resetMinimumOperationDuration()
                configuration.set("fs.s3a.connection.timeout", before)


@contextmanager
def reachable(s3: S3) -> Iterator[None]:
    """Lets this process and its session reach S3 through the proxy."""
    configuration = s3.spark.sparkContext._jsc.hadoopConfiguration()  # type: ignore[union-attr]
    settings = {
        name.removeprefix("spark.hadoop."): value for name, value in laptop_spark.s3_settings(s3.environment()).items()
    }
    with pytest.MonkeyPatch.context() as patched:
        for name, value in s3.environment().items():
            patched.setenv(name, value)
        # As often as Spark's own client here: each further try waits twice as long.
        patched.setitem(storage.PATIENCE["retries"], "total_max_attempts", 3)
        for name, value in settings.items():
            configuration.set(name, value)
        yield
        for name in settings:
            configuration.unset(name)


@contextmanager
def serving(folder: Path, spark: SparkSession) -> Iterator[S3]:
    """The laptop cloud's S3, reached through the proxy."""
    cloud = control.start(folder, cold=True)
    try:
        with faulty_s3.serve(cloud.endpoint) as proxy:
            s3 = S3(cloud, proxy, spark)
            with reachable(s3):
                yield s3
    finally:
        control.stop(cloud.folder)


def as_folder(objects: Mapping[str, bytes], folder: Path) -> Path:
    """The objects as files, for engines that read a lake in a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for key, content in objects.items():
        path = folder / key
        if key.endswith("/"):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def variables(s3: S3, folder: Path) -> dict[str, str]:
    """The environment of a job that runs in a process of its own, as the laptop cloud gives it to a Glue run."""
    settings = laptop_spark.cloud_settings(s3.environment())
    return {**os.environ, **s3.environment(), **laptop_spark.variables(settings, folder / "spark.properties")}
