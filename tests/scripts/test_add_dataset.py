"""`make new` writes a dataset that is whole: its files read as written by hand, and run at once on its sample."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Lake
from tests.pipelines import datasets

import add_dataset
from query import connect, query

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ORDERS = """\
order_id,Order Date,updated_at,status,customer,Unit Price,postcode,gift,order,local_at
1001,2026-11-01,2026-11-01T08:00:00Z,paid,C1,2.50,01234,true,1,2026-11-01 08:00
1002,2026-11-01,2026-11-01T09:00:00.5+02:00,open,C2,12.5,99999,FALSE,2,2026-11-01 08:00
1003,2026-11-02,2026-11-02T08:00:00Z,paid,"C ""3"", Ltd",,00001,,3,2026-11-01 08:00
1004,2026-11-02,2026-11-02T08:00:00Z,,C2,-0.00,00001,true,4,2026-11-01 08:00
"""
ORDERS_YAML = """\
description: Orders as in orders.csv; to be described.

bronze:
  orders:
    description: One row per record of a file of orders, as text.
    path: orders
    format: csv
    fields: [order_id, updated_at, status, customer, postcode, gift, local_at]

silver:
  orders:
    description: One row per order_id, newest updated_at wins.
    reads: orders
    key: [order_id]
    newest_by: [updated_at]
    columns:
      - {name: order_id, type: bigint, required: true, description: Order id; to be described.}
      # order_date: "Order Date" in the files, which can't name a column, so bronze has it in _extra.
      - {name: order_date, type: date, description: Order date; to be described.}
      - {name: updated_at, type: timestamp, required: true, description: Updated at; to be described.}
      - {name: status, type: string, description: Status; to be described.}
      - {name: customer, type: string, description: Customer; to be described.}
      # unit_price: "Unit Price" in the files, which can't name a column, so bronze has it in _extra.
      - {name: unit_price, type: "decimal(18,2)", description: Unit price; to be described.}
      # postcode: leading zeros or plus signs, which a number would lose.
      - {name: postcode, type: string, description: Postcode; to be described.}
      - {name: gift, type: boolean, description: Gift; to be described.}
      # orders_order: "order" in the files, which can't name a column, so bronze has it in _extra.
      - {name: orders_order, type: bigint, description: Orders order; to be described.}
      # local_at: times without seconds or an offset such as Z, which could be any hour of a day.
      - {name: local_at, type: string, description: Local at; to be described.}
    rules:
      order_date_typed: order_date is not null or trim(_record._extra['Order Date']) = ''
      unit_price_typed: unit_price is not null or trim(_record._extra['Unit Price']) = ''
      orders_order_typed: orders_order is not null or trim(_record._extra['order']) = ''

gold:
  orders_by_status:
    description: One row per status.
    reads: [orders]
    key: [status]
    touched_by: {orders: [status]}
    columns:
      - {name: status, type: string, description: Status; to be described.}
      - {name: orders, type: bigint, description: Number of orders.}
