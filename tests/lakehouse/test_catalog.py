"""A layer's tables in the Glue catalog: the entry's shape, what is written and when, and the errors."""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws
from pyspark.sql.types import StructType

import query
from lakehouse import catalog, job
from lakehouse.catalog import CatalogError, address, register, schema_json
from lakehouse.declaration import Column, Pipeline
from lakehouse.job import find_declaration
from lakehouse.layers import tables_of
from lakehouse.storage import S3Storage
from lakehouse.tables import Run, Table

COLUMNS = (
    Column("movie_id", "string", "The film's identity."),
    Column("vote_average", "decimal(4,2)", "Mean vote from 0 to 10."),
    Column("updated_at", "timestamp", "When the film — Amélie, say — last changed."),
)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A mocked account with an empty lake and its databases; the list holds the calls to Glue since."""
    for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # what it is now comes back afterwards
    made: list[str] = []
    with mock_aws():
        boto3.setup_default_session()
        boto3.client("s3").create_bucket(Bucket="lake")
        for layer in ("bronze", "silver", "gold"):
            boto3.client("glue").create_database(DatabaseInput={"Name": f"oakvale_{layer}"})
        assert boto3.DEFAULT_SESSION is not None
        boto3.DEFAULT_SESSION.events.register("before-call.glue", lambda model, **_: made.append(model.name))
        yield made


@pytest.fixture
def run(calls: list[str]) -> Run:
    """A run on that lake, as far as the catalog needs one: without Spark and lease."""
    return Run(cast(Any, None), S3Storage("lake"), S3Storage("lake"), cast(Any, None), "run", "code")


@pytest.fixture
def movies(run: Run) -> Table:
    """A silver table with one commit."""
    table = Table(run, "silver", "movies", COLUMNS)
    commit(table, 0)
    return table


def commit(table: Table, version: int) -> None:
    """Puts a commit's log file into the lake."""
    table.run.lake.write(f"{table.key}/_delta_log/{version:020d}.json", b"{}")


def entry(database: str = "oakvale_silver", name: str = "movies") -> dict[str, Any]:
    """A table's entry in the catalog."""
    return cast(dict[str, Any], boto3.client("glue").get_table(DatabaseName=database, Name=name)["Table"])


def spark_schema(found: dict[str, Any]) -> StructType:
    """The schema in an entry's parameters, put together as Spark does it."""
    parameters, name = found["Parameters"], "spark.sql.sources.schema"
    parts = [parameters[f"{name}.part.{part}"] for part in range(int(parameters[f"{name}.numParts"]))]
    assert all(len(part) <= 4000 for part in parts)
    return StructType.fromJson(json.loads("".join(parts)))


def test_an_entry_has_the_shape_that_athena_gives_a_delta_table(movies: Table) -> None:
    register([movies], "oakvale")
    found = entry()
    listed = next(movies.run.lake.list("silver/movies/_delta_log/")).modified_at
    assert found["TableType"] == "EXTERNAL_TABLE"
    assert found["PartitionKeys"] == []
    assert found["StorageDescriptor"] == {
        "Columns": [
            {"Name": "movie_id", "Type": "string", "Comment": "The film's identity."},
            {"Name": "vote_average", "Type": "decimal(4,2)", "Comment": "Mean vote from 0 to 10."},
            {"Name": "updated_at", "Type": "timestamp", "Comment": "When the film — Amélie, say — last changed."},
        ],
        "Location": "s3://lake/silver/movies",
        "InputFormat": "org.apache.hadoop.mapred.SequenceFileInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveSequenceFileOutputFormat",
        "SerdeInfo": {
            "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
            "Parameters": {"serialization.format": "1", "path": "s3://lake/silver/movies"},
        },
    }
    schema = found["Parameters"].pop("spark.sql.sources.schema.part.0")
    assert schema == (
        '{"type":"struct","fields":['
        '{"name":"movie_id","type":"string","nullable":true,"metadata":{"comment":"The film\'s identity."}},'
        '{"name":"vote_average","type":"decimal(4,2)","nullable":true,'
        '"metadata":{"comment":"Mean vote from 0 to 10."}},'
        '{"name":"updated_at","type":"timestamp","nullable":true,'
        '"metadata":{"comment":"When the film — Amélie, say — last changed."}}]}'
    )
    assert found["Parameters"] == {
        "EXTERNAL": "TRUE",
        "table_type": "delta",
        "spark.sql.sources.provider": "delta",
        "spark.sql.partitionProvider": "catalog",
        "spark.sql.sources.schema.numParts": "1",
        "delta.lastUpdateVersion": "0",
        "delta.lastCommitTimestamp": str(int((listed - datetime.fromtimestamp(0, UTC)).total_seconds()) * 1000),
    }


