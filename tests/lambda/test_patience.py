"""Every client of a function gives up before the function's own time is over."""

from __future__ import annotations

from typing import Any

import pytest

import generate_movies
import record_failed_run
import start_runs

LEAST_SECONDS = 60
"""The shortest time-out that a function has in terraform/main.tf."""


@pytest.mark.parametrize(
    "client",
    [
        *(generate_movies._s3, record_failed_run._glue, record_failed_run._s3, start_runs._states, start_runs._sns),
        lambda: start_runs._store().s3,
    ],
)
def test_clients_give_up_in_time(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("PIPELINE", "retail")
    monkeypatch.setenv("LAKE_BUCKET", "lake")
    config = client().meta.config
    attempts = config.retries["total_max_attempts"]
    assert attempts * (config.connect_timeout + config.read_timeout) < LEAST_SECONDS
    for module in (generate_movies, record_failed_run, start_runs):
        for name in ("_s3", "_glue", "_states", "_sns", "_store"):
            getattr(getattr(module, name, None), "cache_clear", lambda: None)()
