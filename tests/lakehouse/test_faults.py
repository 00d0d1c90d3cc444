"""Bad days of S3: errors, silence, refusals, kills and zombies at its n-th request; after each the same content.

What passes is survived. What lasts ends the run after a bounded number of requests, and the next run heals. The suite
tries a few of each, chosen by a seed; `make test-crash` every request and every write, of a lake's first and later day.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

import query
from daily_lakes import objects
from tests.conftest import LAYERS, Lake
from tests.lakehouse import crashing_run, faulty_s3
from tests.lakehouse.conftest import FIRST, Stages
from tests.lakehouse.faulty_s3 import (
    CUT,
    INTERNAL_ERROR,
    LOST_ANSWER,
    NO_ANSWER,
    REFUSED,
    SLOW_DOWN,
    Fault,
    Plan,
    Request,
)
from tests.lakehouse.s3_lake import S3, as_folder, serving, variables

pytestmark = pytest.mark.usefixtures("interpreted")
WRITES = {
    ("first", "bronze"): 29,
    ("first", "silver"): 28,
    ("first", "gold"): 32,
    ("later", "bronze"): 19,
    ("later", "silver"): 14,
    ("later", "gold"): 17,
}
"""How many requests of a layer's run change its bucket: between two of them the bucket is the same. A test counts."""
SEED = 6
EVERY = {True: 10, False: 40}
"""Of so many requests one has a passing fault, among all cases or a few; as many tests, each with other requests, leave
none out."""
MOST = 200
"""Requests that a run may make after the first one that was refused: its retries, its end, its record."""
PASSING = {"slow down": SLOW_DOWN, "error": INTERNAL_ERROR, "cut": CUT, "lost answer": LOST_ANSWER}
LASTING = {"slow down": SLOW_DOWN, "error": INTERNAL_ERROR, "refused": REFUSED}
Place = tuple[str, str]


def is_write(request: Request) -> bool:
    """Whether a request changes the bucket; a lease's renewals depend on time, so they and it don't count."""
    return request.method in ("PUT", "DELETE") and not (request.method == "PUT" and "/leases/" in request.key)


def at_write(
    number: int, fault: Fault | None, also: Callable[[], None] | None = None, *, lasting: bool = False
) -> Plan:
    """Answers the n-th write so; `also` is done before that. `lasting`: and all that follows, also reads."""
    writes = 0

    def plan(_: int, request: Request) -> Fault | None:
        nonlocal writes
        begun = writes >= number
        writes += is_write(request)
        if not begun and writes == number and is_write(request):
            if also:
                also()
            return fault
        return fault if begun and lasting else None

    return plan


def every(count: int, rest: int, fault: Fault) -> Plan:
    """One of `count` requests has the fault, once."""
    return lambda number, _: fault if number % count == rest else None


@dataclass
class BadDays:
    """Lakes in buckets at every stage of two days, to be disturbed, and what must become of them."""

    s3: S3
    stages: Stages

    def lake(self, place: Place) -> str:
        """A new bucket as the lake is before a layer."""
        return self.s3.bucket(objects(self.stages.lakes[place], "raw"))

    def raw(self, when: str) -> str:
        """A day's files, which stay the same objects for all runs."""
        day = FIRST + timedelta(days=("first", "later").index(when))
        found = objects(self.stages.lakes[when, "bronze"] / "raw" / f"movies/{day:%Y/%m/%d}")
        return self.s3.kept(f"raw-{when}", {f"raw/movies/{day:%Y/%m/%d}/{key}": body for key, body in found.items()})

    def run(self, lake: str, place: Place, plan: Plan = faulty_s3.undisturbed) -> dict[str, Any]:
        """Runs the layer on a bad or a good day."""
        raw = self.raw(place[0])
        self.s3.proxy.follow(plan)
        return self.s3.run(lake, raw, place[1])

    def start(self, lake: str, place: Place, folder: Path) -> subprocess.Popen[str]:
        """Starts the layer in a process of its own, as the laptop cloud does for Glue."""
        raw = f"s3://{self.raw(place[0])}"
        return crashing_run.start(f"s3://{lake}", raw, place[1], variables=variables(self.s3, folder))

    def check(self, lake: str, place: Place, folder: Path) -> None:
        """The lake must be what an undisturbed run makes of it in a folder: its rows, and what is published."""
        actual = Lake(as_folder(self.s3.objects(lake), folder / "actual"), self.s3.spark)
        following = {"bronze": "silver", "silver": "gold", "gold": "done"}[place[1]]
        expected = Lake(self.stages.lakes[place[0], following], self.s3.spark)
        assert rows(actual) == rows(expected)
        assert published(actual) == published(expected)
        assert not (actual.root / "leases").exists()


def rows(lake: Lake) -> dict[str, list[str]]:
    """All rows of all tables, but for what a place of raw files says of them."""
    return lake.content(*query.LAYERS, without=("etag", "modified_at", "found_at", "_ingested_at"))


def published(lake: Lake) -> dict[str, tuple[int, list[str]]]:
    """The batch of each gate, and the tables that it lets through."""
    gates = {layer: gate for layer in LAYERS if (gate := lake.gate(layer))}
    return {layer: (gate["batch"], sorted(gate["tables"])) for layer, gate in gates.items()}


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Iterator[S3]:
    """The laptop cloud's S3, reached through the proxy."""
    with serving(tmp_path_factory.mktemp("cloud"), spark) as s3:
        yield s3


