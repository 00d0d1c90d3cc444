"""The Spark session that every layer runs in; where Spark runs and with what jars is the caller's configuration."""

from __future__ import annotations

from pyspark.sql import SparkSession

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",  # Glue 6.0's default: a wrong cast is an error, never a silent null
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    # Java compiles no method above 8,000 bytes: one generated for a wide row would be interpreted for ever.
    "spark.sql.codegen.hugeMethodLimit": "8000",
    # Accounts, repair and the gates read versions of any age; what VACUUM has taken fails by itself.
    "spark.databricks.delta.vacuum.enforceTimeTravelWithinDeletedFileRetentionDuration": "false",
    # VACUUM writes two commits without news into the log of a table otherwise; on S3 it never does.
    "spark.databricks.delta.vacuum.logging.enabled": "false",
    # VACUUM lists a table by so many tasks, however few its files are: 10,000 by default, minutes on a laptop.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "32",
    # A batch may leave a table without a row to write (all rejected); its commit must still move the watermark.
    "spark.databricks.delta.skipRecordingEmptyCommits": "false",
}


def open_session() -> SparkSession:
    """The session, with the settings that results depend on."""
    spark = SparkSession.builder.getOrCreate()
    for name, value in SETTINGS.items():
        spark.conf.set(name, value)
    return spark
