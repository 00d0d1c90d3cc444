"""The sample dataset of CSV files, run as if its two files lay beside movies."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse import job, reader
from tests.conftest import Lake
from tests.pipelines.parcels import parcels

DECLARATION = Path(parcels.__file__).with_suffix(".yaml")


def run(lake: Lake, *layers: str) -> None:
    """Runs layers of the dataset on what has landed below raw/parcels."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(job, "find_declaration", lambda _: reader.read(DECLARATION))
        lake.run(*layers, script=parcels, pipeline="parcels")
