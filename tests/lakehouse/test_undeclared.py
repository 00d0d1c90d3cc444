"""Names of undeclared fields come out of the write itself, all of them as a rule, and few enough in any case."""

from __future__ import annotations

import pytest
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from lakehouse import undeclared

pytestmark = pytest.mark.usefixtures("interpreted")


def seen(rows: DataFrame) -> set[str]:
    """The names that are observed while all rows are read."""
    observation = Observation()
    rows.observe(observation, *undeclared.observed()).write.format("noop").mode("overwrite").save()
    return undeclared.names(observation.get)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], set()),
        ([None, None], set()),
        ([{"b": "1", 'a"\n,[é': None}, None, {"b": "2"}, {"c": "3"}], {'a"\n,[é', "b", "c"}),
        ([{"x" * 101: "1", "x" * 102: "2"}], {"x" * 100}),
    ],
    ids=["no record", "none undeclared", "some", "long"],
)
def test_names_of_a_write(spark: SparkSession, records: list[dict[str, str | None] | None], expected: set[str]) -> None:
    rows = spark.createDataFrame([(record,) for record in records], "_extra map<string,string>")
    assert seen(rows) == expected


def test_a_hostile_file_is_told_of_in_part(spark: SparkSession) -> None:
    """100,000 names in a record, or a name of its own in each of 100,000 records; one set stands out."""
    numbers = F.transform(F.sequence(F.lit(100_000), F.lit(199_999)), lambda each: each.cast("string"))
    wide = spark.range(1).select(F.map_from_arrays(numbers, numbers).alias("_extra"))
    assert seen(wide) == {str(number) for number in range(100_000, 100_100)}
    name = F.when(F.col("id") % 10 == 0, "often").otherwise(F.concat(F.lit("z"), F.col("id") + 100_000))
    many = spark.range(100_000).select(F.create_map(name, F.lit("")).alias("_extra"))
    assert "often" in seen(many)
    alone = spark.range(100_000).select(F.create_map(F.concat(F.lit("z"), F.col("id") + 100_000), F.lit("")))
    assert seen(alone.toDF("_extra")) == {"z100000"}


def test_a_run_tells_a_hundred_names_of_a_table() -> None:
    names, told = [f"{number:03}" for number in range(150)], dict[str, list[str]]()
    for some in (set(names[100:]), set(names[:110]), set[str]()):
        undeclared.note(told, "bronze/items", some)
    undeclared.note(told, "bronze/orders", set())
    assert told == {"bronze/items": names[:100]}
