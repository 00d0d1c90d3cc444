"""Spark's settings on a laptop reach a job by its environment; the class archive only when it fits."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

import class_archive
import fetch_jars
import laptop_spark


@pytest.fixture
def build_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty build folder, in a path with a space, in place of the project's own."""
    folder = tmp_path / "build folder"
    monkeypatch.setattr(laptop_spark, "BUILD_FOLDER", folder)
    return folder


def settings(environment: dict[str, str]) -> dict[str, str]:
    """The properties file that the submit arguments name."""
    option, path, application = shlex.split(environment["PYSPARK_SUBMIT_ARGS"])
    assert (option, application) == ("--properties-file", "pyspark-shell")
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", maxsplit=1) for line in lines)


def test_a_small_job_compiles_quickly_and_a_large_one_well(build_folder: Path) -> None:
    small = settings(laptop_spark.environment())
    large = settings(laptop_spark.environment(large=True))
    assert small["spark.driver.extraJavaOptions"] == (
        f'-Dlog4j2.configurationFile="{build_folder}/log4j2.properties" -Xlog:disable -Xlog:all=error:stderr '
        "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    )
    assert (small["spark.driver.memory"], large["spark.driver.memory"]) == ("2g", "4g")
    differing = {name for name in small if small[name] != large[name]}
    assert differing == {"spark.driver.memory", "spark.driver.extraJavaOptions"}
    assert "TieredStopAtLevel" not in large["spark.driver.extraJavaOptions"]
    long = settings(laptop_spark.long_session_environment())
    assert long == small | {"spark.driver.extraJavaOptions": long["spark.driver.extraJavaOptions"]}
    options = small["spark.driver.extraJavaOptions"].replace("-XX:TieredStopAtLevel=1 ", "")
    assert long["spark.driver.extraJavaOptions"] == options


def test_a_job_of_the_laptop_cloud_is_a_small_run_with_its_roles_keys(build_folder: Path) -> None:
    usual, cloud = laptop_spark.settings(), laptop_spark.cloud_settings()
    assert {name: value for name, value in cloud.items() if usual.get(name) != value} == laptop_spark.SMALL_RUNS
    role = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_REGION": "us-east-1"}
    role |= {"AWS_ACCESS_KEY_ID": "of the role", "AWS_SECRET_ACCESS_KEY": "secret"}
    assert laptop_spark.cloud_settings(role) == cloud | laptop_spark.s3_settings(role)
    assert laptop_spark.cloud_settings(role)["spark.hadoop.fs.s3a.access.key"] == "of the role"


def test_nothing_listens_outside_this_machine(build_folder: Path) -> None:
    environment = laptop_spark.environment()
    found = settings(environment)
    assert environment["SPARK_LOCAL_IP"] == "127.0.0.1"
    assert found["spark.driver.host"] == found["spark.driver.bindAddress"] == "127.0.0.1"
    assert found["spark.ui.enabled"] == "false"


def test_a_spark_of_the_machine_does_not_leak_in(build_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_HOME", "/elsewhere/spark")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere/python")
    environment = laptop_spark.environment()
    assert Path(environment["SPARK_HOME"]).name == "pyspark"
    assert list(Path(environment["SPARK_CONF_DIR"]).iterdir()) == []
    assert environment["HADOOP_CONF_DIR"] == ""
    assert environment["PYTHONPATH"] == os.pathsep.join([str(laptop_spark.ROOT / "glue_scripts"), "/elsewhere/python"])


AWS = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


def test_a_lake_in_a_folder_needs_nothing_of_s3(build_folder: Path) -> None:
    assert [name for name in settings(laptop_spark.environment()) if "s3" in name] == []


def test_s3_is_reached_at_the_endpoint_with_the_keys_of_the_environment() -> None:
    found = laptop_spark.s3_settings(AWS)
    assert found["spark.hadoop.fs.s3.impl"] == "org.apache.hadoop.fs.s3a.S3AFileSystem"
    s3a = {name.removeprefix("spark.hadoop.fs.s3a."): value for name, value in found.items()}
    assert (s3a["endpoint"], s3a["endpoint.region"]) == ("http://127.0.0.1:4566", "eu-west-1")
    assert (s3a["access.key"], s3a["secret.key"]) == ("key", "secret")
    assert s3a["aws.credentials.provider"].endswith(".SimpleAWSCredentialsProvider")
    assert "session.token" not in s3a


def test_a_role_on_s3_has_its_session_token() -> None:
    found = laptop_spark.s3_settings({**AWS, "AWS_SESSION_TOKEN": "token"})
    assert found["spark.hadoop.fs.s3a.aws.credentials.provider"].endswith(".TemporaryAWSCredentialsProvider")
    assert found["spark.hadoop.fs.s3a.session.token"] == "token"


def test_settings_with_keys_are_for_their_owner_alone(build_folder: Path) -> None:
    file = build_folder / "run.properties"
    environment = laptop_spark.variables({"spark.hadoop.fs.s3a.secret.key": "secret"}, file)
    assert settings(environment) == {"spark.hadoop.fs.s3a.secret.key": "secret"}
    assert file.stat().st_mode & 0o777 == 0o600


def test_files_that_are_written_at_once_do_not_mix(build_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced: list[Path] = []
    monkeypatch.setattr(os, "replace", lambda source, target: replaced.append(Path(source)))
    for text in ("one", "two"):
        laptop_spark._write(build_folder / "run.properties", text)
    assert [file.read_text(encoding="utf-8") for file in replaced] == ["one", "two"]
    assert {file.parent for file in replaced} == {build_folder}


def test_the_archive_is_used_when_it_is_there(build_folder: Path) -> None:
    archive = laptop_spark._archive_path()
    assert "SharedArchiveFile" not in settings(laptop_spark.environment())["spark.driver.extraJavaOptions"]
    archive.touch()
    options = settings(laptop_spark.environment())["spark.driver.extraJavaOptions"]
    assert f'-XX:SharedArchiveFile="{archive}" -Xshare:auto' in options
    assert laptop_spark.build_class_archive() == archive


def test_unverified_jars_are_never_used(build_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_jars, "JAR_FOLDER", tmp_path)
    (tmp_path / "other.jar").touch()
    with pytest.raises(fetch_jars.JarError, match=r"not in SHA256SUMS: other\.jar"):
        laptop_spark.environment()


def test_the_archive_is_another_for_another_java_or_jar(tmp_path: Path) -> None:
    jar = tmp_path / "a.jar"
    jar.write_bytes(b"one")
    first = class_archive.archive_path(tmp_path, "17.0.15", [tmp_path])
    assert class_archive.archive_path(tmp_path, "17.0.15", [tmp_path]) == first
    other_java = class_archive.archive_path(tmp_path, "17.0.16", [tmp_path])
    jar.write_bytes(b"three")
    other_size = class_archive.archive_path(tmp_path, "17.0.15", [tmp_path])
    os.utime(jar, ns=(0, 0))
    other_time = class_archive.archive_path(tmp_path, "17.0.15", [tmp_path])
    assert len({first, other_java, other_size, other_time}) == 4
