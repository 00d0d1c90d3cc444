"""Several days through Lambda, S3 events, a workflow, Glue jobs and Athena, under enforced IAM, equal the oracle."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import Any

import awswrangler
import pyathena
import pytest
from rich.console import Console

import athena_client
import deploy
import deployment
import query
import replay
import trace_row
from environments import ROOT
from lakehouse import reader
from local_cloud import athena_values, fire
from tests.cloud.conftest import LAYERS, Deployed
from tests.oracles import movies as oracle
from tests.pipelines.test_movies import differences

TABLES = ("bronze", "silver", "quarantine", "quarantine_events", "gold", "ledger")
GENRES = "SELECT genre, movies, total_budget, average_vote, best_movie_id FROM movies_by_genre ORDER BY genre"


@pytest.fixture(scope="module")
def both(deployed: Deployed, request: pytest.FixtureRequest) -> tuple[Deployed, deployment.Deployment]:
    """The local environment with five days, and another one, applied meanwhile: most of an apply is waiting."""
    with ThreadPoolExecutor(1) as beside:
        applied = beside.submit(deploy.apply, "dev", deployed.notes.append)
        five_days: Deployed = request.getfixturevalue("five_days")  # no parameter, which would come before this one
        applied.result()
    return five_days, deployment.read("dev")


def test_two_environments_live_side_by_side(both: tuple[Deployed, deployment.Deployment]) -> None:
    """What the tests after this one do with the local environment, they do without dev."""
    five_days, dev = both
    kinds = ("databases", "functions", "jobs", "roles", "streams", "workflows")
    ours, theirs = ({name for kind in kinds for name in lake.outputs[kind].values()} for lake in (five_days.lake, dev))
    assert len(ours) == len(theirs)
    assert ours.isdisjoint(theirs)
    with ThreadPoolExecutor(2) as beside:
        changes = beside.map(lambda name: deploy.plan(name, five_days.notes.append), ("local", "dev"))
        assert list(changes) == [False, False], "dev has changed local, or an apply of dev left something to do"
    deploy.destroy("dev", five_days.notes.append)
    assert not deploy.plan("local", five_days.notes.append), "what is left of local without dev has changed"


@pytest.fixture(scope="module")
def copy(five_days: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The raw files and the lake as files of this machine."""
    return five_days.download(tmp_path_factory.mktemp("copy"))


def test_every_table_equals_the_oracle(copy: Path) -> None:
    found = differences(copy)
    assert {name: difference[1:] for name, difference in found.items()} == dict.fromkeys(found, (0, 0))
    assert sum(difference[0] for difference in found.values()) >= 1_500


def test_each_run_took_only_what_was_new(five_days: Deployed) -> None:
    records = [record for record in five_days.lake.run_records("movies", "bronze") if record["files"]]
    assert len(records) >= 2
    assert sum(record["files"]["read"] for record in records) == 5
    batches = [account["after"] for record in records for account in record["accounts"]]
    assert batches == list(range(len(records)))


def with_boto3(deployed: Deployed, sql: str) -> list[tuple[Any, ...]]:
    """The rows as Athena's API gives them, typed."""
    outputs = deployed.lake.outputs
    athena = deployed.session("analyst").client("athena")
    result = athena_client.query(athena, outputs["workgroup"], outputs["databases"]["gold"], sql)
    kinds: dict[str, Callable[[str], Any]] = {"BIGINT": int, "DECIMAL": Decimal}
    types = [kinds.get(name.split("(")[0], str) for name in result.types]
    return [
        tuple(None if value is None else kind(value) for kind, value in zip(types, row, strict=True))
        for row in result.rows
    ]


