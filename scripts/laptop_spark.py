"""How Spark is configured on a laptop: the only place that knows.

Jobs are the same scripts that Glue runs. They learn where they run from these environment variables and
the properties file behind them, and have no local branch.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import class_archive
import fetch_jars
import java_runtime

ROOT = Path(__file__).resolve().parent.parent
BUILD_FOLDER = ROOT / "build" / "spark"

# Half the processor time of a small job: compile quickly instead of well, and collect in one thread. A session of many
# jobs makes up for compiling well within some minutes.
LONG_SESSION_OPTIONS = ("-XX:+UseSerialGC",)
SMALL_JOB_OPTIONS = ("-XX:TieredStopAtLevel=1", *LONG_SESSION_OPTIONS)
# Java says nothing of an archive that doesn't fit, but its errors stay visible.
QUIET_OPTIONS = ("-Xlog:disable", "-Xlog:all=error:stderr")

SMALL_RUNS = {
    # To compile plans takes half of such a run.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    # Each plan is made once and not checked after each of the optimizer's rules.
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.lightweightPlanChangeValidation": "false",
    "spark.sql.ui.explainMode": "simple",
    "spark.sql.shuffle.partitions": "1",
    "spark.databricks.delta.snapshotPartitions": "1",
}
"""Spark's settings for runs of a few rows, whose time is that of planning: none changes a result."""

# Without a level of its own for the gateway, Spark announces that it sets the level to WARN, and does so.
LOGGING = """\
rootLogger.level = error
logger.gateway.name = org.apache.spark.api.python.PythonGatewayServer
logger.gateway.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex
"""


class SparkNotInstalledError(Exception):
    """The pyspark package is not installed in this Python."""


# What can be wrong with a laptop; each message says what to do.
ERRORS = (
    SparkNotInstalledError,
    class_archive.ArchiveError,
    fetch_jars.JarError,
    java_runtime.JavaNotFoundError,
)


def environment(*, large: bool = False) -> dict[str, str]:
    """The variables to start a Spark job on a lake in a folder with; `large` is for inputs above some 50 MB."""
    return variables(settings(large=large), BUILD_FOLDER / ("large.properties" if large else "small.properties"))


def long_session_environment() -> dict[str, str]:
    """As environment, for one session of hundreds of small jobs."""
    return variables(_with_archive(LONG_SESSION_OPTIONS, memory="2g"), BUILD_FOLDER / "long_session.properties")


def settings(*, large: bool = False) -> dict[str, str]:
    """Spark's settings on this machine; verifies the jars that they name."""
    return _with_archive(() if large else SMALL_JOB_OPTIONS, memory="4g" if large else "2g")


def cloud_settings(aws: Mapping[str, str] | None = None) -> dict[str, str]:
    """Spark's settings in the laptop cloud, where runs are small; for a job, with the AWS_* variables of its role."""
    return {**settings(), **SMALL_RUNS, **(s3_settings(aws) if aws else {})}


def s3_settings(aws: Mapping[str, str]) -> dict[str, str]:
    """What Spark needs for a lake on s3:// besides: the endpoint and the keys of these AWS_* variables."""
    provider = "Temporary" if "AWS_SESSION_TOKEN" in aws else "Simple"
    s3a = {
        "endpoint": aws["AWS_ENDPOINT_URL"],
        "endpoint.region": aws["AWS_REGION"],
        "path.style.access": "true",
        "connection.ssl.enabled": "false",
        "change.detection.mode": "none",
        "aws.credentials.provider": f"org.apache.hadoop.fs.s3a.{provider}AWSCredentialsProvider",
        "access.key": aws["AWS_ACCESS_KEY_ID"],
        "secret.key": aws["AWS_SECRET_ACCESS_KEY"],
        # On its way up a file waits in memory: no folder of the machine is needed.
        "fast.upload.buffer": "array",
        # A server on this machine answers at once, or it is gone: not S3A's many minutes of patience.
        "attempts.maximum": "2",
        "retry.limit": "2",
        "retry.throttle.limit": "2",
        "connection.timeout": "30s",
    }
    if "AWS_SESSION_TOKEN" in aws:
        s3a["session.token"] = aws["AWS_SESSION_TOKEN"]
    return {
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "spark.hadoop.fs.AbstractFileSystem.s3.impl": "org.apache.hadoop.fs.s3a.S3A",
        **{f"spark.hadoop.fs.s3a.{name}": value for name, value in s3a.items()},
    }


