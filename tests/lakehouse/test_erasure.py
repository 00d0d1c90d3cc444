"""`--mode erase`: nothing of a person is left anywhere, all else is as it was, and the lake goes on as before."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from pyspark.sql import SparkSession

from lakehouse import erasure
from lakehouse.erasure_plan import ErasureError, sealed
from tests.conftest import Lake
from tests.traces import traces

pytestmark = pytest.mark.usefixtures("interpreted")
PERSON, SECOND = "987654321012", "987654329999"
"""Ids that nothing else in a lake looks like."""
LAYERS = ("bronze", "silver", "quarantine", "gold")
AT, DAY = "2026-11-01T10:00:00Z", "2026-11-01"
ORDERS = "order_num,order_id,user_id,order_timestamp,total_amount,date"
ITEMS = "id,order_id,user_id,days_since_prior_order,product_id,add_to_cart_order,reordered,order_timestamp,date,note"


UNTOUCHED = {"raw/retail/products/1.csv", "raw/retail/orders/replaced.csv"}
COPY = "archive/retail/orders/1 of 2.csv"


class Crash(Exception):
    """What ends a run before its next step."""


def order(number: int | str, user: str, total: str = "10.00") -> str:
    """A record of an order."""
    return f"1,{number},{user},{AT},{total},{DAY}"


def item(number: int | str, of: int, user: str, note: str = "") -> str:
    """A record of an order item, with a field that isn't declared; it is the order's first one."""
    return f"{number},{of},{user},,1,1,0,{AT},{DAY},{note}"


def csv(header: str, *records: str, end: str = "\n") -> bytes:
    """A CSV file."""
    return "".join(f"{line}{end}" for line in (header, *records)).encode()


MARK = b"\xef\xbb\xbf"
FIRST = MARK + csv(
    ORDERS,
    order(11, PERSON),
    order(13, "5"),
    order(14, "5", "14.00"),
    f"7,15,{PERSON},too,many,cells,here",
    order(16, f" +{PERSON} "),
    order(17, "6"),
    end="\r\n",
)
FIRST_LEFT = MARK + csv(ORDERS, order(13, "5"), order(14, "5", "14.00"), order(17, "6"), end="\r\n")
NOTE = '"two\nlines, ""quoted"""'
SOLD = csv(
    ITEMS,
    item(1100, 11, PERSON, NOTE),
    item(1300, 13, "5", NOTE),
    item(1101, 11, "-1"),
    item(1102, 11, ""),
    item("x", 17, PERSON),
    item(9900, 99, PERSON),
    item(9800, 98, "5"),
    item(1700, 17, "6"),
)
SOLD_LEFT = csv(ITEMS, item(1300, 13, "5", NOTE), item(9800, 98, "5"), item(1700, 17, "6"))
RAW = {
    "retail/products/1.csv": b"product_id,department_id,department,product_name\n1,1,bakery,Bread\n2,1,bakery,Cake\n",
    "retail/orders/1 of 2.csv": FIRST,
    "retail/orders/replaced.csv": csv(ORDERS, order(18, PERSON), order(19, "7")),
    "retail/order_items/1.csv.gz": gzip.compress(SOLD, mtime=0),
}
LATER = {
    "retail/orders/2.csv": csv(ORDERS, order(14, PERSON, "15.00"), order(20, PERSON), order(21, SECOND)),
    "retail/orders/replaced.csv": csv(ORDERS, order(19, "7", "20.00")),
    "retail/orders/alone.csv": csv(ORDERS, order(22, PERSON)),
}


def land(lake: Lake, files: dict[str, bytes], at: int) -> None:
    """Puts files below raw/."""
    for key, content in files.items():
        lake.land(key, content, at=at)


def erase(lake: Lake, person: str) -> dict[str, Any]:
    """Erases a person; the run's record."""
    (record,) = lake.run("bronze", pipeline="retail", options=("--mode", "erase", "--person", person))
    return record


def left(rows: list[str]) -> list[str]:
    """Those rows that don't name the person, and aren't part of one of their orders."""
    return [row for row in rows if PERSON not in row and not ("1101, " in row or "'1101'" in row or "'1102'" in row)]


