"""Least privilege from both sides: every statement of a role is needed, and what none allows is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import awswrangler
import pytest
from botocore.exceptions import ClientError

import athena_client
import backfill
from athena_sql import QueryError
from lakehouse.storage import S3Storage
from tests.cloud.conftest import LAYERS, SETTINGS, Deployed
from tests.cloud.failures import without
from tests.cloud.rights import needless, statements
from tests.local_cloud.glue_resources import wait_for

ROLES = (*(f"movies-{layer}" for layer in LAYERS), "generate_movies", "record_failed_run", "analyst")
# Statements for what the laptop cloud doesn't ask for; docs/differences-from-aws.md tells why. They are checked in
# the plan, by tests/terraform. A statement that is used after all must leave this table.
NOT_ASKED_FOR = {
    **{f"movies-{layer}": {"UseKey", "PublishMetrics"} for layer in LAYERS},
    **{
        function: {"UseKey", "WriteLogs", "ReportFailures", "EncryptReports", "Trace"}
        for function in ("generate_movies", "record_failed_run")
    },
    "analyst": {"UseKey", "FindResults"},
}


STORES, FOLDER = ("raw", "lake"), "raw/retail/orders"


def ask(deployed: Deployed, database: str, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query that the analyst asks."""
    outputs = deployed.lake.outputs
    athena = deployed.session("analyst").client("athena")
    return athena_client.query(athena, outputs["workgroup"], outputs["databases"][database], sql).rows


@pytest.fixture(scope="module")
def busy_days(five_days: Deployed) -> Deployed:
    """Five days, a file again, a run that dies, maintenance, an analyst: all that the roles are there for."""
    function = five_days.lake.named("functions", "generate_movies")
    again = backfill.invoke(five_days.client("lambda"), function, {"date": "2026-11-01", **SETTINGS})
    assert again["outcome"] == "unchanged"
    glue, job = five_days.client("glue"), five_days.lake.named("jobs", "movies-gold")
    known = len(list(five_days.lake.run_records("movies", "gold")))
    # What no run survives to record: the layer that it shall run isn't one.
    died = glue.start_job_run(JobName=job, Arguments={"--layer": "platinum"})["JobRunId"]
    five_days.wait_for_job(job, died)
    wait_for("its record", lambda: len(list(five_days.lake.run_records("movies", "gold"))) > known)
    silver = five_days.lake.named("jobs", "movies-silver")
    five_days.wait_for_job(silver, glue.start_job_run(JobName=silver, Arguments={"--mode": "maintain"})["JobRunId"])
    outputs, session = five_days.lake.outputs, five_days.session("analyst")
    sql, database = "SELECT genre FROM movies_by_genre", outputs["databases"]["gold"]
    frame = awswrangler.athena.read_sql_query(
        sql, database=database, workgroup=outputs["workgroup"], ctas_approach=False, boto3_session=session
    )
    assert len(frame) == len(ask(five_days, "gold", sql)) > 10
    return five_days


@pytest.mark.parametrize("role", ROLES)
def test_every_statement_is_needed(busy_days: Deployed, role: str) -> None:
    assert needless(busy_days, role) == NOT_ASKED_FOR[role]


def test_a_job_without_a_statement_fails_and_says_so(busy_days: Deployed) -> None:
    glue, job = busy_days.client("glue"), busy_days.lake.named("jobs", "movies-silver")
    with without(busy_days, "movies-silver", "ReadGateBefore"):
        first = glue.start_job_run(JobName=job)["JobRunId"]
        busy_days.wait_for_job(job, first)
    run = glue.get_job_run(JobName=job, RunId=first)["JobRun"]
    assert run["JobRunState"] == "FAILED"
    assert "s3:GetObject" in run["ErrorMessage"]
    assert "gates/movies/bronze.json" in run["ErrorMessage"]


@pytest.mark.parametrize(
    ("sid", "act"),
    [
        ("ArchiveFiles", lambda raw, lake: raw.copy(*landed(raw), "archive/retail/orders/a b+ü.csv")),
        ("ReadGateAfter", lambda raw, lake: lake.read("gates/retail/silver.json")),
        ("NoteWhatIsArchived", lambda raw, lake: lake.write("archives/retail.json", b"{}", replaces=None)),
    ],
)
def test_bronze_archives_with_these_statements_and_not_without_one(
    deployed: Deployed, sid: str, act: Callable[[S3Storage, S3Storage], object]
) -> None:
    raw, lake = (S3Storage(deployed.bucket(name), deployed.session("retail-bronze").client("s3")) for name in STORES)
    # The folder itself as a file: no event tells of it, so no run starts beside this one.
    deployed.client("s3").put_object(Bucket=deployed.bucket("raw"), Key=FOLDER, Body=b"landed")
    with without(deployed, "retail-bronze", sid), pytest.raises(ClientError, match="AccessDenied"):
        act(raw, lake)
    act(raw, lake)
    for name, prefix in (("raw", FOLDER), ("raw", "archive/"), ("lake", "archives/")):
        for key in deployed.objects(name, prefix):
            deployed.client("s3").delete_object(Bucket=deployed.bucket(name), Key=key)


