"""parcels: legs and depots, typed, and the load of each depot."""

from __future__ import annotations

import sys

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse import values
from lakehouse.job import main


def depots(bronze: DataFrame) -> DataFrame:
    """One row per version of a depot."""
    return bronze.select(
        values.text("depot_id").alias("depot_id"),
        values.text("town").alias("town"),
        "_record",
    )


def legs(bronze: DataFrame) -> DataFrame:
    """One row per scan of a parcel's leg."""
    return bronze.select(
        values.text("parcel_id").alias("parcel_id"),
        values.integer("leg_number", "int").alias("leg_number"),
        values.text("depot_id").alias("depot_id"),
        values.decimal("weight_kg", 9, 3).alias("weight_kg"),
        values.timestamp("scanned_at").alias("scanned_at"),
        "_record",
    )


def depot_loads(legs: DataFrame, depots: DataFrame) -> DataFrame:
    """One row per depot."""
    loads = legs.groupBy("depot_id").agg(
        F.count(F.lit(1)).alias("legs"),
        F.sum("weight_kg").alias("weight_kg"),
    )
    towns = depots.select("depot_id", "town")
    return loads.join(towns, on="depot_id", how="left").select("depot_id", "town", "legs", "weight_kg")


if __name__ == "__main__":
    main(sys.modules[__name__])
