"""events: product events, typed; then counts of each day, a funnel, and sessions that begin after a quiet while."""

from __future__ import annotations

import sys
from datetime import timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from lakehouse import values
from lakehouse.job import main

FUNNEL = ("account:created", "lesson:started", "payment:order:completed")
"""The steps that lead to a payment, in their order."""
QUIET = timedelta(minutes=30)
"""How long a user does nothing before the next event begins a session."""


def events(bronze: DataFrame) -> DataFrame:
    """One row per record of an event."""
    name, created = values.text("event_name"), F.col("created_datetime")
    typed = bronze.withColumn("created_datetime", values.epoch_seconds("created_at"))
    return typed.select(
        values.text("event_uuid").alias("event_uuid"),
        name.alias("event_name"),
        F.substring_index(name, ":", 1).alias("event_type"),
        F.regexp_extract(name, "^[^:]*:(.*)$", 1).alias("event_subtype"),
        F.unix_seconds(created).alias("created_at"),
        created,
        F.to_date(created).alias("event_date"),
        F.hour(created).alias("event_hour"),
        F.to_date(created + F.lit(QUIET)).alias("following_date"),
        values.text("user_id").alias("user_id"),
        values.text("payload").alias("payload"),
        "_record",
    )


def events_by_day(events: DataFrame) -> DataFrame:
    """One row per kind of event and day."""
    return events.groupBy("event_type", "event_date", "event_subtype").agg(
        F.count(F.lit(1)).alias("events"), F.count_distinct("user_id").alias("users")
    )


def funnel_by_day(events: DataFrame) -> DataFrame:
    """One row per day and step. A user's events of a day are gone through by time; those of one second, by step."""
    place = F.array_position(F.array(*map(F.lit, FUNNEL)), F.col("event_name")).cast("int")
    steps = events.withColumn("step", place).where((F.col("step") > 0) & F.col("user_id").isNotNull())
    done = F.array_sort(F.collect_list(F.struct("created_datetime", "step")))
    users = steps.groupBy("event_date", "user_id").agg(F.aggregate(done, F.lit(0), _reached).alias("reached"))
    counts = [
        F.struct(
            F.lit(step).alias("step"),
            F.lit(name).alias("event_name"),
            F.count_if(F.col("reached") >= step).alias("users"),
        )
        for step, name in enumerate(FUNNEL, 1)
    ]
    days = users.groupBy("event_date").agg(F.array(*counts).alias("steps"))
    return days.select("event_date", F.inline("steps"))


def _reached(before: Column, event: Column) -> Column:
    """The last step that a user has come to after an event: the next one, or that of before."""
    return F.when(event["step"] == before + 1, before + 1).otherwise(before)


def sessions_by_day(events: DataFrame) -> DataFrame:
    """One row per day with events of known users. A session belongs to the day on which it begins."""
    known, by_time = (
        events.where(F.col("user_id").isNotNull()),
        Window.partitionBy("user_id").orderBy("created_datetime"),
    )
    before = F.lag("created_datetime").over(by_time)
    begun = known.withColumn("begins", before.isNull() | (F.col("created_datetime") - before > F.lit(QUIET)))
    return begun.groupBy("event_date").agg(
        F.count_if("begins").alias("sessions"),
        F.count_distinct(F.when(F.col("begins"), F.col("user_id"))).alias("users"),
    )


if __name__ == "__main__":
    main(sys.modules[__name__])
