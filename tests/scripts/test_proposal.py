"""Names, types, key, newest version and groups are proposed from all values; nothing is lost by any of them."""

from __future__ import annotations

import pytest

from column_types import propose_type, typed
from proposal import legal_names, propose
from sample import Number, Sample, SampleError

ROWS = 6


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", None, "1"], "string"),
        (["0", "-12", "9223372036854775807", None], "bigint"),
        (["1", "2.50"], "decimal(18,2)"),
        (["12345678901234567890.123"], "decimal(23,3)"),
        (["TRUE", "false"], "boolean"),
        (["true", "1"], "string"),
        (["2026-02-28", "0001-01-01"], "date"),
        (["2026-02-28", "2026-02-29"], "string"),
        (["2026-02-28", "2026-02-28T00:00:00Z"], "string"),
        (["2026-11-01T08:00:00Z", "2026-11-01T08:00:00.123456+02:00"], "timestamp"),
        (["2026-11-01T24:00:00Z"], "string"),
        (["2026-11-01T08:00:00+19:00"], "string"),
        (["0001-01-01T00:00:00+01:00"], "string"),
        (["01/02/2026"], "string"),
        (["1e5"], "string"),
        (["1,5"], "string"),
    ],
)
def test_a_type(values: list[str | None], expected: str) -> None:
    assert propose_type(values) == (expected, "")


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ([None, None], "no value in the sample"),
        (["1", "0123"], "leading zeros or plus signs, which a number would lose"),
        (["+49"], "leading zeros or plus signs, which a number would lose"),
        (["9223372036854775808"], "too many digits for a bigint"),
        (["0." + "1" * 38, "1"], "too many digits for a decimal"),
        (["2026-11-01 08:00"], "times without seconds or an offset such as Z, which could be any hour of a day"),
    ],
)
def test_a_text_that_a_person_would_expect_to_be_more(values: list[str | None], note: str) -> None:
    assert propose_type(values) == ("string", note)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("-0", "bigint", "0"),
        ("-0.0", "decimal(18,2)", "0.00"),
        ("12345678901234567890123456789012345.5", "decimal(38,2)", "12345678901234567890123456789012345.50"),
        ("TRUE", "boolean", "true"),
        ("2026-11-01", "date", "2026-11-01"),
        ("2026-11-01T00:30:00.120+02:00", "timestamp", "2026-10-31 22:30:00.12+00"),
        (Number("7.40"), "string", "7.4"),
        (Number("100.0"), "string", "100"),
        (Number("100"), "string", "100"),
        (Number("-0.0"), "string", "0"),
        (Number("123456789012345678901234567890.120"), "string", "123456789012345678901234567890.12"),
        ("7.40", "string", "7.40"),
        (None, "bigint", None),
    ],
)
def test_a_typed_value(value: str | None, kind: str, expected: str | None) -> None:
    assert typed(value, kind) == expected


def test_names() -> None:
    sources = ["Order ID", "order_id", "orderId", "Größe (cm)", "order", "2024 Total", "%", "HTTPStatus", "x" * 70]
    assert legal_names(sources, "sales") == {
        "order_id": "order_id",
        "Order ID": "order_id_2",
        "orderId": "order_id_3",
        "Größe (cm)": "groe_cm",
        "order": "sales_order",
        "2024 Total": "sales_2024_total",
        "%": "column_7",
        "HTTPStatus": "http_status",
        "x" * 70: "x" * 63,
    }


def sample(**columns: list[str | None]) -> Sample:
    """A sample with an id, which repeats, and these columns."""
    return Sample("s.csv", "csv", {"ref": ["1"] * ROWS, **columns}, {}, b"")


UNIQUE: list[str | None] = [f"K{number}" for number in range(ROWS)]
DAYS: list[str | None] = [f"2026-11-0{1 + number % 3}" for number in range(ROWS)]
MOMENTS: list[str | None] = [f"{day}T08:00:00Z" for day in DAYS]
FEW: list[str | None] = ["a", "b", None, "a", "b", "a"]


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ({"name": UNIQUE, "shop_id": UNIQUE, "item_id": UNIQUE}, "item_id"),
        ({"name": UNIQUE, "shop_id": UNIQUE}, "shop_id"),
        ({"name": UNIQUE, "id": [*UNIQUE[1:], None]}, "name"),
        ({"paid": UNIQUE, "id": ["1", *UNIQUE[1:-1], "1"]}, "paid"),
    ],
)
def test_the_key_is_unique_never_null_and_preferably_an_id(columns: dict[str, list[str | None]], key: str) -> None:
    assert propose("items", sample(**columns), None).key == (key,)


def test_without_a_key_one_is_asked_for() -> None:
    with pytest.raises(SampleError) as refused:
        propose("items", sample(kind=FEW, day=DAYS), None)
    assert str(refused.value) == (
        "s.csv: no column identifies its rows, since each is empty somewhere or repeats a value; name one or several "
        "that do with KEY=column or KEY=column,column; there are: ref, kind, day"
    )


def test_a_given_key() -> None:
    proposal = propose("items", sample(**{"Kind Of": UNIQUE}, day=DAYS), "day, Kind Of")
    assert proposal.key == ("day", "kind_of")
    for key, problem in {
        "dag": "s.csv has no column 'dag' to identify rows by; there are: ref, kind",
        "ref,kind": "kind has no value in record 3 of s.csv",
    }.items():
        with pytest.raises(SampleError) as refused:
            propose("items", sample(kind=FEW), key)
        assert str(refused.value) == f"KEY={key}: {problem}"


def test_a_sample_without_any_legal_name() -> None:
    with pytest.raises(SampleError) as refused:
        propose("items", Sample("s.csv", "csv", {"ID": UNIQUE, "Kind": FEW}, {}, b""), None)
    assert str(refused.value) == (
        "s.csv: none of its names can be kept (ID, Kind); give the files at least one of lower case, digits and "
        "underscores"
    )


@pytest.mark.parametrize(
    ("columns", "newest_by"),
    [
        ({"created_at": MOMENTS, "updated_on": DAYS, "last_update": MOMENTS}, ("last_update",)),
        ({"created_at": MOMENTS, "modified": DAYS}, ("modified",)),
        ({"created_at": MOMENTS, "updated_at": [*MOMENTS[1:], None]}, ()),
        ({"updated_by": FEW}, ()),
    ],
)
def test_the_newest_version(columns: dict[str, list[str | None]], newest_by: tuple[str, ...]) -> None:
    assert propose("items", sample(id=UNIQUE, **columns), None).newest_by == newest_by


@pytest.mark.parametrize(
    ("columns", "gold", "count"),
    [
        ({"day": DAYS, "shop_id": FEW, "kind": FEW}, "items_by_kind", "items"),
        ({"flag": ["true", "false"] * 3, "seen_on": DAYS, "seen_at": MOMENTS}, "items_by_seen_on", "items"),
        ({"name": UNIQUE, "seen_at": MOMENTS}, "items_by_day", "items"),
        ({"stars": ["1", "2"] * 3, "flag": ["true", "false"] * 3}, "items_by_flag", "items"),
        ({"items": FEW}, "items_by_items", "number_of_items"),
        ({}, "items_by_ref", "items"),
    ],
)
def test_what_gold_counts_by(columns: dict[str, list[str | None]], gold: str, count: str) -> None:
    proposal = propose("items", sample(id=UNIQUE, **columns), None)
    assert (proposal.gold, proposal.count) == (gold, count)
