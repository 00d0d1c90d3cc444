"""A history keeps all versions of a key: each holds from its own moment until that of the key's next one, `_valid_to`.

A version that ended before the earliest moment of a batch has its successor already, and can't change. So the versions
of the batch's keys from there on are put in their order anew, and the MERGE gets those that are new or end elsewhere.
Equal neighbours stay two versions: another one may still come between them.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lakehouse import declaration
from lakehouse.declaration import SilverTable

VALID_TO = "_valid_to"
FOREVER = "9999-12-31"
"""Where the current version of a key ends: a value, since Delta skips no files by nulls."""


def valid_to(declared: SilverTable) -> declaration.Column:
    """The column that the engine adds, of the moment's type."""
    (moment,) = declared.newest_by
    kind = next(column.type for column in declared.columns if column.name == moment)
    return declaration.Column(
        VALID_TO, kind, f"Until when the version holds: {moment} of the key's next one; {FOREVER} for the current one."
    )


def forever(declared: SilverTable) -> Column:
    """The end of current versions. No version can hold from then on."""
    return F.lit(FOREVER).cast(valid_to(declared).type)


def with_ends(declared: SilverTable, versions: DataFrame) -> DataFrame:
    """The versions with `_valid_to`, as if these were all."""
    (moment,) = declared.newest_by
    following = F.lead(moment).over(Window.partitionBy(*declared.key).orderBy(moment))
    return versions.withColumn(VALID_TO, F.coalesce(following, forever(declared)))


def ending(stored: DataFrame) -> DataFrame:
    """Stored versions, whose end is to be found anew; where it was is kept as `_was`."""
    return stored.withColumnRenamed(VALID_TO, "_was")


def changed(versions: DataFrame) -> DataFrame:
    """Those versions that are new (`_was` is null) or end elsewhere than they did."""
    return versions.where(~F.col("_was").eqNullSafe(F.col(VALID_TO))).drop("_was")


def count(declared: SilverTable, met: DataFrame, stale: Column) -> DataFrame:
    """Counts versions `s`, each with the stored one `t` that it meets, as one row; `closed`: those that end now.

    A stored version that a record of its own moment replaces counts among the new ones alone.
    """
    (moment,) = declared.newest_by
    later = F.col(f"s.{moment}") > F.col(f"t.{moment}")
    stored = met.groupBy(*(F.col(f"t.{name}") for name in declared.identity)).agg(
        F.count(F.lit(1)).alias("keys"),
        F.sum("s._n").alias("records"),
        F.count_if(stale).alias("stale"),
        (F.coalesce(F.bool_or(later), F.lit(False)) & ~F.bool_or(~later & ~stale)).alias("closed"),
    )
    return stored.agg(
        F.coalesce(F.sum("keys"), F.lit(0)).alias("keys"),
        F.coalesce(F.sum("records"), F.lit(0)).alias("records"),
        F.coalesce(F.sum("stale"), F.lit(0)).alias("stale"),
        F.count_if("closed").alias("closed"),
    )