def variables(properties: Mapping[str, str], file: Path) -> dict[str, str]:
    """The variables to start a Spark job with, and the properties file that they name."""
    _write(file, "".join(f"{name}={value}\n" for name, value in properties.items()))
    search_path = [str(ROOT / "glue_scripts"), os.environ.get("PYTHONPATH", "")]
    return {
        "PYSPARK_SUBMIT_ARGS": f"--properties-file {shlex.quote(str(file))} pyspark-shell",
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join(filter(None, search_path)),
        "JAVA_HOME": str(java_runtime.find_java().home),
        "SPARK_HOME": str(_spark_home()),
        "SPARK_CONF_DIR": str(_folder("conf")),
        "SPARK_LOCAL_IP": "127.0.0.1",
        # A Hadoop client that is configured on this machine must not change what a job does.
        "HADOOP_CONF_DIR": "",
        "YARN_CONF_DIR": "",
        "SPARK_DIST_CLASSPATH": "",
    }


def build_class_archive() -> Path:
    """Make later starts of Spark faster: about half a minute, once; nothing when already there."""
    archive = _archive_path()
    if not archive.exists():
        fetch_jars.verify(fetch_jars.JAR_FOLDER, fetch_jars.expected_jars())
        unfinished = class_archive.unfinished_path(archive)
        options = (f'-XX:ArchiveClassesAtExit="{unfinished}"', *SMALL_JOB_OPTIONS)
        training = variables(_settings(options, memory="2g"), BUILD_FOLDER / "training.properties")
        class_archive.write_archive(archive, unfinished, training)
    return archive


def _with_archive(java_options: tuple[str, ...], memory: str) -> dict[str, str]:
    fetch_jars.verify(fetch_jars.JAR_FOLDER, fetch_jars.expected_jars())
    archive = _archive_path()
    archive_options = (f'-XX:SharedArchiveFile="{archive}"', "-Xshare:auto") if archive.exists() else ()
    return _settings((*archive_options, *java_options), memory)


def _settings(java_options: tuple[str, ...], memory: str) -> dict[str, str]:
    logging = BUILD_FOLDER / "log4j2.properties"
    _write(logging, LOGGING)
    options = (f'-Dlog4j2.configurationFile="{logging}"', *QUIET_OPTIONS, *java_options)
    return {
        "spark.master": "local[2]",
        "spark.driver.memory": memory,
        "spark.driver.extraJavaOptions": " ".join(options),
        "spark.driver.extraClassPath": f"{fetch_jars.JAR_FOLDER}/*",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.warehouse.dir": str(BUILD_FOLDER / "warehouse"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        # Delta's default of 50 tasks per snapshot is for tables with millions of files.
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # PySpark would tell Java the line of the script for each column that is made: twice as many calls for a plan.
        "spark.python.sql.dataFrameDebugging.enabled": "false",
    }


def _spark_home() -> Path:
    spark = find_spec("pyspark")
    if spark is None or spark.origin is None:
        raise SparkNotInstalledError("pyspark is not installed: run make setup")
    return Path(spark.origin).parent


def _archive_path() -> Path:
    java = java_runtime.find_java()
    jar_folders = [fetch_jars.JAR_FOLDER, _spark_home() / "jars"]
    return class_archive.archive_path(BUILD_FOLDER, f"{java.home} {java.version}", jar_folders)


def _folder(name: str) -> Path:
    folder = BUILD_FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(path: Path, text: str) -> None:
    # Jobs that run side by side write the same text: replacing the file never shows half of it.
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        # For its owner alone: a role's keys may be in it.
        descriptor, unfinished = tempfile.mkstemp(".part", f"{path.name}.", path.parent)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(unfinished, path)


def main() -> int:
    """Command line: build the class archive, with one clear message when that fails."""
    argparse.ArgumentParser(description="Make later starts of Spark on this machine faster.").parse_args()
    try:
        if not _archive_path().exists():
            print("Preparing Spark for faster starts (once, half a minute) ...", flush=True)
        build_class_archive()
    except ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
