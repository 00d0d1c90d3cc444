"""The warm Java process: real Spark on s3:// with the rights of a run's role, and nothing left for the next run."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from local_cloud import control
from tests.local_cloud.glue_resources import make_role, wait_for

SCRIPTS, LAKE = "spark-scripts", "spark-lake"
BEGINS = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
java = spark.sparkContext._jvm.java.lang
print("java process", java.ProcessHandle.current().pid())
"""
APPENDS = f"""{BEGINS}
spark.range(10).write.format("delta").mode("append").save("s3://{LAKE}/films/table")
print("rows", spark.read.format("delta").load("s3://{LAKE}/films/table").count())
"""
READS = f"""{BEGINS}
print("rows", spark.read.format("delta").load("s3://{LAKE}/films/table").count())
"""
SETS = f"""{BEGINS}
print("setting", spark.conf.get("spark.oakvale.test", "none"), java.System.getProperty("spark.oakvale.test"))
spark.range(3).createOrReplaceGlobalTempView("mine")
"""
SEES = f"""{BEGINS}
print("setting", spark.conf.get("spark.oakvale.test", "none"), java.System.getProperty("spark.oakvale.test"))
print("views", len(spark.catalog.listTables("global_temp")))
"""
NEVER_ENDS = f"""{BEGINS}
spark.range(10**13).selectExpr("sum(hash(id))").collect()
"""
IMPORTS = f"""{BEGINS}
from pyspark.sql.functions import udf
@udf("string")
def title(number):
    import importlib.util
    import films
    return films.TITLE + " " + str(importlib.util.find_spec("lakehouse"))
print("title", spark.range(1).select(title("id")).first()[0])
"""
FINAL = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")


