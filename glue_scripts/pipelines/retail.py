"""retail: products, orders and their items, typed; then sales, products, customers, and how complete the orders are."""

from __future__ import annotations

import sys

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from lakehouse import values
from lakehouse.job import main


def products(bronze: DataFrame) -> DataFrame:
    """One row per version of a product."""
    return bronze.select(
        values.integer("product_id").alias("product_id"),
        values.integer("department_id", "int").alias("department_id"),
        values.text("department").alias("department"),
        values.text("product_name").alias("product_name"),
        "_record",
    )


def orders(bronze: DataFrame) -> DataFrame:
    """One row per version of an order."""
    return bronze.select(
        values.integer("order_num", "int").alias("order_num"),
        values.integer("order_id").alias("order_id"),
        values.integer("user_id").alias("user_id"),
        values.timestamp("order_timestamp").alias("order_timestamp"),
        values.decimal("total_amount", 12, 2).alias("total_amount"),
        values.date("date").alias("date"),
        "_record",
    )


def order_items(bronze: DataFrame) -> DataFrame:
    """One row per version of an item."""
    return bronze.select(
        values.integer("id").alias("id"),
        values.integer("order_id").alias("order_id"),
        values.integer("user_id").alias("user_id"),
        values.decimal("days_since_prior_order", 9, 0).cast("int").alias("days_since_prior_order"),  # 7.0 is 7
        values.integer("product_id").alias("product_id"),
        values.integer("add_to_cart_order", "int").alias("add_to_cart_order"),
        values.integer("reordered", "int").alias("reordered"),
        values.timestamp("order_timestamp").alias("order_timestamp"),
        values.date("date").alias("date"),
        "_record",
    )


def sales_by_day_and_department(orders: DataFrame, order_items: DataFrame, products: DataFrame) -> DataFrame:
    """One row per day and department. An order's total is shared out in cents that sum up to it exactly."""
    sold = order_items.join(products.select("product_id", "department"), "product_id")
    sold = sold.groupBy("order_id", "date", "department").agg(F.count(F.lit(1)).alias("items"))
    baskets = orders.join(sold, ["order_id", "date"], "left").fillna({"department": "Unknown", "items": 0})
    order = Window.partitionBy("order_id")
    weight, cents = F.greatest("items", F.lit(1)), (F.col("total_amount") * 100).cast("bigint")
    baskets = baskets.withColumns({"cents": cents, "weight": weight}).withColumns(
        {"weights": F.sum("weight").over(order), "until": F.sum("weight").over(order.orderBy("department"))}
    )
    baskets = baskets.withColumn("share", F.expr("cents * until div weights - cents * (until - weight) div weights"))
    revenue = (F.sum("share").cast("decimal(18,0)") / 100).cast("decimal(18,2)")
    return baskets.groupBy("date", "department").agg(
        F.count(F.lit(1)).alias("orders"),
        F.sum("items").alias("items"),
        revenue.alias("revenue"),
        values.ratio(revenue, F.count(F.lit(1)), "decimal(14,2)").alias("average_basket"),
    )


def product_performance(products: DataFrame, order_items: DataFrame) -> DataFrame:
    """One row per product."""
    units = F.count("id")
    sold = products.join(order_items.select("product_id", "id", "reordered", "add_to_cart_order"), "product_id", "left")
    return sold.groupBy("product_id", "product_name", "department").agg(
        units.alias("units"),
        F.coalesce(F.sum("reordered"), F.lit(0)).alias("reorders"),
        values.ratio(F.sum("reordered"), units, "decimal(5,4)").alias("reorder_rate"),
        values.ratio(F.sum("add_to_cart_order"), units, "decimal(8,2)").alias("mean_cart_position"),
    )


def customer_behaviour(orders: DataFrame) -> DataFrame:
    """One row per customer."""
    first, last, number, value = F.min("date"), F.max("date"), F.count(F.lit(1)), F.sum("total_amount")
    return orders.groupBy("user_id").agg(
        first.alias("first_order"),
        last.alias("last_order"),
        number.alias("orders"),
        values.ratio(F.date_diff(last, first), number - 1, "decimal(8,2)").alias("mean_days_between_orders"),
        value.cast("decimal(18,2)").alias("value"),
        values.ratio(value, number, "decimal(14,2)").alias("average_value"),
    )


def order_checks_by_day(orders: DataFrame, order_items: DataFrame) -> DataFrame:
    """One row per day."""
    place = F.col("add_to_cart_order")
    carts = order_items.groupBy("order_id", "date").agg(
        F.count(F.lit(1)).alias("items"), F.max(place).alias("last"), F.count_distinct(place).alias("places")
    )
    known = F.col("total_amount").isNotNull()
    complete = known & (F.col("items") == F.col("last")) & (F.col("items") == F.col("places"))
    both = orders.select("order_id", "date", "total_amount").join(carts, ["order_id", "date"], "full_outer")
    return both.groupBy("date").agg(
        F.count_if(known).alias("orders"),
        F.count_if(complete).alias("complete_orders"),
        F.count_if(known & F.col("items").isNull()).alias("orders_without_items"),
        F.coalesce(F.sum("total_amount"), F.lit(0)).cast("decimal(18,2)").alias("total_amount"),
        F.coalesce(F.sum(F.when(~known, F.col("items"))), F.lit(0)).alias("stray_items"),
    )


if __name__ == "__main__":
    main(sys.modules[__name__])