@pytest.fixture
def days(s3: S3, stages: Stages) -> BadDays:
    """The lakes to be disturbed."""
    return BadDays(s3, stages)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives each test all of its cases, or a few."""
    names, chance = metafunc.fixturenames, random.Random(SEED)
    whole = metafunc.config.getoption("every_kill")
    every_write = [(*place, number + 1) for place, count in WRITES.items() for number in range(count)]
    sample = [(chance.choice(("first", "later")), layer) for layer in LAYERS]
    if "rest" in names:
        kinds = list(PASSING)
        cases = [(*place, kind, rest) for place in WRITES for kind in kinds for rest in range(EVERY[whole])]
        few = [
            (*place, kind, chance.randrange(EVERY[whole]))
            for place, kind in zip(sample, chance.sample(kinds, 3), strict=True)
        ]
        metafunc.parametrize(("when", "layer", "kind", "rest"), cases if whole else few)
    elif "kind" in names:
        kinds = list(LASTING)
        cases = [(*case, kinds[index % len(kinds)]) for index, case in enumerate(every_write)]
        few = [(*place, chance.randint(1, WRITES[place]), kind) for place, kind in zip(sample, kinds, strict=True)]
        metafunc.parametrize(("when", "layer", "number", "kind"), cases if whole else few)
    elif "number" in names:
        metafunc.parametrize(("when", "layer", "number"), every_write if whole else chance.sample(every_write, 1))


def test_survives_what_passes(
    when: str, layer: str, kind: str, rest: int, days: BadDays, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    lake, count = days.lake((when, layer)), EVERY[request.config.getoption("every_kill")]
    record = days.run(lake, (when, layer), every(count, rest, PASSING[kind]))
    assert record["outcome"] == "succeeded"
    proxy = days.s3.proxy
    assert len(proxy.faults) == len(range(rest or count, proxy.count + 1, count)) > 3
    assert sum(map(is_write, proxy.served)) == WRITES[when, layer]
    days.check(lake, (when, layer), tmp_path)


def test_heals_after_a_fault_that_lasts(
    when: str, layer: str, number: int, kind: str, days: BadDays, tmp_path: Path
) -> None:
    lake = days.lake((when, layer))
    fault = LASTING[kind]
    with pytest.raises(Exception, match=rf"{fault.code}|Status Code: {fault.status}"):
        days.run(lake, (when, layer), at_write(number, fault, lasting=True))
    assert len(days.s3.proxy.faults) <= MOST
    expire_lease(days.s3, lake, layer)
    days.run(lake, (when, layer))
    days.check(lake, (when, layer), tmp_path)


def expire_lease(s3: S3, lake: str, layer: str) -> None:
    """Lets the time of a lease pass, if there is one: its holder couldn't give it back."""
    name = f"leases/movies/{layer}.json"
    if found := s3.objects(lake).get(name):
        s3.client.put_object(Bucket=lake, Key=name, Body=json.dumps({**json.loads(found), "expires_at": 0}))


def test_heals_after_a_kill(when: str, layer: str, number: int, days: BadDays, tmp_path: Path) -> None:
    lake = days.lake((when, layer))
    run = days.start(lake, (when, layer), tmp_path)
    days.s3.proxy.follow(at_write(number, CUT, lambda: os.killpg(run.pid, signal.SIGKILL)))
    errors = crashing_run.wait(run)
    assert run.returncode == -signal.SIGKILL, errors
    days.run(lake, (when, layer))
    days.check(lake, (when, layer), tmp_path)


def test_a_run_that_comes_back_after_its_lease_is_refused(days: BadDays, tmp_path: Path) -> None:
    place = ("later", "silver")
    lake = days.lake(place)
    zombie = days.start(lake, place, tmp_path)
    requests = days.s3.proxy

    def freeze() -> None:
        os.killpg(zombie.pid, signal.SIGSTOP)
        expire_lease(days.s3, lake, place[1])
        assert days.run(lake, place)["outcome"] == "succeeded"
        os.killpg(zombie.pid, signal.SIGCONT)

    requests.follow(at_write(1, None, freeze))
    errors = crashing_run.wait(zombie)
    assert zombie.returncode == 1
    assert re.search("SkippedCommit|LeaseError|ConcurrentTransactionException", errors), errors
    days.check(lake, place, tmp_path)


def test_a_request_without_an_answer_is_repeated(days: BadDays, tmp_path: Path) -> None:
    place, silent = ("later", "gold"), []
    lake = days.lake(place)

    def plan(_: int, request: Request) -> Fault | None:
        part = next((part for part in ("leases/movies/gold.json", "_delta_log/0") if part in request.key), "")
        if request.method != "PUT" or not part or part in silent:
            return None
        silent.append(part)
        return NO_ANSWER

    with days.s3.impatient(seconds=3):
        assert days.run(lake, place, plan)["outcome"] == "succeeded"
    assert silent == ["leases/movies/gold.json", "_delta_log/0"]
    days.check(lake, place, tmp_path)
