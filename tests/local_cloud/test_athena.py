"""Athena on Delta tables, asked through its API."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from local_cloud import athena as local_athena
from local_cloud import control
from tests.local_cloud import athena_lake
from tests.local_cloud.athena_lake import DATABASE, LAKE, RESULTS, execute


@pytest.fixture(scope="module")
def athena(cloud: control.Cloud) -> Any:
    """Athena's client, as the cloud's root, of an account with tables."""
    athena_lake.build(cloud)
    return cloud.client("athena")


SELECT_ALONE = "the laptop's Athena answers SELECT alone, and creates and drops tables"


def rows(athena: Any, execution: dict[str, Any]) -> list[list[str | None]]:
    """The rows of a result, header first."""
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution["QueryExecutionId"])
    return [[cell.get("VarCharValue") for cell in row["Data"]] for page in pages for row in page["ResultSet"]["Rows"]]


def test_values_types_and_file_of_a_result(athena: Any, cloud: control.Cloud) -> None:
    execution = execute(athena, "select * from movies order by movies desc")
    assert execution["Status"]["State"] == "SUCCEEDED"
    assert rows(athena, execution) == [
        ["genre", "movies", "rating", "day", "updated_at", "is_new", "share", "tags", "_extra"],
        [
            "Drama", "7", "6.50", "2026-11-01", "2026-11-01 08:00:00.250 UTC",
            "true", "1.23456785E7", "[a, null]", "{k=v}",
        ],
        ['Com"edy', "3", None, None, None, "false", "0.5", None, None],
    ]  # fmt: skip
    answer = athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"], MaxResults=1)
    columns = answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert [(column["Type"], column["Precision"], column["Scale"]) for column in columns] == [
        ("varchar", 2147483647, 0),
        ("bigint", 19, 0),
        ("decimal", 4, 2),
        ("date", 0, 0),
        ("timestamp with time zone", 3, 0),
        ("boolean", 0, 0),
        ("double", 17, 0),
        ("array", 0, 0),
        ("map", 0, 0),
    ]
    location = execution["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://{RESULTS}/results/{execution['QueryExecutionId']}.csv"
    file = cloud.client("s3").get_object(Bucket=RESULTS, Key=location.removeprefix(f"s3://{RESULTS}/"))["Body"].read()
    assert file.decode() == (
        '"genre","movies","rating","day","updated_at","is_new","share","tags","_extra"\n'
        '"Drama","7","6.50","2026-11-01","2026-11-01 08:00:00.250 UTC","true","1.23456785E7","[a, null]","{k=v}"\n'
        '"Com""edy","3",,,,"false","0.5",,\n'
    )


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1", [["_col0"], ["1"]]),
        ("select sum(movies) as all_movies from movies", [["all_movies"], ["10"]]),
        ("select count(*) from athena_bronze.movies b, athena_gold.movies g", [["_col0"], ["2"]]),
        ("with t as (select i from numbers where i < 2) select max(i) / 1 as m from t", [["m"], ["1"]]),
        ("select tag from movies cross join unnest(tags) as t (tag) where tag is not null", [["tag"], ["a"]]),
        ("select genre from movies where updated_at < timestamp '2026-11-01 09:00:00 UTC'", [["genre"], ["Drama"]]),
    ],
)
def test_queries(athena: Any, sql: str, expected: list[list[str]]) -> None:
    execution = execute(athena, sql)
    assert execution["Status"].get("StateChangeReason", "") == ""
    assert rows(athena, execution) == expected


def test_execution_parameters_fill_in_question_marks(athena: Any) -> None:
    sql = "select genre, '?' as mark from movies where genre = ? and movies < ?"
    execution = execute(athena, sql, ExecutionParameters=["'Drama'", "8"])
    assert rows(athena, execution) == [["genre", "mark"], ["Drama", "?"]]
    assert execution["ExecutionParameters"] == ["'Drama'", "8"]
    reason = execute(athena, sql, ExecutionParameters=["1"])["Status"]["StateChangeReason"]
    assert reason == "INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected 2 but found 1"


def test_pages_count_the_header_as_a_row(athena: Any) -> None:
    execution = execute(athena, "select i from numbers order by i")
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution["QueryExecutionId"])
    firsts = [
        (len(page["ResultSet"]["Rows"]), page["ResultSet"]["Rows"][0]["Data"][0]["VarCharValue"]) for page in pages
    ]
    assert firsts == [(1000, "i"), (1000, "999"), (501, "1999")]


def test_scanned_bytes_are_what_was_read_of_the_data(athena: Any, cloud: control.Cloud) -> None:
    listed = cloud.client("s3").list_objects_v2(Bucket=LAKE, Prefix="gold/numbers/part-")["Contents"]
    scanned = execute(athena, "select sum(i) from numbers")["Statistics"]["DataScannedInBytes"]
    assert 0 < scanned <= sum(item["Size"] for item in listed)
    assert execute(athena, "select 1")["Statistics"]["DataScannedInBytes"] == 0


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select * from nothing", "TABLE_NOT_FOUND: Table 'awsdatacatalog.athena_gold.nothing' does not exist"),
        ("select nothing from movies", "COLUMN_NOT_FOUND: Column 'nothing' could not be resolved. Line: 1, Col: 14"),
        ("select movies::int from movies", "SYNTAX_ERROR: Athena has no `::` (write cast(value as type))"),
        ("select from where", "SYNTAX_ERROR: Expected table name but got"),
        ("select cast(genre as bigint) from movies", "INVALID_CAST_ARGUMENT: "),
        ("insert into movies select * from movies", f"NOT_SUPPORTED: {SELECT_ALONE}"),
        ("(insert into movies select * from movies)", f"NOT_SUPPORTED: {SELECT_ALONE}"),
        ("with a as (select 1) insert into movies select * from a", "SYNTAX_ERROR: only SELECT is possible here"),
        ("create table t as select * from read_text('/etc/hostname')", f"NOT_SUPPORTED: {SELECT_ALONE}"),
        ("copy (select 1) to '/tmp/athena.csv'", f"NOT_SUPPORTED: {SELECT_ALONE}"),
        ("show tables", f"NOT_SUPPORTED: {SELECT_ALONE}"),
        ("drop table nothing", "Table 'athena_gold.nothing' does not exist"),
        ("select * from read_csv('/etc/passwd')", "SYNTAX_ERROR: Athena has no function read_csv"),
    ],
)
def test_a_query_that_can_not_be_answered_fails_with_the_reason(athena: Any, sql: str, reason: str) -> None:
    status = execute(athena, sql)["Status"]
    assert status["State"] == "FAILED"
    assert status["StateChangeReason"].startswith(reason)


def test_a_catalog_entry_without_a_table_fails_with_its_place(athena: Any, cloud: control.Cloud) -> None:
    entry = athena_lake.table_input("hollow", "gold/hollow")
    cloud.client("glue").create_table(DatabaseName=DATABASE, TableInput=entry)
    status = execute(athena, "select * from hollow")["Status"]
    assert status["StateChangeReason"].startswith(
        f"DELTA_LAKE_INVALID_TABLE: athena_gold.hollow at s3://{LAKE}/gold/hollow: "
    )


@pytest.mark.parametrize(
    ("data_format", "content"), [("csv", b"Drama\n"), ("json", b'{"genre": "Drama"}\n'), ("empty", b"")]
)
def test_tables_of_other_formats_are_read_too(
    athena: Any, cloud: control.Cloud, data_format: str, content: bytes
) -> None:
    table = f"plain_{data_format}"
    if content:
        cloud.client("s3").put_object(Bucket=LAKE, Key=f"{table}/a", Body=content)
        cloud.client("s3").put_object(Bucket=LAKE, Key=f"{table}/_hidden", Body=content)
    cloud.client("s3").put_object(Bucket=LAKE, Key=f"{table}_of_another/a", Body=content)
    parameters = {"classification": data_format if content else "csv"}
    entry = {**athena_lake.table_input(table, table), "Parameters": parameters}
    cloud.client("glue").create_table(DatabaseName=DATABASE, TableInput=entry)
    expected = [["genre"], ["Drama"]] if content else [["genre"]]
    assert rows(athena, execute(athena, f"select * from {table}")) == expected
    execution = execute(athena, f"select m.movies from {table} p join movies m on p.genre = m.genre")
    assert rows(athena, execution)[1:] == [["7"] for _ in expected[1:]]


def test_a_table_of_json_files_has_the_columns_of_the_catalog(athena: Any, cloud: control.Cloud) -> None:
    """Whatever the files hold: what is null in all of them, what differs from file to file, and what has no column."""
    for name, content in (
        ("a", b'{"id": "1", "files": {"read": 2}, "note": null}\n'),
        ("b", b'{"id": 2, "more": 5}\n'),
    ):
        cloud.client("s3").put_object(Bucket=LAKE, Key=f"declared/2026/11/{name}", Body=content)
    columns = {"id": "string", "files": "map<string,bigint>", "note": "string", "tables": "array<struct<table:string>>"}
    entry = {**athena_lake.table_input("declared", "declared"), "Parameters": {"classification": "json"}}
    entry["StorageDescriptor"]["Columns"] = [{"Name": name, "Type": each} for name, each in columns.items()]
    cloud.client("glue").create_table(DatabaseName=DATABASE, TableInput=entry)
    execution = execute(athena, "select *, files['read'] + 1 as more from declared order by id")
    assert rows(athena, execution) == [
        ["id", "files", "note", "tables", "more"],
        ["1", "{read=2}", None, None, "3"],
        ["2", None, None, None, None],
    ]


@pytest.mark.parametrize(
    ("name", "location", "parameters", "reason"),
    [
        ("on_disk", "/etc", {"spark.sql.sources.provider": "delta"}, "has no location on s3://"),
        ("in_avro", f"s3://{LAKE}/avro", {"classification": "avro"}, "reads Delta tables, csv, json, parquet"),
        ("iceberg", f"s3://{LAKE}/iceberg", {"table_type": "ICEBERG"}, "reads Delta tables, csv, json, parquet"),
    ],
)
def test_a_table_that_can_not_be_read_is_named(
    athena: Any, cloud: control.Cloud, name: str, location: str, parameters: dict[str, str], reason: str
) -> None:
    entry = {**athena_lake.table_input(name, name), "Parameters": parameters}
    entry["StorageDescriptor"]["Location"] = location
    cloud.client("glue").create_table(DatabaseName=DATABASE, TableInput=entry)
    status = execute(athena, f"select * from {name}")["Status"]
    assert status["StateChangeReason"].startswith(f"NOT_SUPPORTED: athena_gold.{name}")
    assert status["StateChangeReason"].endswith(reason)


def test_tables_are_created_and_dropped(athena: Any, cloud: control.Cloud) -> None:
    cloud.client("s3").put_object(Bucket=LAKE, Key="created/a", Body=b"1,Drama\n")
    created = execute(
        athena,
        "create external table created (id int, genre string) row format delimited fields terminated by ',' "
        f"location 's3://{LAKE}/created/'",
    )
    assert rows(athena, created) == []
    assert rows(athena, execute(athena, "select * from created")) == [["id", "genre"], ["1", "Drama"]]
    assert rows(athena, execute(athena, "drop table created")) == []
    reason = execute(athena, "select * from created")["Status"]["StateChangeReason"]
    assert reason == "TABLE_NOT_FOUND: Table 'awsdatacatalog.athena_gold.created' does not exist"


def test_another_catalog_is_refused(athena: Any) -> None:
    status = execute(athena, "select 1", QueryExecutionContext={"Catalog": "s3tablescatalog/films"})["Status"]
    assert status["StateChangeReason"] == (
        "NOT_SUPPORTED: the laptop's Athena has no catalog but AwsDataCatalog, not s3tablescatalog/films"
    )


def test_a_stopped_query_stays_cancelled_and_has_no_result(athena: Any, cloud: control.Cloud) -> None:
    sql = "select sum(a.i * b.i) from numbers a, numbers b, numbers c where c.i < 20"
    asked = {"WorkGroup": athena_lake.WORKGROUP, "QueryExecutionContext": {"Database": DATABASE}}
    started = athena.start_query_execution(QueryString=sql, **asked)
    query = {"QueryExecutionId": started["QueryExecutionId"]}
    athena.stop_query_execution(**query)
    file = f"results/{query['QueryExecutionId']}.csv"
    cloud.client("s3").get_waiter("object_exists").wait(
        Bucket=RESULTS, Key=file, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    assert athena.get_query_execution(**query)["QueryExecution"]["Status"]["State"] == "CANCELLED"
    with pytest.raises(athena.exceptions.InvalidRequestException, match="Query is in state CANCELLED"):
        athena.get_query_results(**query)


def test_a_query_that_is_stopped_before_its_turn_never_runs() -> None:
    execution = {"Status": {"State": "CANCELLED"}}
    asyncio.run(local_athena._answer(execution, pytest.fail))
    assert execution == {"Status": {"State": "CANCELLED"}}


def test_table_metadata_are_those_of_the_catalog(athena: Any) -> None:
    found = athena.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName=DATABASE, TableName="movies")
    assert found["TableMetadata"]["Columns"] == [{"Name": "genre", "Type": "string"}]
    with pytest.raises(athena.exceptions.MetadataException, match="Table nothing not found in database athena_gold"):
        athena.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName=DATABASE, TableName="nothing")