def test_every_layer_registers_its_tables_and_those_of_the_engine(run: Run, calls: list[str]) -> None:
    pipeline: Pipeline = find_declaration("movies")
    tables = [table for layer in ("bronze", "silver", "gold") for table in tables_of(run, pipeline, layer)]
    for table in tables:
        commit(table, 0)
    register(tables, "oakvale")
    glue = boto3.client("glue")
    registered = {
        (database, table["Name"]): table
        for database in ("oakvale_bronze", "oakvale_silver", "oakvale_gold")
        for table in glue.get_tables(DatabaseName=database)["TableList"]
    }
    gold = [("oakvale_gold", f"movies_by_{group}") for group in ("genre", "release_year", "studio")]
    bronze = [("oakvale_bronze", "movies"), ("oakvale_bronze", "movies_files")]
    silver = [("oakvale_silver", f"movies{kind}") for kind in ("", "_quarantine", "_quarantine_events")]
    assert sorted(registered) == [*bronze, *gold, *silver]
    columns = {
        place: {column["Name"]: column["Type"] for column in found["StorageDescriptor"]["Columns"]}
        for place, found in registered.items()
    }
    assert columns["oakvale_bronze", "movies"]["_extra"] == "map<string,string>"
    assert list(columns["oakvale_bronze", "movies_files"])[:3] == ["batch", "source", "key"]
    assert list(columns["oakvale_silver", "movies"])[-3:] == ["_record_id", "_ingested_at", "_batch"]
    assert columns["oakvale_silver", "movies_quarantine"]["_rules"] == "array<string>"
    assert columns["oakvale_silver", "movies_quarantine_events"]["attempt"] == "bigint"
    assert columns["oakvale_gold", "movies_by_genre"]["average_budget"] == "decimal(20,2)"
    for place, found in registered.items():  # what Spark reads and what Athena shows are one schema
        schema = spark_schema(cast(dict[str, Any], found))
        assert {field.name: field.dataType.simpleString() for field in schema.fields} == columns[place]


@pytest.mark.parametrize(
    "declared",
    [
        "string", "boolean", "int", "bigint", "double", "date", "timestamp", "decimal(38,18)", "array<decimal(4,2)>",
        "map<string,array<int>>", "struct<a:int,b:array<struct<c:decimal(4,2),d:map<string,bigint>>>>",
    ],
)  # fmt: skip
def test_spark_understands_every_type(declared: str) -> None:
    schema = StructType.fromJson(json.loads(schema_json([Column("a", declared, "")])))
    assert schema["a"].dataType.simpleString() == declared


def test_a_long_schema_comes_in_parts(run: Run) -> None:
    columns = tuple(Column(f"column_{number:03}", "string", "é" * 80) for number in range(100))
    wide = Table(run, "silver", "wide", columns)
    commit(wide, 0)
    register([wide], "oakvale")
    found = entry(name="wide")
    assert found["Parameters"]["spark.sql.sources.schema.numParts"] == "5"
    assert [field.name for field in spark_schema(found).fields] == [column.name for column in columns]


def test_a_comment_is_no_longer_than_glue_takes(run: Run) -> None:
    wordy = Table(run, "silver", "wordy", (Column("a", "string", "é" * 300),))
    commit(wordy, 0)
    register([wordy], "oakvale")
    assert entry(name="wordy")["StorageDescriptor"]["Columns"][0]["Comment"] == "é" * 255


def test_nothing_is_written_when_nothing_differs(movies: Table, calls: list[str]) -> None:
    register([movies], "oakvale")
    calls.clear()
    register([movies], "oakvale")
    assert calls == ["GetTable"]


def test_what_glue_adds_of_its_own_is_no_difference(movies: Table, calls: list[str]) -> None:
    register([movies], "oakvale")
    glue, found = boto3.client("glue"), entry()
    added = {"Parameters": {**found["Parameters"], "UPDATED_BY_CRAWLER": "no"}, "Owner": "hadoop"}
    kept = {name: found[name] for name in ("Name", "TableType", "PartitionKeys", "StorageDescriptor")}
    glue.update_table(DatabaseName="oakvale_silver", TableInput=cast(Any, {**kept, **added}))
    calls.clear()
    register([movies], "oakvale")
    assert calls == ["GetTable"]


