"""What a run gets before its script starts: jars it may read, settings, a Spark of its own; and its longest time."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_cloud import child_process, glue_attempt, glue_process, spark_jvm
from local_cloud.glue_logs import LogStream
from local_cloud.glue_process import StartError
from tests.local_cloud.glue_resources import SCRIPTS, make_job, make_role, wait_for

Clients = Callable[[str], Any]
AWS = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


class FakeLogs:
    """A client for logs that nobody reads."""

    def __getattr__(self, name: str) -> Any:
        return lambda **asked: None


def ended(client: Clients, job: str) -> dict[str, Any]:
    """A new run of a job once it has ended."""
    run_id = client("glue").start_job_run(JobName=job)["JobRunId"]

    def final() -> dict[str, Any] | None:
        run: dict[str, Any] = client("glue").get_job_run(JobName=job, RunId=run_id)["JobRun"]
        return run if run["JobRunState"] in ("SUCCEEDED", "FAILED") else None

    return wait_for(f"the end of a run of {job}", final)


@pytest.mark.parametrize("job", ["attempt-jars", "attempt-no-jars"])
def test_jars_are_read_with_the_rights_of_the_role(client: Clients, job: str) -> None:
    objects = f"arn:aws:s3:::{SCRIPTS}/"
    rights = [f"{objects}{job}.py", *([f"{objects}{job}.jar"] if job == "attempt-jars" else [])]
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": rights}
    make_job(client, job, DefaultArguments={"--extra-jars": f"s3://{SCRIPTS}/{job}.jar"})
    client("s3").put_object(Bucket=SCRIPTS, Key=f"{job}.jar", Body=b"jar")
    command = client("glue").get_job(JobName=job)["Job"]["Command"]
    update = {
        "Role": make_role(client, job, "glue.amazonaws.com", read),
        "Command": command,
        "DefaultArguments": {"--extra-jars": f"s3://{SCRIPTS}/{job}.jar"},
    }
    client("glue").update_job(JobName=job, JobUpdate=update)
    run = ended(client, job)
    if job == "attempt-jars":
        assert run["JobRunState"] == "SUCCEEDED", run
    else:
        assert run["JobRunState"] == "FAILED"
        assert run["ErrorMessage"].startswith(f"s3://{SCRIPTS}/{job}.jar can't be read: ")
        assert "403" in run["ErrorMessage"]


def test_settings_of_spark_as_glue_takes_them() -> None:
    assert glue_attempt.conf("") == {}
    found = glue_attempt.conf("spark.a=1 --conf spark.b=x=y")
    assert found == {"spark.a": "1", "spark.b": "x=y"}


@pytest.mark.parametrize(("text", "named"), [("spark.a", "spark.a"), ("spark.a=1 --conf mine=2", "mine")])
def test_settings_that_are_none_are_refused(text: str, named: str) -> None:
    with pytest.raises(StartError, match=rf"--conf takes spark\.name=value, not '{named}'"):
        glue_attempt.conf(text)


def spark_of(command: str, libraries: list[Path], folder: Path, text: str = "") -> dict[str, str]:
    """The variables by which a job of this kind finds its Spark."""
    job, stop = {"Command": {"Name": command}}, threading.Event()
    errors = LogStream(FakeLogs(), "/group", "jr_1")
    with glue_attempt._spark(job, {"--conf": text}, AWS, folder, libraries, errors, stop) as variables:
        return variables


@pytest.mark.parametrize(("command", "mode"), [("gluestreaming", "warm"), ("glueetl", "cold")])
def test_a_job_without_an_end_and_each_of_a_cold_cloud_have_a_java_process_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, mode: str
) -> None:
    monkeypatch.setenv("OAKVALE_SPARK", mode)
    monkeypatch.setattr(spark_jvm, "lend", pytest.fail)
    variables = spark_of(command, [tmp_path / "films.zip"], tmp_path)
    assert variables["PYSPARK_SUBMIT_ARGS"] == f"--properties-file {tmp_path}/spark.properties pyspark-shell"
    assert f"spark.executorEnv.PYTHONPATH={tmp_path}/films.zip\n" in (tmp_path / "spark.properties").read_text()


def test_a_run_that_takes_too_long_ends_the_work_of_its_java_process_too(tmp_path: Path) -> None:
    stop = threading.Event()
    logs = [LogStream(FakeLogs(), "/group", name) for name in ("output", "error")]
    ending = glue_process.run_to_end(
        [sys.executable, "-c", "import time; time.sleep(300)"], child_process.inherited(), tmp_path, *logs, stop, 0.2
    )
    assert ending.state == "TIMEOUT"
    assert stop.is_set()  # the one that has lent the process ends it then: test_spark_lending
