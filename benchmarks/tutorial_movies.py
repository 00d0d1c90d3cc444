"""The same films in the style of most tutorials: a script for each layer, an inferred schema, counts around each step.

Values, checks and totals are those of the job by hand; what differs is how often the data is read, and that each layer
is a process of its own. Every run loads everything again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from bare_movies import FIELDS, newest_versions, overwrite, totals, typed

LAYERS = ("bronze", "silver", "gold")


def bronze(spark: SparkSession, raw: str, lake: str) -> None:
    """What the JSON says, with the types that Spark finds in it."""
    reader = spark.read.option("columnNameOfCorruptRecord", "_broken_line").option("recursiveFileLookup", True)
    films = reader.json(f"{raw}/raw/movies").select("*", F.col("_metadata.file_name").alias("_file"))
    save(films, f"{lake}/bronze/movies")


def silver(spark: SparkSession, lake: str) -> None:
    """Good films, and in quarantine the others with the checks that they failed."""
    found = spark.read.format("delta").load(f"{lake}/bronze/movies")
    texts = [F.col(name).cast("string").alias(name) for name in FIELDS]
    broken = F.col("_broken_line") if "_broken_line" in found.columns else F.lit(None).cast("string")
    films = typed(found.select("_file", broken.alias("_broken_line"), *texts))
    rejected = films.where(F.size("_rules") > 0)
    line = F.col("_broken_line").alias("_original")
    save(rejected.select("movie_id", "_file", "_rules", line), f"{lake}/quarantine/movies")
    save(newest_versions(films.where(F.size("_rules") == 0)), f"{lake}/silver/movies")


def gold(spark: SparkSession, lake: str) -> None:
    """Totals of the films by genre, studio and year."""
    films = spark.read.format("delta").load(f"{lake}/silver/movies")
    for key in ("genre", "studio", "release_year"):
        save(totals(films, key), f"{lake}/gold/movies_by_{key}")


def save(table: DataFrame, path: str) -> None:
    """Replaces a table, unless there is nothing to put into it; counts before and after."""
    count = table.count()
    if count == 0:
        raise ValueError(f"no rows for {path}")
    overwrite(table, path)
    written = table.sparkSession.read.format("delta").load(path).count()
    print(f"{path}: {count:,} rows, {written:,} written")


def main() -> int:
    """Command line; without a layer all of them, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lake", required=True, help="the folder to write the tables to")
    parser.add_argument("--raw", required=True, help="the folder above raw/")
    parser.add_argument("--layer", choices=LAYERS, help="this layer alone")
    options = parser.parse_args()
    if options.layer is None:
        for layer in LAYERS:
            subprocess.run([sys.executable, __file__, *sys.argv[1:], "--layer", layer], check=True)
        return 0
    spark = SparkSession.builder.appName(f"tutorial {options.layer}").getOrCreate()
    if options.layer == "bronze":
        bronze(spark, options.raw, options.lake)
    else:
        {"silver": silver, "gold": gold}[options.layer](spark, options.lake)
    spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