def test_a_new_commit_and_a_new_column_are_registered(movies: Table, calls: list[str]) -> None:
    register([movies], "oakvale")
    commit(movies, 1)
    calls.clear()
    register([movies], "oakvale")
    assert calls == ["GetTable", "UpdateTable"]
    assert entry()["Parameters"]["delta.lastUpdateVersion"] == "1"
    register([dataclasses.replace(movies, columns=(*COLUMNS, Column("studio", "string", "Studio.")))], "oakvale")
    assert [column["Name"] for column in entry()["StorageDescriptor"]["Columns"]][3:] == ["studio"]
    assert spark_schema(entry()).names[3:] == ["studio"]


@pytest.mark.parametrize("harm", ["deleted", "pointed elsewhere"])
def test_a_harmed_entry_heals(movies: Table, harm: str) -> None:
    register([movies], "oakvale")
    glue, whole = boto3.client("glue"), entry()
    if harm == "deleted":
        glue.delete_table(DatabaseName="oakvale_silver", Name="movies")
    else:
        storage = {**whole["StorageDescriptor"], "Location": "s3://elsewhere"}
        glue.update_table(
            DatabaseName="oakvale_silver", TableInput={"Name": "movies", "StorageDescriptor": cast(Any, storage)}
        )
    register([movies], "oakvale")
    healed = entry()
    assert healed["StorageDescriptor"] == whole["StorageDescriptor"]
    assert healed["Parameters"] == whole["Parameters"]


def test_a_table_that_is_not_there_is_not_registered(run: Run, calls: list[str]) -> None:
    register([Table(run, "silver", "movies", COLUMNS)], "oakvale")
    assert calls == []


def test_a_missing_database_is_named(movies: Table) -> None:
    with pytest.raises(CatalogError) as error:
        register([movies], "oakvale_dev")
    assert str(error.value) == (
        "silver/movies can't be registered as oakvale_dev_silver.movies: the catalog has no database "
        "oakvale_dev_silver; `terraform apply` makes it"
    )


def test_the_catalog_and_a_folder_name_tables_alike() -> None:
    assert {layer: address(layer, "{}", "oakvale") for layer in catalog.DATABASES} == query.LAYERS


@pytest.mark.parametrize(
    ("options", "registers"),
    [
        (["--catalog", "oakvale"], True),
        (["--catalog", "oakvale", "--mode", "migrate"], True),
        (["--catalog", "oakvale", "--mode", "replay"], False),  # which leaves alone what is served
        ([], False),
    ],
)
def test_a_job_registers_its_layer_when_it_is_told_to(
    run: Run, calls: list[str], monkeypatch: pytest.MonkeyPatch, options: list[str], registers: bool
) -> None:
    pipeline = find_declaration("movies")
    monkeypatch.setattr(job, "open_session", lambda: None)
    for modes, name in ((job.LAYERS, "gold"), (job.BY_LAYER, "migrate"), (job.BY_LAYER, "replay")):
        monkeypatch.setitem(modes, name, lambda *_: [commit(each, 0) for each in tables_of(run, pipeline, "gold")])
    place = ["--pipeline", "movies", "--layer", "gold", "--lake", "s3://lake", "--raw", "s3://lake"]
    record = job.main(importlib.import_module("pipelines.movies"), [*place, *options])
    assert record["outcome"] == "idle"
    assert calls == (["GetTable", "CreateTable"] * 3 if registers else [])


@pytest.mark.parametrize(
    ("prefix", "lake", "message"),
    [
        ("Oakvale", "s3://lake", "--catalog is a prefix of small letters, digits and underscores; found 'Oakvale'"),
        ("oakvale-dev", "s3://lake", "found 'oakvale-dev'"),
        ("", "s3://lake", "found ''"),
        ("oakvale", "/tmp/lake", "--catalog needs a lake on S3 (--lake s3://bucket)"),
    ],
)
def test_an_impossible_catalog_is_an_argument_error(
    prefix: str, lake: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--pipeline", "movies", "--layer", "gold", "--lake", lake, "--raw", lake]
    with pytest.raises(SystemExit) as stopped:
        job.main(importlib.import_module("pipelines.movies"), [*place, "--catalog", prefix])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
