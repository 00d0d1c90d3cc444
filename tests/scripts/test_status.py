"""`make status` shows what every run took in and put out, what it cost, where its log is, and who is behind."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import deployment
import glue_costs
import layer_runs
import status
from lakehouse.storage import FolderStorage, S3Storage, Storage

ROOT = Path(__file__).resolve().parents[2]
GOLD = ("movies_by_genre", "movies_by_studio", "movies_by_release_year")
GATE = {"movies": {"version": 4, "rows": 20, "id": "t-1"}}
COUNTS = ("rows_in", "rows_out", "rows_rejected", "late_files")


def put_record(lake: Storage, layer: str, time: str, counts: tuple[int | None, ...], **more: Any) -> None:
    """The record of a run that began on the first of November."""
    record = {
        "run_id": f"20261101T{time}Z",
        "job_run_id": f"jr_{layer}_{time}",
        "layer": layer,
        "started_at": f"2026-11-01T{time[:2]}:{time[2:4]}:{time[4:]}+00:00",
        "seconds": 61.4,
        "outcome": "succeeded",
        "error": None,
        **dict(zip(COUNTS, counts, strict=True)),
        **more,
    }
    lake.write(f"runs/movies/{layer}/2026/11/01/{record['run_id']}.json", json.dumps(record).encode())


def put_hop(lake: Storage, table: str, **hop: Any) -> None:
    """A table whose newest commit carries this."""
    info = {"commitInfo": {"operation": "WRITE", "userMetadata": json.dumps({"hop": "any", **hop})}}
    lake.write(f"{table}/_delta_log/{0:020d}.json", json.dumps(info).encode())


def fill(lake: Storage, *, bronze: int = 3, silver: int = 3, gold: tuple[str, ...] = GOLD) -> None:
    """A lake of three batches, of which layers have published so many, and gold tables that are up to date."""
    put_hop(lake, "ledger/movies", batch=3)
    for layer, batch in (("bronze", bronze), ("silver", silver)):
        lake.write(f"gates/movies/{layer}.json", json.dumps({"batch": batch, "tables": GATE}).encode())
    put_hop(lake, "silver/movies", run="second")
    for table in GOLD:
        read = {"id": "t-1", "version": 3, "run": "second" if table in gold else "first"}
        put_hop(lake, f"gold/{table}", inputs={"movies": read})
    put_record(lake, "bronze", "100000", (1_234_567, 1_234_567, 0, 2))
    put_record(lake, "silver", "100105", (1_234_567, 1_200_000, 34_567, 0), seconds=120.0)
    put_record(lake, "gold", "100300", (3, 9, 0, 0))


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    """The script's exit code and the lines that it prints."""
    monkeypatch.setattr(sys, "argv", ["status.py", *arguments])
    code = status.main()
    return code, [line.rstrip() for line in capsys.readouterr().out.splitlines() if line.strip()]


def test_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fill(FolderStorage(tmp_path))
    assert run(monkeypatch, capsys, "--lake", str(tmp_path)) == (
        0,
        [
            "movies: last runs",
            "began (UTC) layer  outcome     s        in       out rejected late USD",
            "11-01 10:03 gold   succeeded  61         3         9        0    0",
            "11-01 10:01 silver succeeded 120 1,234,567 1,200,000   34,567    0",
            "11-01 10:00 bronze succeeded  61 1,234,567 1,234,567        0    2",
            "published: bronze 3 of 3 batches, silver 3 of 3, gold 3 of 3 tables up to date",
        ],
    )


def test_layers_that_are_behind_and_a_failed_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = FolderStorage(tmp_path)
    fill(lake, bronze=2, silver=1, gold=GOLD[1:])
    put_hop(lake, "silver/movies", run="second", waiting=1_200)
    put_record(lake, "silver", "100400", (10, 0, 0, 0), outcome="failed", error="Unbalanced: 5 is not 6")
    code, lines = run(monkeypatch, capsys, "--lake", str(tmp_path))
    assert code == 1
    assert lines[2].startswith("11-01 10:04 silver failed ")
    assert lines[-2:] == [
        "published: bronze 2 of 3 batches, silver 1 of 2, gold 2 of 3 tables up to date; 1,200 records of movies wait",
        "error: movies silver failed: Unbalanced: 5 is not 6",
    ]