class Spark:
    """A cloud with a warm Java process, and jobs that run a script as a role."""

    def __init__(self, cloud: control.Cloud) -> None:
        self.cloud, self.clients = cloud, {name: cloud.client(name) for name in ("glue", "iam", "logs", "s3")}
        for bucket in (SCRIPTS, LAKE):
            self.clients["s3"].create_bucket(Bucket=bucket)
        self.roles = {
            "writer": self._role("writer", f"arn:aws:s3:::{LAKE}", f"arn:aws:s3:::{LAKE}/films/*"),
            "stranger": self._role("stranger", f"arn:aws:s3:::{LAKE}", f"arn:aws:s3:::{LAKE}/else/*"),
        }

    def _role(self, name: str, *lake: str) -> str:
        scripts = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{SCRIPTS}/*"}
        logs = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
        data = {"Effect": "Allow", "Action": "s3:*", "Resource": list(lake)}
        return make_role(
            lambda service: self.clients[service], f"spark-{name}", "glue.amazonaws.com", scripts, logs, data
        )

    def start(self, name: str, script: str, role: str = "writer", **arguments: str) -> tuple[str, str]:
        """Starts a run of a new job; returns the job's name and the run's id."""
        self.clients["s3"].put_object(Bucket=SCRIPTS, Key=f"{name}.py", Body=script.encode())
        command = {"Name": "glueetl", "ScriptLocation": f"s3://{SCRIPTS}/{name}.py", "PythonVersion": "3"}
        self.clients["glue"].create_job(Name=name, Role=self.roles[role], Command=command, GlueVersion="6.0")
        run = self.clients["glue"].start_job_run(JobName=name, Arguments=arguments)
        return name, str(run["JobRunId"])

    def run(self, name: str, script: str, role: str = "writer", **arguments: str) -> dict[str, Any]:
        """A run of a new job once it has ended."""
        return self.reaches(*self.start(name, script, role, **arguments), *FINAL)

    def reaches(self, job: str, run_id: str, *states: str) -> dict[str, Any]:
        """A run once it is in one of these states."""

        def reached() -> dict[str, Any] | None:
            run: dict[str, Any] = self.clients["glue"].get_job_run(JobName=job, RunId=run_id)["JobRun"]
            assert run["JobRunState"] not in FINAL or run["JobRunState"] in states, run
            return run if run["JobRunState"] in states else None

        return wait_for(f"{states} of {job}", reached, seconds=240)

    def said(self, run_id: str) -> dict[str, str]:
        """What a run has printed, by the first word of each line."""
        logs = self.clients["logs"]
        try:
            found = logs.get_log_events(logGroupName="/aws-glue/jobs/output", logStreamName=run_id, startFromHead=True)
        except logs.exceptions.ResourceNotFoundException:
            return {}
        lines = [event["message"].split(" ", maxsplit=1) for event in found["events"]]
        return {line[0]: line[1] for line in lines if len(line) == 2}


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    """A warm cloud of its own."""
    cloud = control.start(tmp_path_factory.mktemp("spark"))
    yield Spark(cloud)
    control.stop(cloud.folder)


def test_two_roles_use_one_process_and_each_has_its_own_rights(spark: Spark) -> None:
    first = spark.run("appends", APPENDS)
    denied = spark.run("stranger-reads", READS, role="stranger")
    second = spark.run("appends-again", APPENDS)
    assert (first["JobRunState"], second["JobRunState"]) == ("SUCCEEDED", "SUCCEEDED"), (first, second)
    assert denied["JobRunState"] == "FAILED"
    assert f"java.nio.file.AccessDeniedException: s3://{LAKE}/films/table" in denied["ErrorMessage"]
    said = [spark.said(run["Id"]) for run in (first, denied, second)]
    assert (said[0]["rows"], said[1].get("rows"), said[2]["rows"]) == ("10", None, "20")
    assert len({each["java"] for each in said}) == 1


def test_nothing_of_a_run_is_there_for_the_next(spark: Spark) -> None:
    conf = {"--conf": "spark.oakvale.test=mine --conf spark.sql.shuffle.partitions=3"}
    before = spark.said(spark.run("sets", SETS, **conf)["Id"])
    after = spark.said(spark.run("sees", SEES)["Id"])
    assert (before["setting"], after["setting"]) == ("mine mine", "none None")
    assert after["views"] == "0"
    assert before["java"] == after["java"]


def test_python_functions_see_the_libraries_of_their_run_alone(spark: Spark) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("films.py", "TITLE = 'The Third Man'")
    spark.clients["s3"].put_object(Bucket=SCRIPTS, Key="films.zip", Body=content.getvalue())
    run = spark.run("imports", IMPORTS, **{"--extra-py-files": f"s3://{SCRIPTS}/films.zip"})
    assert run["JobRunState"] == "SUCCEEDED", run
    assert spark.said(run["Id"])["title"] == "The Third Man None"


def test_one_run_at_a_time_and_a_stopped_one_is_over_in_java_too(spark: Spark) -> None:
    job, run_id = spark.start("never-ends", NEVER_ENDS)
    java = wait_for("a running query", lambda: spark.said(run_id).get("java"), seconds=120)
    process = psutil.Process(int(java.split()[1]))
    wait_for("a busy process", lambda: process.cpu_percent(0.2) > 20 or None, seconds=60)
    waiting = spark.start("waits", READS)
    addresses = {each.laddr.ip for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN}
    assert addresses
    assert {address.removeprefix("::ffff:") for address in addresses} == {"127.0.0.1"}
    deadline = time.monotonic() + 3  # a run that nothing holds back begins within a second
    while time.monotonic() < deadline:
        assert spark.reaches(*waiting, "STARTING", *FINAL, "RUNNING")["JobRunState"] == "STARTING"
        time.sleep(0.2)
    spark.clients["glue"].batch_stop_job_run(JobName=job, JobRunIds=[run_id])
    spark.reaches(job, run_id, "STOPPED")
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert spark.reaches(*waiting, *FINAL)["JobRunState"] == "SUCCEEDED"
    assert int(spark.said(waiting[1])["java"].split()[1]) != process.pid


def test_a_process_that_dies_is_replaced(spark: Spark) -> None:
    before = spark.run("before-death", BEGINS)
    psutil.Process(int(spark.said(before["Id"])["java"].split()[1])).kill()
    after = spark.run("after-death", BEGINS)
    assert after["JobRunState"] == "SUCCEEDED", after
    assert spark.said(after["Id"])["java"] != spark.said(before["Id"])["java"]
