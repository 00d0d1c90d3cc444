"""retail through S3 events, a queue, a function and a state machine, under enforced IAM: whatever comes when."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console

import athena_client
import erase
import executions
from query import connect
from tests.cloud.conftest import LAYERS, RUN_SECONDS, Deployed
from tests.cloud.failures import Mailbox, without
from tests.cloud.retail import ORDERS, PERSON, PERSONS_FILES, Shop, files, told, versions_of, without_person
from tests.cloud.rights import needless
from tests.pipelines.test_retail import GOLD, SILVER, differences
from tests.traces import traces

# The fixture's fifteen days are four runs of four jobs.
pytestmark = pytest.mark.timeout(1500)
BAD = "raw/retail/orders/bad.csv"
UNKNOWN = "raw/retail/customers/1 + é.csv"
SAME: dict[str, tuple[list[str], list[str]]] = {table: ([], []) for table in (*SILVER, *GOLD)}
STEPS = ["Begin", "Bronze", "Silver", "Gold", "Archive", "TellOfSuccess", "LookAgain", "Succeeded"]


@pytest.fixture
def alerts(deployed: Deployed) -> Iterator[Mailbox]:
    """What the topic of alerts says during one test."""
    opened = Mailbox(deployed)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shop(deployed: Deployed) -> Shop:
    """The pipeline before and after fifteen days."""
    return Shop(deployed)


@pytest.fixture(scope="module")
def fifteen_days(shop: Shop) -> Shop:
    """Twenty files with ten events each from four threads, then one at each state of the run, then the others."""
    runs, alerts = Mailbox(shop.deployed, "runs"), Mailbox(shop.deployed)
    try:
        landing = list(files().items())
        # The first day's products and orders come a week after their items, and more.
        late = [landing.pop(0), landing.pop(0)]
        random.Random(5).shuffle(landing)
        landing += [(key, text.encode()) for key, text in PERSONS_FILES.items()]
        landing += [*late, (BAD, b"\x1f\x8b no gzip"), (UNKNOWN, b"id\n1\n")]
        landing.append((landing[0][0].replace("é", "again"), landing[0][1]))
        events = landing[:20] * 10
        random.Random(6).shuffle(events)
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda part: [shop.land(*each) for each in events[part::4]], range(4)))
        states, machine = shop.states, shop.machine
        first = executions.await_start(states, machine, [], 60)
        rest = landing[20:]
        assert shop.watch(first, lambda step: shop.land(*rest.pop(0))) == "SUCCEEDED"
        second = executions.await_start(states, machine, [first], 60)
        while rest:
            shop.land(*rest.pop(0))
        shop.await_rest()
        assert shop.steps(first) == shop.steps(second) == STEPS
        beginning = f"The run {first} of retail has succeeded. Seconds of its jobs: bronze "
        assert told(runs, beginning).count(", ") == 3
        assert told(alerts, "No table of retail takes these files").splitlines()[1] == f"  s3://{shop.raw}/{UNKNOWN}"
    finally:
        runs.close()
        alerts.close()
    return shop


@pytest.fixture(scope="module")
def copy(fifteen_days: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The raw files and the lake as files of this machine."""
    return fifteen_days.deployed.download(tmp_path_factory.mktemp("copy"))


def test_every_file_is_in_bronze_once_and_archived(fifteen_days: Shop, copy: Path) -> None:
    found = connect(copy).execute("SELECT key, outcome, count(*) FROM oakvale_bronze.retail_files GROUP BY ALL")
    outcomes = {key: (outcome, number) for key, outcome, number in found.fetchall()}
    raw = fifteen_days.deployed.objects("raw", "raw/retail/")
    assert len(raw) == 51
    assert set(outcomes) == set(raw) - {UNKNOWN}
    assert outcomes.pop(BAD)[0] != "read"
    assert set(outcomes.values()) == {("read", 1)}
    archived = fifteen_days.deployed.objects("raw", "archive/retail/")
    same = {key: (raw[key]["ETag"], raw[key]["Size"]) for key in outcomes}
    assert {key.replace("archive/", "raw/", 1): (each["ETag"], each["Size"]) for key, each in archived.items()} == same


