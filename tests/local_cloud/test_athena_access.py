"""A query reads, and writes its result, with the rights of whoever asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local_cloud import control
from tests.local_cloud import athena_lake
from tests.local_cloud.athena_lake import LAKE, RESULTS, execute, role_keys

SQL = "select count(*) from movies"


@pytest.fixture(scope="module", autouse=True)
def lake(cloud: control.Cloud) -> None:
    """There are tables."""
    athena_lake.build(cloud)


@pytest.fixture(scope="module")
def analyst(cloud: control.Cloud) -> dict[str, str]:
    """The keys of an analyst, who may read gold."""
    return role_keys(cloud, "athena-analyst")


def test_an_analyst_reads_gold(cloud: control.Cloud, analyst: dict[str, str]) -> None:
    athena = cloud.client("athena", analyst)
    execution = execute(athena, SQL)
    assert execution["Status"]["State"] == "SUCCEEDED"
    answer = athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    assert answer["ResultSet"]["Rows"][1] == {"Data": [{"VarCharValue": "2"}]}


def test_an_analyst_does_not_see_bronze_in_the_catalog(cloud: control.Cloud, analyst: dict[str, str]) -> None:
    status = execute(cloud.client("athena", analyst), "select * from athena_bronze.movies")["Status"]
    assert status["State"] == "FAILED"
    assert "is not authorized to perform: glue:GetDatabase on resource" in status["StateChangeReason"]
    assert "database/athena_bronze" in status["StateChangeReason"]


def test_a_table_registered_as_gold_does_not_open_the_objects_of_bronze(
    cloud: control.Cloud, analyst: dict[str, str]
) -> None:
    entry = athena_lake.table_input("bronze_in_disguise", "bronze/movies")
    cloud.client("glue").create_table(DatabaseName=athena_lake.DATABASE, TableInput=entry)
    status = execute(cloud.client("athena", analyst), "select * from bronze_in_disguise")["Status"]
    assert status["State"] == "FAILED"
    assert status["StateChangeReason"].startswith("PERMISSION_DENIED: Access Denied (Service: Amazon S3")
    assert f"while reading s3://{LAKE}/bronze/movies: User: " in status["StateChangeReason"]
    assert "assumed-role/athena-analyst/test is not authorized to perform: s3:GetObject" in status["StateChangeReason"]


def test_a_table_of_another_format_does_not_open_objects_either(cloud: control.Cloud, analyst: dict[str, str]) -> None:
    cloud.client("s3").put_object(Bucket=LAKE, Key="bronze/plain/a", Body=b"secret\n")
    entry = {**athena_lake.table_input("plain_bronze", "bronze/plain"), "Parameters": {"classification": "csv"}}
    cloud.client("glue").create_table(DatabaseName=athena_lake.DATABASE, TableInput=entry)
    assert execute(cloud.client("athena"), "select * from plain_bronze")["Status"]["State"] == "SUCCEEDED"
    status = execute(cloud.client("athena", analyst), "select * from plain_bronze")["Status"]
    assert status["State"] == "FAILED"
    assert status["StateChangeReason"].startswith("PERMISSION_DENIED: Access Denied (Service: Amazon S3")
    keys = role_keys(cloud, "athena-plain-without-buckets", "buckets")
    status = execute(cloud.client("athena", keys), "select * from plain_bronze")["Status"]
    assert status["StateChangeReason"].startswith("PERMISSION_DENIED: Access Denied (Service: Amazon S3")


@pytest.mark.parametrize(
    ("sql", "action"),
    [
        ("drop table movies", "glue:DeleteTable"),
        ("DROP TABLE IF EXISTS athena_gold.movies;", "glue:DeleteTable"),
        (f"create external table mine (genre string) location 's3://{LAKE}/bronze/plain/'", "glue:CreateTable"),
    ],
)
def test_an_analyst_does_not_change_the_catalog(
    cloud: control.Cloud, analyst: dict[str, str], sql: str, action: str
) -> None:
    status = execute(cloud.client("athena", analyst), sql)["Status"]
    assert status["State"] == "FAILED"
    assert f"is not authorized to perform: {action} on resource" in status["StateChangeReason"]
    there = {table["Name"] for table in cloud.client("glue").get_tables(DatabaseName="athena_gold")["TableList"]}
    assert "movies" in there
    assert "mine" not in there


def test_an_analyst_reaches_no_file_of_the_machine(
    cloud: control.Cloud, analyst: dict[str, str], tmp_path: Path
) -> None:
    target = tmp_path / "taken.csv"
    for sql in (
        f"copy (select 1) to '{target}'",
        "create table t as select * from read_text('/etc/hostname')",
        "select * from read_text('/etc/hostname')",
        """select * from "/etc/passwd" """,
        f"drop table movies; copy (select 1) to '{target}'",
        """select * from movies, (with "/etc/hosts.csv" as (select 1) select 1), "/etc/hosts.csv" """,
    ):
        status = execute(cloud.client("athena", analyst), sql)["Status"]
        assert status["State"] == "FAILED", sql
    assert not target.exists()


@pytest.mark.parametrize(
    ("right", "reason"),
    [
        ("catalog", "is not authorized to perform: glue:GetDatabase"),
        ("buckets", "PERMISSION_DENIED: Access Denied"),
        ("tables", "PERMISSION_DENIED: Access Denied"),
        ("write results", f"Access denied when writing to location: s3://{RESULTS}/results/"),
    ],
)
def test_each_right_of_an_analyst_is_needed(cloud: control.Cloud, right: str, reason: str) -> None:
    keys = role_keys(cloud, f"athena-without-{right.replace(' ', '-')}", right)
    status = execute(cloud.client("athena", keys), SQL)["Status"]
    assert status["State"] == "FAILED"
    assert reason in status["StateChangeReason"]


def test_a_result_is_read_with_the_callers_rights_too(cloud: control.Cloud) -> None:
    athena = cloud.client("athena", role_keys(cloud, "athena-without-read-results", "read results"))
    execution = execute(athena, SQL)
    assert execution["Status"]["State"] == "SUCCEEDED"
    with pytest.raises(ClientError, match="access to the S3 location of your query results"):
        athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])


def test_calls_about_a_query_need_the_right_on_its_workgroup(cloud: control.Cloud, analyst: dict[str, str]) -> None:
    athena = cloud.client("athena", analyst)
    with pytest.raises(ClientError, match="AccessDenied"):
        execute(athena, SQL, WorkGroup="primary")
    settings = {"ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/primary/"}}
    other = execute(cloud.client("athena"), SQL, WorkGroup="primary", **settings)
    for ask in (athena.get_query_execution, athena.get_query_results):
        with pytest.raises(ClientError, match="AccessDenied"):
            ask(QueryExecutionId=other["QueryExecutionId"])


def test_a_named_query_is_shown_with_the_right_on_its_workgroup(cloud: control.Cloud, analyst: dict[str, str]) -> None:
    root, athena = cloud.client("athena"), cloud.client("athena", analyst)
    own, other = (
        root.create_named_query(Name=name, Database="athena_gold", QueryString=SQL, WorkGroup=name)["NamedQueryId"]
        for name in (athena_lake.WORKGROUP, "primary")
    )
    assert athena.get_named_query(NamedQueryId=own)["NamedQuery"]["QueryString"] == SQL
    with pytest.raises(ClientError, match="not authorized to perform: athena:GetNamedQuery"):
        athena.get_named_query(NamedQueryId=other)


def test_what_a_catalog_holds_is_shown_with_the_right_on_the_catalog(
    cloud: control.Cloud, analyst: dict[str, str]
) -> None:
    asked = {"CatalogName": "AwsDataCatalog", "DatabaseName": "athena_gold"}
    assert cloud.client("athena", analyst).get_database(**asked)["Database"]["Name"] == "athena_gold"
    keys = role_keys(cloud, "athena-without-metadata", "metadata")
    with pytest.raises(ClientError, match="not authorized to perform: athena:GetDatabase"):
        cloud.client("athena", keys).get_database(**asked)