"""
ORDERS_PY = '''\
"""orders: typed as a sample of the files suggests, and counted by status."""

from __future__ import annotations

import sys

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse import values
from lakehouse.job import main


def orders(bronze: DataFrame) -> DataFrame:
    """One row per record of a file of orders."""
    return bronze.select(
        values.integer("order_id").alias("order_id"),
        values.date("_record._extra.`Order Date`").alias("order_date"),
        values.timestamp("updated_at").alias("updated_at"),
        values.text("status").alias("status"),
        values.text("customer").alias("customer"),
        values.decimal("_record._extra.`Unit Price`", 18, 2).alias("unit_price"),
        values.text("postcode").alias("postcode"),
        values.text("gift").try_cast("boolean").alias("gift"),
        values.integer("_record._extra.`order`").alias("orders_order"),
        values.text("local_at").alias("local_at"),
        "_record",
    )


def orders_by_status(orders: DataFrame) -> DataFrame:
    """One row per status."""
    return orders.groupBy("status").agg(F.count(F.lit(1)).alias("orders"))


if __name__ == "__main__":
    main(sys.modules[__name__])
'''
# The first record is newer than the second; the third and the fourth are equally new.
READINGS = r"""
{"sensor":"a","no":1,"level":7.40,"at":"2026-11-02T00:30:00+01:00","edited_at":"2026-11-03T00:00:00.5Z","where":{"x":1}}
{"sensor":"a","no":1,"level":7,"at":"2026-11-01T08:00:00Z","edited_at":"2026-11-03T00:00:00Z"}
{"sensor":"b","no":1,"level":1,"at":"2026-11-02T00:00:00Z","edited_at":"2026-11-03T00:00:00Z","it's `odd`":1.50}
{"sensor":"b","no":1,"it's `odd`":"a\\b","Due On":"2026-12-01","ok":true,"edited_at":"2026-11-03T00:00:00Z"}
""".strip()
MORE_READINGS = """\
{"sensor":"c","no":1,"at":"2026-11-02T00:00:00Z","edited_at":"2026-11-03T00:00:00Z","Due On":"soon"}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one pipeline; the tests of cases look for pipelines and cases there."""
    folder = tmp_path / "root"
    for place, name in ((add_dataset.PIPELINES, "PIPELINES"), (add_dataset.CASES, "SAMPLES")):
        (folder / place).mkdir(parents=True)
        monkeypatch.setattr(datasets, name, folder / place)
    for file in (ROOT / add_dataset.PIPELINES).glob("movies.*"):
        (folder / add_dataset.PIPELINES / file.name).write_bytes(file.read_bytes())
    return folder


def add(root: Path, name: str, file: str, content: str, *more: str) -> int:
    """What `make new` ends with."""
    (root.parent / file).write_text(content, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["make new", "--pipeline", name, "--sample", str(root.parent / file), *more])
        return add_dataset.main(root)


def files(root: Path) -> set[str]:
    """All files but those of the pipeline that was there."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.stem != "movies"}


def run(lake: Lake, name: str, *others: Path) -> tuple[datasets.Case, dict[str, Any]]:
    """The only case of a dataset after a run on its raw files and some others; what is wrong then."""
    (case,) = datasets.find_cases()
    for number, file in enumerate((*sorted((case.folder / "raw").rglob("*.*")), *others)):
        lake.land(f"{name}/{file.name}", file.read_bytes(), at=1_790_000_000 + number)
    with datasets.pipeline(name) as script:
        lake.run(script=script, pipeline=name)
    return case, datasets.differences(case, lake.root)


