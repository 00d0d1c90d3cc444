"""What `make quarantine` shows of a lake: open rejects by check, their values made harmless, and what to do next."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import deltalake
import duckdb
import pytest

import athena_client
import deployment
import quarantine
from lakehouse.reader import read
from query import Result

ROOT = Path(__file__).resolve().parents[2]
FIELDS = read(quarantine.PIPELINES / "movies.yaml").bronze["movies"].fields
# Record, film, genre, title, batch, original, rules; all else is null.
REJECTS = [
    ("r1", "m1", "Opera", "One", 1, None, ["genre_invalid"]),
    ("r2", "m2", "\x1b[31mOp\nera", "Two", 2, None, ["genre_invalid"]),
    ("r3", "m3", "Opera", None, 2, None, ["title_missing", "genre_invalid"]),
    ("r4", None, None, None, 3, "x" * 100, ["malformed_record"]),
    ("r5", "m5", "Opera", "Five", 3, None, ["genre_invalid"]),
    ("r6", "m6", "Opera", "Six", 3, None, ["genre_invalid"]),
    ("r7", "m7", "Opera", "Seven", 3, None, ["genre_invalid"]),
]
# Record, attempt, status, rules.
EVENTS = [
    ("r1", 1, "rejected", ["genre_invalid"]),
    ("r1", 2, "readmitted", []),
    ("r3", 1, "rejected", ["title_missing"]),
    ("r4", 1, "rejected", ["malformed_record"]),
    ("r7", 1, "readmitted", []),
]


def write_quarantine(folder: Path, rejects: list[Any], events: list[Any]) -> Path:
    """A lake with a quarantine, written without Spark."""
    connection = duckdb.connect()
    connection.execute(
        "create table rejects (_record_id varchar, movie_id varchar, genre varchar, title varchar, _batch bigint, "
        "_original varchar, _rules varchar[])"
    )
    connection.execute("create table events (_record_id varchar, attempt bigint, status varchar, _rules varchar[])")
    for table, rows in (("rejects", rejects), ("events", events)):
        for row in rows:
            connection.execute(f"insert into {table} values ({', '.join('?' * len(row))})", row)
    others = "".join(f", null::varchar as {name}" for name in FIELDS if name not in ("movie_id", "genre", "title"))
    file = "'movies/' || _batch || '.jsonl' as _file"
    found = connection.sql(f"select *, {file}{others} from rejects")
    deltalake.write_deltalake(str(folder / "quarantine/movies"), found)
    deltalake.write_deltalake(str(folder / "quarantine_events/movies"), connection.sql("from events"))
    return folder


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake in which two rejects are closed, one by its second try."""
    return write_quarantine(tmp_path_factory.mktemp("the lake's"), REJECTS, EVENTS)


def run_script(lake: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script as `make quarantine` runs it, into a pipe."""
    command = [sys.executable, str(ROOT / "scripts/quarantine.py"), "--lake", str(lake), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def cells(line: str) -> list[str]:
    """The cells of a drawn table's row."""
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_open_rejects_are_shown_by_the_check_that_they_fail_now(lake: Path) -> None:
    answer = run_script(lake, "--pipeline", "movies")
    assert (answer.returncode, answer.stderr) == (0, "")
    lines = answer.stdout.splitlines()
    assert lines[0].strip() == "silver/movies: open rejects"
    assert [cells(line) for line in lines if line.startswith("│")] == [
        ["genre_invalid", "3", "3", "r5", "movies/3.jsonl", "movie_id=m5, genre=Opera"],
        ["", "", "", "r6", "movies/3.jsonl", "movie_id=m6, genre=Opera"],
        ["", "", "", "r2", "movies/2.jsonl", "movie_id=m2, genre=[31mOp era"],
        ["malformed_record", "1", "3", "r4", "movies/3.jsonl", f"_original={'x' * 60}..."],
        ["title_missing", "1", "2", "r3", "movies/2.jsonl", "movie_id=m3, title=NULL"],
    ]
    assert f"make readmit PIPELINE=movies LAKE={shlex.quote(str(lake))}" in answer.stdout
    assert "\x1b" not in answer.stdout


def test_nothing_open_says_so(tmp_path: Path) -> None:
    answer = run_script(write_quarantine(tmp_path, REJECTS[:1], EVENTS), "--pipeline", "movies")
    assert (answer.returncode, answer.stdout) == (0, "silver/movies: no open rejects\n")


def test_a_folder_without_tables_says_what_to_run(tmp_path: Path) -> None:
    answer = run_script(tmp_path, "--pipeline", "movies")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith(f"error: no tables in {tmp_path}: ")


def test_the_values_shown_are_those_that_a_check_looks_at() -> None:
    pipeline = read(quarantine.PIPELINES / "movies.yaml")
    declared, source = pipeline.silver["movies"], pipeline.bronze["movies"]
    told = {
        rule: quarantine.telling_fields(rule, declared, source)
        for rule in ("genre_invalid", "runtime_in_range", "malformed_record", "a_rule_that_is_gone")
    }
    assert told == {
        "genre_invalid": ["movie_id", "genre"],
        "runtime_in_range": ["movie_id", "runtime_minutes"],
        "malformed_record": ["_original"],
        "a_rule_that_is_gone": ["movie_id"],
    }


def test_of_a_record_that_waits_the_key_that_it_waits_for_is_shown() -> None:
    pipeline = read(quarantine.PIPELINES / "retail.yaml")
    declared, source = pipeline.silver["order_items"], pipeline.bronze["order_items"]
    assert quarantine.telling_fields("waits_for_products", declared, source) == ["id", "product_id"]
    assert quarantine.telling_fields("waits_for_orders", declared, source) == ["id", "order_id"]


def test_a_deployed_environment_is_asked_through_its_athena(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[Any, ...]] = []
    columns = ["rule", "_batch", "_record_id", "_file", "_original", *FIELDS, "place", "records", "newest_batch"]
    row = ("genre_invalid", "2", "r2", "movies/2.jsonl", None, *(None for _ in FIELDS), "1", "1200", "2")
    outputs = {"workgroup": "oakvale-dev", "databases": {"silver": "oakvale_dev_silver"}}
    deployed = SimpleNamespace(
        outputs=outputs, client=lambda service: service, named=lambda kind, name: name, orchestrator=str
    )
    monkeypatch.setattr(deployment, "connect", lambda environment: deployed)
    answer = Result(columns, ["VARCHAR"] * len(columns), [row])
    monkeypatch.setattr(athena_client, "query", lambda *arguments: asked.append(arguments) or answer)
    monkeypatch.setattr(sys, "argv", ["quarantine.py", "--environment", "dev", "--pipeline", "movies"])
    assert quarantine.main() == 0
    assert [arguments[:3] for arguments in asked] == [("athena", "oakvale-dev", "oakvale_dev_silver")]
    shown = capsys.readouterr().out
    assert ["genre_invalid", "1,200", "2", "r2"] in [cells(line)[:4] for line in shown.splitlines()]
    assert "make apply ENV=dev, then: make readmit PIPELINE=movies ENV=dev" in shown
