"""Every case of every pipeline: its raw files become the rows that are written beside them, and no others."""

from __future__ import annotations

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
    raw = case.folder / "raw"
    for number, file in enumerate(sorted(path for path in raw.rglob("*") if path.is_file())):
        lake.land(file.relative_to(raw).as_posix(), file.read_bytes(), at=1_790_000_000 + number)
    with datasets.pipeline(case.pipeline) as script:
        lake.run(script=script, pipeline=case.pipeline)
    assert datasets.differences(case, lake.root) == {}