def landed(raw: S3Storage) -> tuple[str, str]:
    """Key and ETag of the file that has landed."""
    found = raw.find(FOLDER)
    assert found is not None
    return FOLDER, found.etag


@pytest.mark.parametrize(
    ("sid", "day", "action"),
    [("PutFiles", "2027-01-01", "s3:PutObject"), ("CompareFiles", "2026-11-01", "s3:GetObject")],
)
def test_a_function_without_a_statement_fails_and_says_so(busy_days: Deployed, sid: str, day: str, action: str) -> None:
    function = busy_days.lake.named("functions", "generate_movies")
    with (
        without(busy_days, "generate_movies", sid),
        pytest.raises(backfill.InvocationError, match=rf"AccessDenied.* {action}"),
    ):
        backfill.invoke(busy_days.client("lambda"), function, {"date": day, **SETTINGS})


@pytest.mark.parametrize(
    ("sid", "refusal"),
    [
        ("AskAthena", r"^Athena refuses: .*not authorized to perform: athena:StartQueryExecution"),
        ("SeeGoldInTheCatalog", r"not authorized to perform: glue:GetDatabase"),
        ("ListLake", r"PERMISSION_DENIED: Access Denied .* while reading s3://\S+/gold/movies_by_genre"),
        ("ReadGold", r"PERMISSION_DENIED: Access Denied .* s3:GetObject"),
        ("KeepResults", r"Access denied when writing to location: s3://\S+/results/.* s3:PutObject"),
    ],
)
def test_an_analyst_without_a_statement_is_refused(busy_days: Deployed, sid: str, refusal: str) -> None:
    with without(busy_days, "analyst", sid), pytest.raises(QueryError, match=refusal):
        ask(busy_days, "gold", "SELECT count(*) FROM movies_by_genre")


@pytest.mark.parametrize(
    ("role", "bucket", "key"),
    [
        ("movies-bronze", "lake", "gold/movies_by_genre/part-0.parquet"),
        ("movies-bronze", "raw", "raw/movies/2026/11/01/mine.jsonl"),
        ("movies-bronze", "raw", "archive/movies/2026/11/01/mine.jsonl"),
        ("retail-bronze", "raw", "archive/movies/mine.csv"),
        ("retail-bronze", "raw", "raw/retail/orders/mine.csv"),
        ("retail-bronze", "lake", "archives/movies.json"),
        ("retail-erasure", "raw", "raw/movies/2026/11/01/mine.jsonl"),
        ("retail-erasure", "lake", "gold/movies_by_genre/part-0.parquet"),
        ("movies-silver", "lake", "bronze/movies/part-0.parquet"),
        ("movies-gold", "lake", "silver/movies/part-0.parquet"),
        ("movies-gold", "lake", "gates/movies/silver.json"),
        ("generate_movies", "lake", "bronze/movies/part-0.parquet"),
        ("generate_movies", "raw", "raw/retail/orders.csv"),
        ("record_failed_run", "lake", "runs/unknown/gold/2026/11/01/a.json"),
        ("record_failed_run", "lake", "gates/movies/gold.json"),
        ("analyst", "lake", "gold/movies_by_genre/part-0.parquet"),
    ],
)
def test_a_role_cannot_write_what_is_not_its_own(deployed: Deployed, role: str, bucket: str, key: str) -> None:
    before = deployed.objects(bucket, key)
    with pytest.raises(ClientError, match="AccessDenied"):
        deployed.session(role).client("s3").put_object(Bucket=deployed.bucket(bucket), Key=key, Body=b"x")
    assert deployed.objects(bucket, key) == before


@pytest.mark.parametrize(
    ("role", "prefix"),
    [
        ("movies-silver", "raw/"),
        ("movies-gold", "bronze/"),
        ("movies-gold", "quarantine/"),
        ("movies-gold", "quarantine_events/"),
        ("analyst", "silver/"),
        ("analyst", "quarantine/"),
        ("analyst", "quarantine_events/"),
    ],
)
def test_a_role_cannot_read_what_it_does_not_need(five_days: Deployed, role: str, prefix: str) -> None:
    bucket = "raw" if prefix == "raw/" else "lake"
    key = next(iter(five_days.objects(bucket, prefix)))
    with pytest.raises(ClientError, match="AccessDenied"):
        five_days.session(role).client("s3").get_object(Bucket=five_days.bucket(bucket), Key=key)


def test_an_analyst_cannot_ask_for_silver(five_days: Deployed) -> None:
    with pytest.raises(QueryError, match=r"[Aa]ccess ?[Dd]enied|not authorized"):
        ask(five_days, "silver", "SELECT count(*) FROM movies")


def test_a_job_role_cannot_change_its_own_rights(deployed: Deployed) -> None:
    before, everything = statements(deployed, "movies-gold"), {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    iam, name = deployed.session("movies-gold").client("iam"), deployed.role("movies-gold")
    with pytest.raises(ClientError, match="AccessDenied"):
        iam.put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=policy)
    assert statements(deployed, "movies-gold") == before
