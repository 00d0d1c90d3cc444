"""A short Delta Lake job that loads the classes which the pipelines use: append, MERGE, feed, overwrite."""

from __future__ import annotations

import tempfile
from typing import Any

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F


def rows(spark: SparkSession, first: int) -> DataFrame:
    """One row per id, with columns of the types and functions that pipelines use most."""
    window = Window.partitionBy(F.col("id") % 3).orderBy("id")
    return (
        spark.range(first, first + 100)
        .select("id", F.expr("try_cast(id as string)").alias("name"), F.current_date().alias("day"))
        .select("*", F.row_number().over(window).alias("place"), F.sha2("name", 256).alias("hash"))
    )


def train(spark: SparkSession, folder: str) -> None:
    """Use a Delta table in each way in which the pipelines use one."""
    lines, table = f"{folder}/lines", f"{folder}/table"
    rows(spark, 0).write.json(lines)
    schema = "id long, name string, day date, place int, hash string"
    spark.read.schema(schema).json(lines).write.format("delta").option("delta.enableChangeDataFeed", "true").save(table)
    delta = DeltaTable.forPath(spark, table)
    (
        delta.alias("t")
        .merge(rows(spark, 50).alias("s"), "t.id = s.id")
        .whenMatchedUpdateAll("s.place > t.place")
        .whenNotMatchedInsertAll()
        .whenNotMatchedBySourceDelete("t.id = 0")
        .execute()
    )
    feed = spark.read.format("delta").option("readChangeFeed", "true").option("startingVersion", 0)
    feed.load(table).groupBy("_change_type").agg(F.count("*"), F.max_by("name", "id")).collect()
    delta.history(20).collect()
    rows(spark, 0).write.format("delta").mode("overwrite").option("replaceWhere", "id >= 0").save(table)


def main() -> None:
    """Train, then wait for Java: it writes the archive while it exits."""
    spark = SparkSession.builder.getOrCreate()
    gateway: Any = spark.sparkContext._gateway
    with tempfile.TemporaryDirectory() as folder:
        train(spark, folder)
    spark.stop()
    gateway.proc.stdin.close()
    gateway.proc.wait()


if __name__ == "__main__":
    main()
