"""Athena on Delta tables, asked through its API."""

from __future__ import annotations

from typing import Any

import pytest

from local_cloud import control
from tests.local_cloud import athena_lake
from tests.local_cloud.athena_lake import DATABASE, LAKE, RESULTS, execute


@pytest.fixture(scope="module")
def athena(cloud: control.Cloud) -> Any:
    """Athena's client, as the cloud's root, of an account with tables."""
    athena_lake.build(cloud)
    return cloud.client("athena")


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
        ("insert into movies select * from movies", "SYNTAX_ERROR: only SELECT is possible here"),
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


def test_tables_of_other_formats_stay_with_ministack(athena: Any, cloud: control.Cloud) -> None:
    cloud.client("s3").put_object(Bucket=LAKE, Key="plain/a.csv", Body=b"Drama\n")
    entry = {**athena_lake.table_input("plain", "plain"), "Parameters": {"classification": "csv"}}
    cloud.client("glue").create_table(DatabaseName=DATABASE, TableInput=entry)
    assert rows(athena, execute(athena, "select * from plain")) == [["genre"], ["Drama"]]
    status = execute(athena, "select p.genre from plain p join movies m on p.genre = m.genre")["Status"]
    assert status["StateChangeReason"].startswith("NOT_SUPPORTED: athena_gold.plain is no Delta table")


def test_table_metadata_are_those_of_the_catalog(athena: Any) -> None:
    found = athena.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName=DATABASE, TableName="movies")
    assert found["TableMetadata"]["Columns"] == [{"Name": "genre", "Type": "string"}]
    with pytest.raises(athena.exceptions.MetadataException, match="Table nothing not found in database athena_gold"):
        athena.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName=DATABASE, TableName="nothing")
