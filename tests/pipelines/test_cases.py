"""Every case of every pipeline: its raw files become the rows that are written beside them, and no others."""

from __future__ import annotations

import itertools

import pytest

from tests.conftest import Lake
from tests.pipelines import datasets

pytestmark = pytest.mark.usefixtures("interpreted")
CASES = datasets.find_cases()


def test_every_pipeline_has_a_case() -> None:
    pipelines = {path.stem for path in datasets.PIPELINES.glob("[a-z]*.yaml")}
    assert pipelines - {case.pipeline for case in CASES} == set()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: datasets.Case, lake: Lake) -> None:
    times = itertools.count(1_790_000_000)
    with datasets.pipeline(case.pipeline) as script:
        for files in case.landings():
            for key, content in files:
                lake.land(key, content, at=next(times))
            lake.run(script=script, pipeline=case.pipeline)
    assert datasets.differences(case, lake.root) == {}
