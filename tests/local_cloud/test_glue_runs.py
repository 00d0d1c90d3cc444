"""The end of Glue runs when someone interferes: run in this process, with MiniStack's own store of jobs and runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.services import glue

from local_cloud import glue_attempt, glue_events, glue_job_definitions, glue_jobs, glue_runs
from local_cloud.glue_process import Ending
from tests.local_cloud.glue_resources import wait_for

JOB = "interfered"


@pytest.fixture
def final(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """The runs that have ended so far."""
    ended: list[dict[str, Any]] = []
    monkeypatch.setattr(glue_runs, "ON_FINAL", [ended.append])
    monkeypatch.setattr(glue_events, "put_state_change", lambda run: None)
    yield ended
    glue._jobs.clear()
    glue._job_runs.clear()
    glue._tags.clear()


def make_job(**settings: Any) -> None:
    """Makes the job."""
    glue_job_definitions.create_job({"Name": JOB, "GlueVersion": "5.0", **settings})


@pytest.mark.parametrize("stopped", [True, False])
def test_a_run_that_fails_while_it_is_stopped_is_not_tried_again(
    final: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def fail(*_: Any, **__: Any) -> Ending:
        begun.set()
        go_on.wait(20)
        return Ending("FAILED", "no such film")

    monkeypatch.setattr(glue_attempt, "attempt", fail)
    make_job(MaxRetries=1)
    run = glue_jobs.start_run(JOB)
    assert begun.wait(20)
    if stopped:
        glue_runs.stop(run)
    go_on.set()
    wait_for("the end of the first attempt", lambda: run in final)
    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", "no such film")
    retries = [other for other in glue._job_runs[JOB] if other.get("PreviousRunId") == run["Id"]]
    assert (retries == []) is stopped
    wait_for("the end of all attempts", lambda: len(final) == len(glue._job_runs[JOB]))


@pytest.mark.parametrize("made_anew", [False, True])
def test_a_run_that_waits_ends_when_its_job_is_deleted(
    final: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, made_anew: bool
) -> None:
    go_on = threading.Event()

    def fail(*_: Any, **__: Any) -> Ending:
        go_on.wait(20)
        return Ending("FAILED", "no such film")

    monkeypatch.setattr(glue_attempt, "attempt", fail)
    make_job(JobRunQueuingEnabled=True, MaxRetries=1)
    first, second = glue_jobs.start_run(JOB), glue_jobs.start_run(JOB)
    assert second["JobRunState"] == "WAITING"
    glue_jobs._delete_job({"JobName": JOB})
    if made_anew:
        make_job()
    wait_for("the end of the run that waits", lambda: second in final, seconds=10)
    message = f"Job {JOB} was deleted while the run waited for its turn"
    assert (second["JobRunState"], second["ErrorMessage"]) == ("STOPPED", message)
    # The one that runs goes on to its end, and there is no job to try again.
    assert final == [second]
    go_on.set()
    wait_for("the end of the run that runs", lambda: first in final)
    assert glue._job_runs.get(JOB, []) == []