def test_undeclared_fields_of_all_runs_that_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name is whatever stood in a file."""
    lake = FolderStorage(tmp_path)
    fill(lake)
    for time, names in (("100010", ["sequel", "Länge"]), ("100020", ["a\n\x1b[31m[red]", "sequel"])):
        put_record(lake, "bronze", time, (1, 1, 0, 0), undeclared_fields={"bronze/movies": names})
    _, lines = run(monkeypatch, capsys, "--lake", str(tmp_path))
    told = "bronze/movies: fields that aren't declared, kept in _extra: 'Länge', 'a\\n\\x1b[31m[red]', 'sequel'"
    assert lines[-2] == told


def test_erasures_that_are_done_and_one_that_is_pending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = FolderStorage(tmp_path)
    fill(lake)
    rows = {"bronze/movies": 1_200, "silver/movies": 34, "quarantine/movies": 0}
    for day in range(1, 8):
        finished = {"finished_at": f"2026-11-{day:02}T10:05:59.5+00:00", "rows": rows, "rewritten": ["raw/1", "raw/2"]}
        lake.write(f"erasures/movies/records/202611{day:02}T100000Z-a.json", json.dumps(finished).encode())
    pending = {"begun": "2026-11-08T09:00:00+00:00", "rows": {"bronze/movies": 1}, "files": [{"key": "raw/1"}]}
    lake.write("erasures/movies/pending.json", json.dumps(pending).encode())
    code, lines = run(monkeypatch, capsys, "--lake", str(tmp_path))
    assert code == 0
    assert lines[5:-1] == [
        *(f"erasure of 2026-11-0{day} 10:05: 1,234 rows of 2 tables, 2 raw files" for day in range(3, 8)),
        "erasure begun 2026-11-08 09:00: 1 rows of 1 tables, 1 raw files; it isn't finished, and no run begins until "
        "`make erase PIPELINE=movies PERSON=...` of the same person has finished it",
    ]


def test_a_folder_of_landed_files_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = run(monkeypatch, capsys, "--lake", str(tmp_path))
    assert code == 1
    assert lines == [
        f"error: no runs in {tmp_path}: put files below raw/ there and run "
        f"`make run PIPELINE=name LAKE={tmp_path}` first"
    ]


def test_only_the_newest_runs_are_shown(tmp_path: Path) -> None:
    lake = FolderStorage(tmp_path)
    for number in range(20, 32):
        put_record(lake, "gold", f"1000{number}", (0, 0, 0, 0))
    shown = layer_runs.newest_records(lake, "movies", "gold", 3)
    assert [record["run_id"][-7:-1] for record in shown] == ["100029", "100030", "100031"]


def test_the_table_fits_a_terminal_of_80_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake = FolderStorage(tmp_path)
    put_record(lake, "silver", "100105", (1_234_567, 1_200_000, 34_567, 10))
    (record,) = layer_runs.newest_records(lake, "movies", "silver", 1)
    began = datetime(2026, 11, 1, 10, 1, tzinfo=UTC)
    row = layer_runs.LayerRun("silver", began, "succeeded", 3600.0, record, 12.3456)
    Console(width=80).print(layer_runs.runs_table("movies", [row]))
    assert capsys.readouterr().out.splitlines()[-1].split() == (
        ["11-01", "10:01", "silver", "succeeded", "3600", "1,234,567", "1,200,000", "34,567", "10", "12.3456"]
    )


class Glue:
    """Three jobs of which two have run, each once, and bronze a second time without a record as yet."""

    def get_job_runs(self, JobName: str, MaxResults: int = 200) -> dict[str, Any]:
        """Newest first, as Glue tells them."""
        layer = JobName.rpartition("-")[2]
        times = {"bronze": ["100500", "100000"], "silver": ["100105"], "gold": []}[layer]
        return {"JobRuns": [self.job_run(JobName, layer, time) for time in times][:MaxResults]}

    def job_run(self, job: str, layer: str, time: str) -> dict[str, Any]:
        """One run of a job."""
        return {
            "Id": f"jr_{layer}_{time}",
            "JobName": job,
            "JobRunState": "RUNNING" if time == "100500" else "FAILED" if layer == "silver" else "SUCCEEDED",
            "StartedOn": datetime(2026, 11, 1, int(time[:2]), int(time[2:4]), int(time[4:]), tzinfo=UTC),
            "ExecutionTime": 0 if time == "100500" else 40,
            "MaxCapacity": 3.0,
            "LogGroupName": f"/oakvale-dev/glue/movies-{layer}",
            "ErrorMessage": "Unbalanced",
            **({"DPUSeconds": 234.5} if layer == "silver" else {}),
        }


@pytest.mark.parametrize("environment", ["local", "dev"])
def test_an_environment(
    aws: Any, environment: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    lake = S3Storage("lake", aws)
    fill(lake)
    put_record(lake, "silver", "100105", (5, 4, 1, 0), outcome="failed")
    outputs = {
        "lake_bucket": "lake",
        "region": "eu-west-1",
        "workflows": {"movies": "oakvale-dev-movies"},
        "scheduled_workflows": {},
        "state_machines": {},
        "jobs": {f"movies-{layer}": f"oakvale-dev-movies-{layer}" for layer in deployment.LAYERS},
    }
    deployed = deployment.Deployment(environment, outputs)
    clients = {"s3": aws, "glue": Glue()}
    monkeypatch.setattr(deployment.Deployment, "client", lambda _, service: clients[service])
    monkeypatch.setattr(deployment, "connect", lambda _: deployed)
    code, lines = run(monkeypatch, capsys, "--environment", environment)
    if environment == "local":
        log = "group /oakvale-dev/glue/movies-{layer}/output, stream {stream}"
    else:
        console = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups"
        log = f"{console}/log-group/$252Foakvale-dev$252Fglue$252Fmovies-{{layer}}$252Foutput/log-events/{{stream}}"
    assert code == 1
    assert [re.sub(" +", " ", line) for line in lines[2:]] == [
        "11-01 10:05 bronze running 0 0.0000",
        "11-01 10:01 silver failed 61 5 4 1 0 0.0201",
        "11-01 10:00 bronze succeeded 61 1,234,567 1,234,567 0 2 0.0154",
        "published: bronze 3 of 3 batches, silver 3 of 3, gold 3 of 3 tables up to date",
        f"log of bronze: {log.format(layer='bronze', stream='jr_bronze_100500')}",
        f"log of silver: {log.format(layer='silver', stream='jr_silver_100105')}",
        "error: job oakvale-dev-movies-silver failed: Unbalanced",
        " log: group /oakvale-dev/glue/movies-silver/error, stream jr_silver_100105",
    ]


@pytest.mark.parametrize(
    ("job_run", "dpu_seconds"),
    [
        ({"ExecutionTime": 90, "MaxCapacity": 3.0}, 270),
        ({"ExecutionTime": 59, "MaxCapacity": 2.0}, 120),  # a minute is the least that AWS bills
        ({"ExecutionTime": 0, "MaxCapacity": 2.0}, 0),  # it never began
        ({"ExecutionTime": 90, "MaxCapacity": 3.0, "DPUSeconds": 151.5}, 151.5),
    ],
)
def test_cost_of_a_run(job_run: dict[str, float], dpu_seconds: float) -> None:
    assert glue_costs.usd(job_run) == pytest.approx(dpu_seconds / 3600 * 0.308)


def test_the_price_is_the_one_of_the_documentation() -> None:
    text = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert f"Glue 6.0 ${glue_costs.USD_PER_DPU_HOUR} per DPU-hour" in text


def test_a_log_without_a_group_of_its_own_is_in_glues() -> None:
    assert layer_runs.log_of({"Id": "jr_1_attempt_1"}, None) == "group /aws-glue/jobs/output, stream jr_1_attempt_1"