@pytest.fixture(scope="module")
def lake_of_two_days(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, interpreted: None) -> Lake:
    """A lake with two days loaded, and an archived copy; the tests below change it, one after the other."""
    lake = Lake(tmp_path_factory.mktemp("erasure") / "lake", spark)
    land(lake, RAW, 1_790_000_000)
    lake.run(pipeline="retail")
    land(lake, LATER, 1_790_000_001)
    lake.run(pipeline="retail")
    copy = lake.root / COPY
    copy.parent.mkdir(parents=True)
    copy.write_bytes(FIRST)
    return lake


def test_a_person_is_erased_through_three_crashes(lake_of_two_days: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = lake_of_two_days
    before = lake.content(*LAYERS, without=())
    assert len(traces(lake.root, PERSON)) > 20

    # Before the first table is changed, before the first gate moves, and while the past of tables goes.
    for name, number in (("_leave_out", 0), ("open_gate", 0), ("drop_past", 2)):
        with monkeypatch.context() as patched:
            patched.setattr(erasure, name, crash_after(number, getattr(erasure, name)))
            with pytest.raises(Crash):
                erase(lake, PERSON)
        if name == "_leave_out":
            with pytest.raises(ErasureError, match=r"`make erase PIPELINE=retail PERSON=\.\.\.` with the same person"):
                lake.run("silver", pipeline="retail")
            with pytest.raises(ErasureError, match="is of another person: finish that first"):
                erase(lake, SECOND)
    record = erase(lake, PERSON)
    assert traces(lake.root, PERSON) == []
    assert record["erased"] == {
        "bronze/orders": 7,
        "bronze/order_items": 5,
        "silver/orders": 6,
        "silver/order_items": 2,
        "quarantine/orders": 1,
        "quarantine/order_items": 3,
    }
    raw = {str(path.relative_to(lake.root)): path.read_bytes() for path in (lake.root / "raw").rglob("*.csv*")}
    assert raw == {
        **{f"raw/{key}": content for key, content in (RAW | LATER).items()},
        "raw/retail/orders/1 of 2.csv": FIRST_LEFT,
        "raw/retail/order_items/1.csv.gz": gzip.compress(SOLD_LEFT, mtime=0),
        "raw/retail/orders/2.csv": csv(ORDERS, order(21, SECOND)),
        "raw/retail/orders/alone.csv": csv(ORDERS),
    }
    assert (lake.root / COPY).read_bytes() == FIRST_LEFT
    told = json.loads(next((lake.root / "erasures/retail/records").glob("*.json")).read_bytes())
    assert told["person"] == sealed(PERSON, told["salt"]) != sealed(SECOND, told["salt"])
    assert told["rewritten"] == ["archive/retail/orders/1 of 2.csv", *sorted(raw.keys() - UNTOUCHED)]
    assert not (lake.root / "erasures/retail/pending.json").exists()

    # An order that was somebody else's before is that person's again; all other rows are what they were.
    after = lake.content(*LAYERS, without=())
    (again,) = set(after["silver/orders"]) - set(before["silver/orders"])
    assert again.startswith("(1, 14, 5, ")
    after["silver/orders"].remove(again)
    assert {table: rows for table, rows in after.items() if not table.startswith("gold")} == {
        table: left(rows) for table, rows in before.items() if not table.startswith("gold")
    }
    customers = [row for row in after["gold/customer_behaviour"] if not row.startswith("(5, ")]
    assert customers == [row for row in left(before["gold/customer_behaviour"]) if not row.startswith("(5, ")]


def test_the_lake_goes_on_after_an_erasure(lake_of_two_days: Lake) -> None:
    lake = lake_of_two_days
    # The next day balances. The old bytes of a file are known, and aren't loaded; but they lie in raw again.
    land(lake, {"retail/orders/3.csv": csv(ORDERS, order(98, "5")), "retail/orders/1 of 2.csv": FIRST}, 1_790_000_002)
    bronze, _, gold = lake.run(pipeline="retail")
    assert bronze["files"] == {"read": 1, "repeated": 1}
    assert [(row[0], row[1]) for row in lake.rows("silver/order_items", "id", "user_id")] == [
        *((1300, 5), (1700, 6), (9800, 5))
    ]
    assert {each["table"] for each in gold["refreshed"]} == {path for path in lake.versions() if path[:4] == "gold"}
    assert traces(lake.root, PERSON) == ["raw/retail/orders/1 of 2.csv"]
    assert (erase(lake, PERSON)["files"], traces(lake.root, PERSON)) == ({"rewritten": 1}, [])
    assert (lake.root / "raw/retail/orders/1 of 2.csv").read_bytes() == FIRST_LEFT

    # Another person in a file that was rewritten before; then raw still says what is served, and what is archived.
    assert erase(lake, SECOND)["erased"] == {"bronze/orders": 1, "silver/orders": 1}
    compared = [each for made in lake.run(pipeline="retail", options=("--mode", "replay")) for each in made["compared"]]
    assert {each["verdict"] for each in compared} == {"equal"}
    assert len(compared) == 13
    (archived,) = lake.run("bronze", pipeline="retail", options=("--mode", "archive"))
    assert (archived["files"]["archived"], archived["files"]["replaced"]) == (7, 1)
    assert (traces(lake.root, PERSON), traces(lake.root, SECOND)) == ([], [])
    files, records = lake.files(), set((lake.root / "erasures").rglob("*"))
    assert erase(lake, PERSON)["outcome"] == "idle"
    assert (lake.files(), set((lake.root / "erasures").rglob("*"))) == (files, records)


def crash_after(number: int, step: Callable[..., Any]) -> Callable[..., Any]:
    """A step that ends its run when it is to be done for the n-th time, from 0."""
    passed: list[object] = []

    def crashing(*arguments: Any) -> Any:
        if len(passed) == number:
            raise Crash
        passed.append(arguments)
        return step(*arguments)

    return crashing


def test_a_key_that_was_used_again_much_later_is_two_rows_and_each_goes_by_itself(lake: Lake) -> None:
    def sent(uuid: str, user: str, created: int) -> bytes:
        event = {"event_uuid": uuid, "event_name": "page:viewed", "created_at": created, "user_id": user}
        return gzip.compress(json.dumps(event).encode() + b"\n", mtime=0)

    first, later = 1_790_000_000, 1_790_000_000 + 20 * 86_400
    for day, at, events in (
        ("09/21", first, [("twice", "ann"), ("shared", "ann"), ("other", "bob")]),
        ("10/11", later, [("twice", "ann"), ("shared", "bob")]),
    ):
        for uuid, user in events:
            lake.land(f"events/2026/{day}/10/{uuid}.jsonl.gz", sent(uuid, user, at), at=at)
        lake.run(pipeline="events")
    assert [uuid for (uuid,) in lake.rows("silver/events", "event_uuid")].count("shared") == 2
    (record,) = lake.run("bronze", pipeline="events", options=("--mode", "erase", "--person", "ann"))
    assert record["outcome"] == "succeeded"
    assert lake.rows("silver/events", "event_uuid", "user_id") == [("other", "bob"), ("shared", "bob")]
    assert [events for (events,) in lake.rows("gold/events_by_day", "events")] == [1, 1]


def test_a_pipeline_without_persons_refuses(lake: Lake) -> None:
    with pytest.raises(ErasureError, match=r"^movies holds no persons: no source in movies\.yaml declares a `person`$"):
        lake.run("bronze", options=("--mode", "erase", "--person", PERSON))


ALONE = "--mode erase goes with --layer bronze and --person ID, or on S3, since Glue keeps the arguments of a run, with"
FOR_ERASE = "--person and --request are for --mode erase, not repair"


@pytest.mark.parametrize(
    ("layer", "options", "message"),
    [
        ("silver", ("--mode", "erase", "--person", "1"), ALONE),
        ("bronze", ("--mode", "erase"), ALONE),
        ("bronze", ("--mode", "erase", "--request", "a"), ALONE),
        ("bronze", ("--mode", "erase", "--person", "1", "--lake", "s3://lake"), ALONE),
        ("bronze", ("--mode", "erase", "--person", "1", "--request", "a", "--lake", "s3://lake"), ALONE),
        ("bronze", ("--mode", "repair", "--person", "1"), FOR_ERASE),
        ("bronze", ("--mode", "repair", "--request", "a"), FOR_ERASE),
    ],
)
def test_wrong_arguments(
    lake: Lake, capsys: pytest.CaptureFixture[str], layer: str, options: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SystemExit):
        lake.run(layer, pipeline="retail", options=options)
    assert message in capsys.readouterr().err
