"""Delta tables on the laptop cloud, registered and with a workgroup: what the tests of Athena ask."""

from __future__ import annotations

import functools
import json
import time
from typing import Any

import deltalake
import duckdb

from local_cloud import control

DATABASE = "athena_gold"
WORKGROUP = "athena-test"
LAKE, RESULTS = "athena-lake", "athena-results"
SECONDS = 120
MOVIES = """
    select * from (values
        ('Drama', 7::bigint, 6.50::decimal(4, 2), date '2026-11-01', timestamptz '2026-11-01 10:00:00.25+02',
            true, 12345678.5::double, ['a', null], map {'k': 'v'}),
        ('Com"edy', 3, null, null, null, false, 0.5, null, null)
    ) as t(genre, movies, rating, day, updated_at, is_new, share, tags, _extra)
"""
TABLES = {
    ("athena_gold", "movies"): ("gold/movies", MOVIES),
    ("athena_gold", "numbers"): ("gold/numbers", "select i, i * 2 as twice from range(2500) as r(i)"),
    ("athena_bronze", "movies"): ("bronze/movies", "select 'm1' as movie_id, 1 as _batch"),
}
ANALYST = {
    "athena": (
        ["athena:StartQueryExecution", "athena:Get*"],
        [f"arn:aws:athena:us-east-1:000000000000:workgroup/{WORKGROUP}"],
    ),
    "metadata": (["athena:GetDatabase"], ["arn:aws:athena:us-east-1:000000000000:datacatalog/AwsDataCatalog"]),
    "catalog": (
        ["glue:GetDatabase", "glue:GetTable"],
        [
            f"arn:aws:glue:us-east-1:000000000000:{name}"
            for name in ("catalog", f"database/{DATABASE}", f"table/{DATABASE}/*")
        ],
    ),
    "buckets": (["s3:ListBucket", "s3:GetBucketLocation"], [f"arn:aws:s3:::{LAKE}", f"arn:aws:s3:::{RESULTS}"]),
    "tables": (["s3:GetObject"], [f"arn:aws:s3:::{LAKE}/gold/*"]),
    "write results": (["s3:PutObject"], [f"arn:aws:s3:::{RESULTS}/results/*"]),
    "read results": (["s3:GetObject"], [f"arn:aws:s3:::{RESULTS}/results/*"]),
}


@functools.cache
def build(cloud: control.Cloud) -> None:
    """Makes all of it, once for each cloud."""
    for bucket in (LAKE, RESULTS):
        cloud.client("s3").create_bucket(Bucket=bucket)
    glue = cloud.client("glue")
    for database in sorted({database for database, _ in TABLES}):
        glue.create_database(DatabaseInput={"Name": database})
    options = {**cloud.environment(), "AWS_ALLOW_HTTP": "true"}
    for (database, name), (key, select) in TABLES.items():
        deltalake.write_deltalake(f"s3://{LAKE}/{key}", duckdb.sql(select), storage_options=options)
        glue.create_table(DatabaseName=database, TableInput=table_input(name, key))
    result = {"OutputLocation": f"s3://{RESULTS}/results/"}
    cloud.client("athena").create_work_group(
        Name=WORKGROUP, Configuration={"EnforceWorkGroupConfiguration": True, "ResultConfiguration": result}
    )


def table_input(name: str, key: str) -> dict[str, Any]:
    """What of a table's entry in the catalog Athena needs."""
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "spark.sql.sources.provider": "delta"},
        "StorageDescriptor": {"Columns": [{"Name": "genre", "Type": "string"}], "Location": f"s3://{LAKE}/{key}"},
    }


def role_keys(cloud: control.Cloud, role: str, *without: str) -> dict[str, str]:
    """The keys of a new role that has an analyst's rights, apart from some."""
    iam = cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    made = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    rights = [
        {"Effect": "Allow", "Action": actions, "Resource": resources}
        for name, (actions, resources) in ANALYST.items()
        if name not in without
    ]
    iam.put_role_policy(RoleName=role, PolicyName="analyst", PolicyDocument=json.dumps({"Statement": rights}))
    keys = cloud.client("sts").assume_role(RoleArn=made["Role"]["Arn"], RoleSessionName="test")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }


def execute(athena: Any, sql: str, **options: Any) -> dict[str, Any]:
    """Runs a query to its end; the execution, whatever became of it."""
    context = {"Database": DATABASE}
    asked = {"QueryString": sql, "WorkGroup": WORKGROUP, "QueryExecutionContext": context, **options}
    started = athena.start_query_execution(**asked)["QueryExecutionId"]
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        execution: dict[str, Any] = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]
        if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
            return execution
        time.sleep(0.02)
    raise TimeoutError(f"no end of query {started} within {SECONDS} s")
