"""Measures a daily run of films: the same new day on lakes of 1, 10 and 100 times the size, and of few and many days.

What a run does to its storage is counted on the laptop cloud's S3; its processor time is that of a fresh process on the
same lake in a folder, less that of an idle run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from rich.console import Console

import measure
import process_cost
import results
from measure import ROOT, WORK_FOLDER

sys.path += [str(ROOT / folder) for folder in ("glue_scripts", "lambda")]

import counters
import counting_s3
import daily_lakes
import laptop_spark
from daily_lakes import ANY, LAYERS, NEWEST, Past
from local_cloud import control

FEW = 5
"""Days that a lake has seen, if nothing else is said."""
WEEK = 7
"""Days after which the tables of a lake of many days are maintained, as they are on AWS."""
BATCHES = {"idle": None, "clustered": NEWEST, "random": ANY}
"""What a run finds: nothing new; a day that corrects films of the day before; one that corrects films of all days."""


@dataclass(frozen=True)
class Buckets:
    """A cloud whose buckets this process reaches through the proxy."""

    cloud: control.Cloud
    proxy: counting_s3.CountingS3

    def count(self, folder: Path, new: dict[str, bytes]) -> dict[str, dict[str, Any]]:
        """What a run of each layer does to a bucket with the lake and what is new."""
        bucket = f"daily-{datetime.now(UTC):%H%M%S%f}"
        client = self.cloud.client("s3")
        client.create_bucket(Bucket=bucket)
        for key, content in {**daily_lakes.objects(folder), **new}.items():
            client.put_object(Bucket=bucket, Key=key, Body=content)
        found = {}
        for layer in LAYERS:
            self.proxy.exchanges.clear()
            daily_lakes.run(f"s3://{bucket}", layer)
            counting_s3.forget(SparkSession.active(), bucket)
            found[layer] = counters.count(self.proxy.exchanges).as_dict()
        return found


def build(past: Past) -> Path:
    """A lake of this past in a folder, in place of one that was there; its tables are maintained each week."""
    folder = WORK_FOLDER / "daily" / f"{past.days}-{past.films}-{past.times}-{past.corrects}"
    shutil.rmtree(folder, ignore_errors=True)
    for begin in range(0, past.days, WEEK):
        if begin:
            daily_lakes.maintain(folder)
        daily_lakes.build(folder, replace(past, days=min(begin + WEEK, past.days)), begin=begin)
    return folder


@contextmanager
def serving() -> Iterator[Buckets]:
    """A cloud with its proxy, and an environment in which this process's session reaches it."""
    cloud = control.start(WORK_FOLDER / "cloud", cold=True)
    try:
        with counting_s3.serve(counting_s3.CountingS3(cloud.endpoint)) as proxy:
            aws = {**cloud.environment(), "AWS_ENDPOINT_URL": proxy.endpoint}
            settings = {**laptop_spark.settings(), **laptop_spark.s3_settings(aws)}
            os.environ.update(aws | laptop_spark.variables(settings, laptop_spark.BUILD_FOLDER / "daily.properties"))
            yield Buckets(cloud, proxy)
    finally:
        control.stop(cloud.folder)


def processor_time(folder: Path, new: dict[str, bytes]) -> float:
    """CPU seconds of a fresh process that runs all layers on a copy of the lake with what is new."""
    copy = folder.with_name("copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    for key, content in new.items():
        (copy / key).parent.mkdir(parents=True, exist_ok=True)
        (copy / key).write_bytes(content)
    command = [sys.executable, str(ROOT / "benchmarks" / "daily_run.py"), str(copy)]
    environment = os.environ | laptop_spark.environment()
    return process_cost.measured(command, environment, WORK_FOLDER / "daily.log").cpu_seconds


def measured(buckets: Buckets, past: Past, console: Console) -> dict[str, Any]:
    """A lake of this past, and what each batch costs on it."""
    folder, batches = build(past), dict[str, Any]()
    for name, corrects in BATCHES.items():
        new = {daily_lakes.key(past.days): daily_lakes.batch(past, past.days, corrects)} if corrects else {}
        load = os.getloadavg()[0]
        batches[name] = {"load": load, "cpu_seconds": processor_time(folder, new), "layers": buckets.count(folder, new)}
        told = ", ".join(f"{layer} {sum(each['requests'].values())}" for layer, each in batches[name]["layers"].items())
        console.print(f"{past}, {name}: {batches[name]['cpu_seconds']:.1f} CPU s; requests {told}")
    return {**asdict(past), "batches": batches}


def main() -> int:
    """Command line; exit code 1 when a run fails."""
    parser = argparse.ArgumentParser(description="Measure a daily run of films on lakes of several sizes and ages.")
    parser.add_argument("--films", type=measure.positive, default=1000, help="new films of a day (1000)")
    parser.add_argument("--days", type=measure.positive, default=365, help="days of the oldest lake (365)")
    parser.add_argument("--beside", default="not noted", help="what else the machine did, for the page")
    options = parser.parse_args()
    console, revision = Console(highlight=False), measure.revision()
    young = Past(FEW, options.films)
    pasts = [
        young,
        replace(young, times=100),
        replace(young, days=options.days),
        replace(young, times=10, corrects=NEWEST),
        replace(young, times=10),
    ]
    lakes = list[dict[str, Any]]()
    result = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": revision,
        "versions": measure.versions(),
        "beside": options.beside,
        "lakes": lakes,
    }
    try:
        laptop_spark.build_class_archive()
        with serving() as buckets:
            for past in pasts:
                lakes.append(measured(buckets, past, console))
                results.write_daily(result)
    except (*laptop_spark.ERRORS, process_cost.CommandFailedError, control.CloudError) as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 1
    console.print("All of it is in benchmarks/results/daily.json; docs/benchmarks.md tells it to people.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
