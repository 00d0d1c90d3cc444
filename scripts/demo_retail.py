"""retail in the demonstration: a state machine that landed files start, and products that come after their items."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import deployment
import executions
import generate_retail
import progress
import run_pipeline
import workflow_runs

STEPS = 4
DAYS = 3
START_SECONDS, RUN_SECONDS = 120.0, 900.0
LATE = ("products",)
"""Kinds of files that land when a run is under way already."""
QUERIES = {
    "Sales by department": (
        "SELECT department, sum(items) AS items, sum(revenue) AS revenue FROM sales_by_day_and_department "
        "GROUP BY department ORDER BY revenue DESC"
    ),
    "Products (the five that are ordered most)": (
        "SELECT product_name, department, units, reorder_rate, mean_cart_position FROM product_performance "
        "ORDER BY units DESC, product_id LIMIT 5"
    ),
    "Orders by day, and how many are complete": "SELECT * FROM order_checks_by_day ORDER BY date",
    "What happened to each file of retail": (
        'SELECT batch, key, outcome, records FROM "{bronze}".retail_files ORDER BY batch, key'
    ),
}


def run(steps: progress.Steps, deployed: deployment.Deployment, folder: Path) -> None:
    """Lands items and orders, then products while a run is under way; the run after it starts by itself."""
    states, machine = deployed.client("stepfunctions"), deployed.named("state_machines", "retail")
    days = [generate_retail.generate(generate_retail.FIRST_DAY + timedelta(days=n), _shop()) for n in range(DAYS)]
    found = {key: body for day in days for key, body in day.items()}
    late = {key: body for key, body in found.items() if key.split("/")[1] in LATE}
    known = executions.names(states, machine)
    steps.run(
        f"{DAYS} days of orders and items land, before their products",
        lambda: land(steps, deployed, {key: body for key, body in found.items() if key not in late}),
    )
    first = steps.run(
        "a queue gathers the events, a function starts the state machine",
        lambda: executions.await_start(states, machine, known, START_SECONDS),
    )

    def lands_late(line: str) -> None:
        steps.note(line)
        if line.endswith("Silver") and late:
            land(steps, deployed, late)
            late.clear()

    runs, following = steps.run(
        "Step Functions runs the jobs; the products land meanwhile",
        lambda: executions.follow(states, machine, first, RUN_SECONDS, lands_late),
    )
    if following is None:
        raise workflow_runs.WorkflowFailedError(f"no run follows {first}, though products have landed meanwhile")
    runs += steps.run(
        "the run looks again at its end, so the next admits what has waited",
        lambda: executions.follow_all(states, machine, following, RUN_SECONDS, steps.note),
    )
    run_pipeline.show_records(steps.console, deployed, "retail", runs)


def land(steps: progress.Steps, deployed: deployment.Deployment, files: dict[str, bytes]) -> None:
    """Puts files into the raw bucket."""
    s3 = deployed.client("s3")
    for key, body in files.items():
        s3.put_object(Bucket=deployed.outputs["raw_bucket"], Key=f"raw/{key}", Body=body)
        steps.note(f"raw/{key}")


def _shop() -> generate_retail.Settings:
    return generate_retail.Settings(seed=3, orders=200, products=30, customers=80, dirt=0)
