"""What runs of Glue jobs cost, from their DPU-seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

USD_PER_DPU_HOUR = 0.308
"""Glue 6.0 in us-east-1; docs/deploy.md reckons with it too."""
LEAST_SECONDS = 60


def usd(job_run: Mapping[str, Any]) -> float:
    """The price of a run: by Glue's own count where it gives one, else for all workers, a minute at least."""
    if "DPUSeconds" in job_run:
        seconds = job_run["DPUSeconds"]
    elif job_run["ExecutionTime"]:
        seconds = job_run["MaxCapacity"] * max(job_run["ExecutionTime"], LEAST_SECONDS)
    else:
        seconds = 0.0  # it never began
    return float(seconds * USD_PER_DPU_HOUR / 3600)