def differences_from_raw(copy: Path) -> dict[str, tuple[list[str], list[str]]]:
    """What the tables of a copy have more, or less, than its raw files say."""
    (copy / BAD).unlink()
    # A row's time is that of its file when the ledger has seen it first.
    seen = connect(copy).execute("SELECT key, modified_at FROM oakvale_bronze.retail_files").fetchall()
    for key, modified in seen:
        since = modified.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        if key != BAD:
            os.utime(copy / key, ns=(since // timedelta(microseconds=1) * 1000,) * 2)
    return differences(copy)


def test_every_table_equals_the_oracle(copy: Path) -> None:
    assert differences_from_raw(copy) == SAME


def test_every_run_balanced_and_one_went_on_at_a_time(fifteen_days: Shop) -> None:
    records = [record for layer in LAYERS for record in fifteen_days.deployed.lake.run_records("retail", layer)]
    assert {record["outcome"] for record in records} <= {"succeeded", "idle"}
    assert sum(record["files"].get("read", 0) for record in records) == 49
    times = [
        (each["StartedOn"], each["CompletedOn"]) for run in fifteen_days.runs() for each in fifteen_days.job_runs(run)
    ]
    assert len(times) >= 8
    assert all(ended <= begun for (_, ended), (begun, _) in pairwise(sorted(times)))


def test_a_run_without_news_commits_nothing(fifteen_days: Shop) -> None:
    def tables() -> set[str]:
        kept = fifteen_days.deployed.objects("lake")
        return {key for key in kept if not key.startswith(("runs/", "arrivals/", "leases/"))}

    before = tables()
    run = fifteen_days.ask()
    assert fifteen_days.watch(run, lambda step: None) == "SUCCEEDED"
    assert tables() == before


def test_a_job_that_fails_is_tried_once_more_and_then_told_of(fifteen_days: Shop, alerts: Mailbox) -> None:
    shop, before = fifteen_days, list(fifteen_days.deployed.lake.run_records("retail", "silver"))
    late = "raw/retail/products/late.csv"
    with ExitStack() as missing:
        missing.enter_context(without(shop.deployed, "retail-silver", "ReadGateBefore"))

        def at_step(step: str) -> None:
            if step == "Silver":
                shop.land(late, b"product_id,department_id,department,product_name\n77001,1,produce,Leeks\n")
            if step == "SilverFailed":
                missing.close()

        run = shop.ask()
        known = shop.runs()
        assert shop.watch(run, at_step) == "FAILED"
    failing = ["SilverFailed", "RecordFailure", "TellOfFailure", "LookAgainAfterFailure", "Failed"]
    assert shop.steps(run) == ["Begin", "Bronze", "Silver", *failing]
    attempts = shop.job_runs(run)
    assert [(each["JobName"], each["JobRunState"]) for each in attempts] == [
        ("oakvale-local-retail-bronze", "SUCCEEDED"),
        ("oakvale-local-retail-silver", "FAILED"),
        ("oakvale-local-retail-silver", "FAILED"),
    ]
    assert attempts[1]["CompletedOn"] <= attempts[2]["StartedOn"]
    message = told(alerts, f"The run {run} of retail failed in its step silver.").splitlines()
    assert message[1].startswith("Reason: FAILED: ")
    assert "gates/retail/bronze.json" in message[1]
    assert message[2] == (
        "Its log is in CloudWatch, in the log group /oakvale-local/glue/retail-silver/error, in the stream "
        f"{attempts[2]['Id']}."
    )
    # What landed meanwhile has its run, which takes up where that one ended.
    following = executions.await_start(shop.states, shop.machine, known, 60)
    assert shop.watch(following, lambda step: None) == "SUCCEEDED"
    records = list(shop.deployed.lake.run_records("retail", "silver"))[len(before) :]
    # Each attempt's own, none beside it.
    assert [record["outcome"] for record in records] == ["failed", "failed", "succeeded"]
    archived = shop.deployed.objects("raw", "archive/retail/products/")
    assert late.replace("raw/", "archive/", 1) in archived
    shop.await_rest()


@pytest.mark.parametrize(
    ("step", "role", "statement", "missed"),
    [
        ("Gold", "retail-gold", "ReadGateBefore", "gates/retail/silver.json"),
        ("Archive", "retail-bronze", "NoteWhatIsArchived", "archives/retail.json"),
    ],
)
def test_a_later_job_that_fails_ends_the_run_too(
    fifteen_days: Shop, alerts: Mailbox, step: str, role: str, statement: str, missed: str
) -> None:
    shop = fifteen_days
    with without(shop.deployed, role, statement):
        run = shop.ask()
        assert shop.watch(run, lambda step: None) == "FAILED"
    failing = [f"{step}Failed", "RecordFailure", "TellOfFailure", "LookAgainAfterFailure", "Failed"]
    assert shop.steps(run) == [*STEPS[: STEPS.index(step) + 1], *failing]
    assert [each["JobRunState"] for each in shop.job_runs(run)][-2:] == ["FAILED", "FAILED"]
    message = told(alerts, f"The run {run} of retail failed in its step {step.lower()}.")
    assert missed in message


def test_a_job_that_takes_too_long_is_stopped_and_told_of(fifteen_days: Shop, alerts: Mailbox) -> None:
    shop = fifteen_days
    definition = shop.states.describe_state_machine(stateMachineArn=shop.machine)["definition"]
    hasty = json.loads(definition)
    hasty["States"]["Bronze"]["TimeoutSeconds"] = 1
    try:
        shop.states.update_state_machine(stateMachineArn=shop.machine, definition=json.dumps(hasty))
        run = shop.ask()
        assert shop.watch(run, lambda step: None) == "FAILED"
    finally:
        shop.states.update_state_machine(stateMachineArn=shop.machine, definition=definition)
    # Never a second attempt: what was to be stopped might still run.
    failing = ["BronzeFailed", "RecordFailure", "TellOfFailure", "LookAgainAfterFailure", "Failed"]
    assert shop.steps(run) == ["Begin", "Bronze", *failing]
    assert "Reason: States.Timeout" in told(alerts, f"The run {run} of retail failed in its step bronze.")
    job = "oakvale-local-retail-bronze"
    newest = max(shop.deployed.client("glue").get_job_runs(JobName=job)["JobRuns"], key=lambda each: each["StartedOn"])
    assert newest["JobRunState"] == "STOPPED"


def test_a_job_that_can_not_start_leaves_a_record_of_its_step(fifteen_days: Shop, alerts: Mailbox) -> None:
    shop = fifteen_days
    with without(shop.deployed, "retail-state_machine", "RunJobs"):
        run = shop.ask()
        assert shop.watch(run, lambda step: None) == "FAILED"
    assert shop.job_runs(run) == []
    message = told(alerts, f"The run {run} of retail failed in its step bronze.")
    assert "Reason: Glue.AccessDeniedException: " in message
    record = list(shop.deployed.lake.run_records("retail", "bronze"))[-1]
    assert (record["outcome"], record["job_run_id"]) == ("died", None)
    assert record["error"].startswith(f"{run}, step bronze: Glue.AccessDeniedException: ")


def test_a_run_that_somebody_starts_by_hand_is_refused(fifteen_days: Shop, alerts: Mailbox) -> None:
    shop = fifteen_days
    shop.states.start_execution(stateMachineArn=shop.machine, name="by-hand", input="{}")
    assert shop.watch("by-hand", lambda step: None) == "FAILED"
    assert shop.job_runs("by-hand") == []
    assert shop.steps("by-hand")[-2:] == ["LookAgainAfterFailure", "Failed"]
    message = told(alerts, "The run by-hand of retail failed in its step begin.")
    assert "execution by-hand was started by hand; use make run" in message


def test_a_failure_is_told_of_although_nobody_can_record_it(fifteen_days: Shop, alerts: Mailbox) -> None:
    shop = fifteen_days
    with without(shop.deployed, "record_failed_run", "PutRecords"):
        shop.states.start_execution(stateMachineArn=shop.machine, name="unrecorded", input="{}")
        assert shop.watch("unrecorded", lambda step: None) == "FAILED"
    assert "ExplainBriefly" in shop.steps("unrecorded")
    message = told(alerts, "The run unrecorded of retail failed in its step begin: Runtime.HandlerError.")
    assert "It has no run record, for the function oakvale-local-record-failed-run failed too: " in message


def test_a_run_that_can_tell_nobody_is_told_of_by_a_rule(fifteen_days: Shop, alerts: Mailbox) -> None:
    shop = fifteen_days
    with without(shop.deployed, "retail-state_machine", "TellPeople"):
        run = shop.ask()
        assert shop.watch(run, lambda step: None) == "FAILED"
    untold = ["TellOfFailure", "LookAgainAfterUntoldFailure", "FailedUntold"]
    assert shop.steps(run)[5:] == ["TellOfSuccess", "TellOfSuccessFailed", "RecordFailure", *untold]
    assert told(alerts, f'"The run {run} of the state machine {shop.machine} ended as FAILED at 20')


def test_a_run_that_can_not_look_again_or_is_aborted_is_followed_by_the_next(
    fifteen_days: Shop, alerts: Mailbox
) -> None:
    shop = fifteen_days
    run = shop.ask()
    with ExitStack() as missing:

        def take_right(step: str) -> None:
            if step == "Gold":
                missing.enter_context(without(shop.deployed, "retail-start_runs", "CountArrivals"))

        assert shop.watch(run, take_right) == "FAILED"
    failing = ["LookAgainFailed", "RecordFailure", "TellOfFailure", "LookAgainAfterFailure", "FailedUntold"]
    assert shop.steps(run)[6:] == ["LookAgain", *failing]
    assert told(alerts, f'"The run {run} of the state machine {shop.machine} ended as FAILED at 20')
    # It never said that it ended, yet what lands next has a run.
    aborted = shop.ask()
    assert aborted > run

    def abort(step: str) -> None:
        if step == "Bronze":
            shop.states.stop_execution(executionArn=executions.arn_of(shop.machine, aborted))

    assert shop.watch(aborted, abort) == "ABORTED"
    assert told(alerts, f'"The run {aborted} of the state machine {shop.machine} ended as ABORTED at 20')
    following = shop.ask()
    assert following > aborted
    assert shop.watch(following, lambda step: None) == "SUCCEEDED"
    shop.await_rest()


def test_a_person_is_erased_from_every_version_and_all_else_stays(
    fifteen_days: Shop, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, deployed, lake = fifteen_days, fifteen_days.deployed, fifteen_days.deployed.bucket("lake")
    known, places = shop.runs(), {key.partition("/")[0] for key in traces(copy, PERSON)}
    assert places == {"raw", "archive", "bronze", "silver", "quarantine", "gold"}
    # A file that was withdrawn starts a run beside the erasure; and what an earlier rebuilding has left.
    withdrawn = {"Bucket": shop.raw, "Key": "raw/retail/orders/withdrawn + é.csv"}
    shop.s3.put_object(**withdrawn, Body=ORDERS.encode())
    shop.s3.delete_object(**withdrawn)
    shop.s3.put_object(Bucket=lake, Key="replay/silver/orders/old é.parquet", Body=PERSON.encode())
    monkeypatch.setenv("GIVEN_PERSON", PERSON)
    console = Console(record=True, quiet=True)
    erase.run(console, deployed.lake, "retail", RUN_SECONDS)
    shop.await_rest()
    assert {shop.status(run) for run in shop.runs() if run not in known} == {"SUCCEEDED"}
    assert versions_of(deployed, PERSON) == []
    (run,) = deployed.client("glue").get_job_runs(JobName=deployed.lake.named("jobs", "retail-erasure"))["JobRuns"]
    log = {"logGroupName": f"{run['LogGroupName']}/output", "logStreamName": run["Id"]}
    events = deployed.client("logs").get_log_events(**log)["events"]
    assert len(events) >= 3
    assert PERSON not in repr((run, events))
    after = deployed.download(tmp_path)
    assert {key: (after / key).read_bytes() for key in PERSONS_FILES} == without_person()
    assert differences_from_raw(after) == SAME
    athena, outputs = deployed.client("athena"), deployed.lake.outputs
    customers = f"SELECT user_id, orders FROM customer_behaviour WHERE user_id IN (77, {PERSON})"
    asked = athena_client.query(athena, outputs["workgroup"], outputs["databases"]["gold"], customers)
    assert asked.rows == [("77", "1")]
    (record,) = (json.loads(path.read_bytes()) for path in (after / "erasures/retail/records").iterdir())
    counted = {table: record["rows"][table] for table in record["rows"] if table.startswith(("bronze/", "silver/"))}
    ones = ("bronze/order_items", "silver/orders", "silver/order_items")
    assert counted == {"bronze/orders": 2, **dict.fromkeys(ones, 1)}
    of_persons = {key for key in PERSONS_FILES if "products" not in key}
    assert set(record["rewritten"]) == of_persons | {key.replace("raw/", "archive/", 1) for key in of_persons}


@pytest.mark.parametrize(
    ("role", "not_asked_for"),
    [
        ("retail-erasure", {"UseKey", "PublishMetrics"}),
        ("retail-bronze", {"UseKey", "PublishMetrics"}),
        ("retail-start_runs", {"UseKey", "WriteLogs", "EncryptReports", "Trace", "TakeMessages"}),
        ("retail-state_machine", {"EncryptMessages", "DeliverLogs", "Trace"}),
    ],
)
def test_every_statement_is_needed(fifteen_days: Shop, role: str, not_asked_for: set[str]) -> None:
    assert needless(fifteen_days.deployed, role) == not_asked_for
