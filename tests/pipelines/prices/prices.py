"""prices: every version of a price, and what each category offers now."""

from __future__ import annotations

import sys

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse import values
from lakehouse.job import main


def prices(bronze: DataFrame) -> DataFrame:
    """One row per price from a day on."""
    return bronze.select(
        values.integer("shop", "int").alias("shop"),
        values.text("product").alias("product"),
        values.text("category").alias("category"),
        values.decimal("price", 9, 2).alias("price"),
        F.coalesce(values.text("withdrawn") == "true", F.lit(False)).alias("withdrawn"),
        values.date("valid_from").alias("valid_from"),
        values.timestamp("announced_at").alias("announced_at"),
        "_record",
    )


def categories(prices: DataFrame) -> DataFrame:
    """One row per category."""
    offered = (F.col("_valid_to") == F.lit("9999-12-31").cast("date")) & ~F.col("withdrawn")
    return prices.groupBy("category").agg(
        F.count(F.lit(1)).alias("versions"),
        F.count_if(offered).alias("offers"),
        F.max(F.when(offered, F.col("price"))).alias("highest_price"),
    )


if __name__ == "__main__":
    main(sys.modules[__name__])