def test_csv_becomes_files_that_read_as_written_by_hand(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert add(root, "orders", "orders.csv", ORDERS) == 0
    written = [
        "tests/pipelines/orders/first/gold/orders_by_status.csv",
        "tests/pipelines/orders/first/quarantine/orders.csv",
        "tests/pipelines/orders/first/raw/orders/orders.csv",
        "tests/pipelines/orders/first/silver/orders.csv",
        "glue_scripts/pipelines/orders.py",
        "glue_scripts/pipelines/orders.yaml",
    ]
    assert files(root) == set(written)
    assert (root / written[-1]).read_text() == ORDERS_YAML
    assert (root / written[-2]).read_text() == ORDERS_PY
    assert (root / written[2]).read_text() == ORDERS
    printed = capsys.readouterr().out
    assert re.findall(r"^wrote (\S+)$", printed, re.MULTILINE) == written
    assert re.search(r"order_id +│ bigint +│ order_id +│ key ", printed)
    assert re.search(r"updated_at +│ timestamp +│ updated_at +│ newest wins ", printed)
    assert printed.endswith('  make query LAKE=my-lake SQL="SELECT * FROM orders_by_status"\n')


def test_what_is_written_is_typed_and_linted(root: Path) -> None:
    assert add(root, "orders", "orders.csv", ORDERS) == 0
    script = root / "glue_scripts/pipelines/orders.py"
    ruff = Path(sys.executable).with_name("ruff")
    for check in (["check"], ["format", "--check"]):
        subprocess.run([ruff, *check, "--config", ROOT / "pyproject.toml", script], check=True, capture_output=True)


@pytest.mark.usefixtures("interpreted")
def test_json_lines_run_at_once_and_a_value_of_another_type_is_rejected(root: Path, lake: Lake) -> None:
    assert add(root, "readings", "readings.jsonl", READINGS, "--key", "sensor,no") == 0
    more = root.parent / "more.jsonl"
    more.write_text(MORE_READINGS)
    case, wrong = run(lake, "readings", more)
    reject = ("c", "1", None, "2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z", None, "[due_on_typed]")
    assert wrong == {"quarantine/readings": {"missing": [], "too many": [reject]}}
    silver, gold = (
        list(csv.reader((case.folder / place).read_text().splitlines()))
        for place in ("silver/readings.csv", "gold/readings_by_due_on.csv")
    )
    assert silver == [
        ["sensor", "no", "level", "at", "edited_at", "it_s_odd", "due_on", "ok"],
        ["a", "1", "7.40", "2026-11-01 23:30:00+00", "2026-11-03 00:00:00.5+00", "", "", ""],
        ["b", "1", "", "", "2026-11-03 00:00:00+00", "a\\b", "2026-12-01", "true"],
    ]
    assert gold == [["due_on", "readings"], ["", "1"], ["2026-12-01", "1"]]


@pytest.mark.usefixtures("interpreted")
def test_the_readmes_dataset(root: Path, lake: Lake) -> None:
    block = next(each for each in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) if "\nmake new " in each)
    make_sample, new, copy, make_run, ask = block.splitlines()
    subprocess.run(make_sample, shell=True, cwd=root.parent, check=True)
    assert new == "make new PIPELINE=visits SAMPLE=visits.csv"
    assert add(root, "visits", "visits.csv", (root.parent / "visits.csv").read_text()) == 0
    assert copy == "mkdir -p my-lake/raw/visits && cp visits.csv my-lake/raw/visits/"
    assert make_run == "make run PIPELINE=visits LAKE=my-lake"
    assert run(lake, "visits")[1] == {}
    sql = re.fullmatch(r'make query LAKE=my-lake SQL="(.*)"', ask)
    assert sql is not None
    assert query(connect(lake.root), sql[1]).rows == [("home", 2), ("shop", 1)]


@pytest.mark.parametrize("name", ["Orders", "2orders", "order", "class", "values", "runs", "sys", "a-b", "x" * 64])
def test_refuses_a_name(root: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert add(root, name, "orders.csv", ORDERS) == 2
    assert capsys.readouterr().err == (
        f"error: PIPELINE={name}: can't be the name of a table and a function; take one of lower case, digits and "
        "underscores that is no word of SQL or Python, such as orders\n"
    )
    assert files(root) == set()


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("movies", ORDERS, "glue_scripts/pipelines/movies.py is there already: choose another name, or "),
        ("movies_by_genre", ORDERS, "movies.yaml declares a table movies_by_genre already: choose another PIPELINE="),
        ("orders", "a,b\n1,2\n1,2\n", "s.csv: no column identifies its rows, since "),
        ("orders", ORDERS + "1\n", "line 6: 1 cells, where the header has 10; "),
    ],
)
def test_refuses_and_writes_nothing(
    root: Path, name: str, content: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(root, name, "s.csv", content) == 2
    assert problem in capsys.readouterr().err
    assert files(root) == set()


def test_what_fails_halfway_leaves_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def full(path: Path, target: Path) -> Path:
        if target.suffix == ".yaml":
            raise OSError("no space left")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OSError, match="no space left"):
        add(root, "orders", "orders.csv", ORDERS)
    assert files(root) == set()