def with_awswrangler(deployed: Deployed, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a pandas frame."""
    outputs = deployed.lake.outputs
    frame = awswrangler.athena.read_sql_query(
        sql,
        database=outputs["databases"]["gold"],
        workgroup=outputs["workgroup"],
        ctas_approach=False,
        boto3_session=deployed.session("analyst"),
    )
    plain = frame.astype(object).where(frame.notna(), None)
    return [tuple(row) for row in plain.itertuples(index=False, name=None)]


def with_pyathena(deployed: Deployed, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a DB-API cursor."""
    outputs = deployed.lake.outputs
    connection = pyathena.connect(
        work_group=outputs["workgroup"],
        schema_name=outputs["databases"]["gold"],
        region_name=outputs["region"],
        session=deployed.session("analyst"),
    )
    return [tuple(row) for row in connection.cursor().execute(sql).fetchall()]


@pytest.mark.parametrize("read", [with_boto3, with_awswrangler, with_pyathena])
def test_an_analyst_reads_gold_as_the_oracle_has_it(
    five_days: Deployed, copy: Path, read: Callable[[Deployed, str], list[tuple[Any, ...]]]
) -> None:
    expected = oracle.compute(oracle.read_lake(copy)).execute(GENRES.replace("movies_by", "gold_movies_by")).fetchall()
    assert len(expected) > 10
    assert Counter(read(five_days, GENRES)) == Counter(expected)


def test_every_named_query_has_an_answer(five_days: Deployed) -> None:
    athena, workgroup = five_days.client("athena"), five_days.lake.outputs["workgroup"]
    asked = [
        athena.get_named_query(NamedQueryId=known)["NamedQuery"]
        for known in athena.list_named_queries(WorkGroup=workgroup)["NamedQueryIds"]
    ]
    # Nothing has landed for events and retail, so their tables aren't there yet.
    without_tables: set[str] = set()
    for name in ("events", "retail"):
        pipeline = reader.read(ROOT / "glue_scripts" / "pipelines" / f"{name}.yaml")
        examples = {f"{name}_{file.stem}" for file in (ROOT / "terraform" / "queries" / name).glob("*.sql")}
        rejected = {f"{table}_rejected" for table in pipeline.silver}
        without_tables |= {f"{name}_files", *rejected, *pipeline.gold, *examples}
    assert without_tables < {query["Name"] for query in asked}
    asked = [query for query in asked if query["Name"] not in without_tables]
    rows = {
        query["Name"]: len(athena_client.query(athena, workgroup, query["Database"], query["QueryString"]).rows)
        for query in asked
    }
    assert len(rows) == len(asked)
    assert {*rows} == {
        "last_runs",
        "movies_rejected",
        "movies_files",
        *(f"movies_by_{by}" for by in ("genre", "studio", "release_year")),
    }
    assert rows["movies_files"] == 5
    assert min(rows.values()) > 0


def test_a_run_without_news_commits_nothing(five_days: Deployed) -> None:
    def tables() -> dict[str, str]:
        return {key: item["ETag"] for layer in TABLES for key, item in five_days.objects("lake", f"{layer}/").items()}

    before = tables()
    runs = five_days.run()
    assert tables() == before
    for layer, run in zip(LAYERS, runs, strict=True):
        *_, newest = five_days.lake.run_records("movies", layer)
        assert (newest["outcome"], newest["job_run_id"]) == ("idle", run["Id"])


def test_a_replay_proves_every_table(five_days: Deployed) -> None:
    """Each job has the rights for it; a switch then finds nothing to do."""
    tables = {"movies", "movies_by_genre", "movies_by_release_year", "movies_by_studio"}
    replay.run(Console(quiet=True), five_days.lake, "movies", publish="switch")
    proven, switched = ([newest[mode] for newest in records(five_days)] for mode in ("replay", "switch"))
    compared = [each for record in proven for each in record["compared"]]
    assert {each["table"].split("/")[1].removesuffix(" (open)") for each in compared} == tables
    assert [each for each in compared if each["verdict"] != "equal"] == []
    assert [record["outcome"] for record in switched] == ["idle"] * 3


def test_the_weekly_maintenance_changes_no_row(five_days: Deployed) -> None:
    """Each job has the rights for it; the next run then has nothing to do."""
    fire.fire(five_days.cloud, f"{five_days.lake.named('workflows', 'movies')}-maintenance")
    for layer in LAYERS:
        five_days.wait_for_job(five_days.lake.named("jobs", f"movies-{layer}"), "the maintenance")
    done = [record["maintain"] for record in records(five_days)]
    assert [record["outcome"] for record in done[:2]] == ["succeeded"] * 2
    compacted = {each["table"]: each["compacted"] for record in done for each in record["maintained"]}
    assert {"ledger/movies", "bronze/movies", "quarantine/movies"} <= set(compacted)
    assert min(compacted.values()) >= 2
    # Nothing is a week old, and all is published and read.
    assert {(each["deleted"], each["left_alone"]) for record in done for each in record["maintained"]} == {(0, None)}
    assert len(five_days.run()) == len(LAYERS)
    assert [newest["run"]["outcome"] for newest in records(five_days)] == ["idle"] * len(LAYERS)


def records(deployed: Deployed) -> list[dict[str, dict[str, Any]]]:
    """The newest record of each mode, layer by layer."""
    return [{each["mode"]: each for each in deployed.lake.run_records("movies", layer)} for layer in LAYERS]


def test_run_records_are_a_table_in_athena(five_days: Deployed) -> None:
    names = ("run_id", "layer", "outcome", "job_run_id", "seconds", "rows_in", "rows_out", "rows_rejected", "error")
    sql = f"""
        SELECT {", ".join(names)}, element_at(files, 'read'), cardinality(accounts),
            element_at(element_at(accounts, 1).equations, 1)."right", element_at(refreshed, 1)."table"
        FROM runs
        ORDER BY run_id
    """
    outputs = five_days.lake.outputs
    found = athena_client.query(five_days.client("athena"), outputs["workgroup"], outputs["databases"]["bronze"], sql)
    records = [record for layer in LAYERS for record in five_days.lake.run_records("movies", layer)]
    expected = [
        (
            *(record[name] for name in names),
            record["files"].get("read"),
            len(record["accounts"]),
            next((account["equations"][0]["right"] for account in record["accounts"]), None),
            next((table["table"] for table in record["refreshed"]), None),
        )
        for record in sorted(records, key=itemgetter("run_id"))
    ]
    assert found.rows == [tuple(athena_values.text(value) for value in row) for row in expected]
    assert {record["outcome"] for record in records} >= {"succeeded"}
    assert sum(record["rows_in"] for record in records if record["layer"] == "bronze") > 1_500


def test_a_trace_through_athena_is_that_of_the_folder(
    five_days: Deployed, copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(deployment, "connect", lambda _: five_days.lake)
    for table, key in (("movies_by_genre", "genre=Drama"), ("silver.movies", f"movie_id={first_film(copy)}")):
        printed = []
        for lake in (trace_row.open_environment("local"), trace_row.open_folder(copy)):
            trace_row.show(lake, table, [key])
            printed.append(capsys.readouterr().out.splitlines())
        through_athena, folder = (with_one_space(lines) for lines in printed)
        # Times and maps are written otherwise by Athena; what is a raw record's is the same to the letter.
        assert [line for line in through_athena if "raw/" in line] == [line for line in folder if "raw/" in line]
        assert through_athena[0] == folder[0]
        assert len(through_athena) == len(folder) > 6


def first_film(lake: Path) -> str:
    """The id of a film of silver."""
    ((found,),) = query.query(query.connect(lake), "select min(movie_id) from oakvale_silver.movies").rows
    return str(found)


def with_one_space(lines: list[str]) -> list[str]:
    """Lines without the spaces that fill up a column."""
    return [" ".join(line.split()) for line in lines]


def test_a_second_plan_is_empty(five_days: Deployed) -> None:
    """Planned as a pull request is, by a role that reads settings and nothing else."""
    shown: list[str] = []
    with five_days.delivery.job("plan"):
        assert not deploy.plan("local", shown.append), "\n".join(shown)


def test_each_job_has_written_its_log(five_days: Deployed) -> None:
    logs = five_days.client("logs")
    for layer in LAYERS:
        group = f"/oakvale-local/glue/movies-{layer}/output"
        streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
        assert len(streams) >= 2
        events = logs.get_log_events(logGroupName=group, logStreamName=streams[0]["logStreamName"])["events"]
        begins = re.compile(rf"movies {layer}: (run|replay|switch|maintain) \S+ begins")
        assert any(begins.search(event["message"]) for event in events)
