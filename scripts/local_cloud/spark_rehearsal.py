"""A short Delta job that a new warm Java process runs by itself: what it loads and compiles, the first run needn't."""

from __future__ import annotations

import tempfile

from pyspark.sql import SparkSession

from class_archive_training import train


def main() -> None:
    """Uses a Delta table as the pipelines do, in a folder that is deleted again."""
    spark = SparkSession.builder.getOrCreate()
    with tempfile.TemporaryDirectory() as folder:
        train(spark, folder)
    spark.stop()


if __name__ == "__main__":
    main()
