"""`make readmit`: silver's job tries the rejects, then gold's job runs; on a folder the same two layers."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import deployment
import run
import run_pipeline
import run_report
import workflow_runs


class Glue:
    """Jobs whose runs end in a state of the test's choice, after having run for a moment."""

    def __init__(self, **ends: str) -> None:
        self.ends, self.started = ends, list[tuple[str, dict[str, str]]]()
        self.states = iter(())

    def start_job_run(self, JobName: str, Arguments: dict[str, str]) -> dict[str, str]:
        self.started.append((JobName, Arguments))
        self.states = iter(("STARTING", "RUNNING", "RUNNING", self.ends[JobName]))
        return {"JobRunId": f"jr_{JobName}"}

    def get_job_run(self, JobName: str, RunId: str) -> dict[str, Any]:
        ended = {"Id": RunId, "JobName": JobName, "JobRunState": next(self.states), "ErrorMessage": "no film"}
        return {"JobRun": ended}


def readmitted(monkeypatch: pytest.MonkeyPatch, glue: Glue) -> int:
    """The exit code of the script in an environment with these jobs and the run records that they have written."""
    records = {
        layer: [{"job_run_id": f"jr_{layer}", "layer": layer}, {"job_run_id": "x"}] for layer in ("silver", "gold")
    }
    deployed = SimpleNamespace(
        client=lambda service: glue,
        named=lambda kind, name: name.removeprefix("movies-"),
        run_records=lambda pipeline, layer: records.get(layer, []),
    )
    monkeypatch.setattr(deployment, "connect", lambda environment: deployed)
    monkeypatch.setattr(workflow_runs, "POLL_SECONDS", 0)
    monkeypatch.setattr(run_report, "show", lambda console, record: console.print(f"record of {record['layer']}"))
    monkeypatch.setattr(sys, "argv", ["run_pipeline.py", "--readmit", "--environment", "dev", "--pipeline", "movies"])
    return run_pipeline.main()


def test_silver_is_told_to_readmit_and_gold_follows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    glue = Glue(silver="SUCCEEDED", gold="SUCCEEDED")
    assert readmitted(monkeypatch, glue) == 0
    assert glue.started == [("silver", {"--mode": "readmit"}), ("gold", {})]
    lines = [f"  {layer} {state}" for layer in ("silver", "gold") for state in ("starting", "running", "succeeded")]
    assert capsys.readouterr().out.splitlines() == [*lines, "record of silver", "record of gold"]


def test_gold_does_not_follow_a_silver_that_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    glue = Glue(silver="FAILED")
    assert readmitted(monkeypatch, glue) == 1
    assert [job for job, _ in glue.started] == ["silver"]
    assert "error: job silver failed: no film" in capsys.readouterr().out


def test_a_job_that_takes_too_long_is_followed_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow_runs, "POLL_SECONDS", 0)
    with pytest.raises(
        workflow_runs.WorkflowFailedError, match="job silver still runs after -1 s; its run is jr_silver"
    ):
        workflow_runs.run_job(Glue(silver="RUNNING"), "silver", {}, -1, lambda line: None)


def test_a_folder_runs_the_same_two_layers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    ran: list[tuple[Any, ...]] = []
    monkeypatch.setattr(run, "prepare_spark", lambda *, large: None)
    monkeypatch.setattr(run, "run_layer", lambda *arguments: ran.append(arguments))
    monkeypatch.setattr(run_report, "show", lambda console, record: None)
    monkeypatch.setattr(sys, "argv", ["run.py", "--readmit", "--lake", str(tmp_path), "--pipeline", "movies"])
    assert run.main() == 0
    assert [(layer, *more) for _, layer, _, _, *more in ran] == [("silver", "--mode", "readmit"), ("gold",)]
