"""The films of docs/movies.md as one would load them by hand, with PySpark and Delta alone.

This is what the pipeline's first full load is measured against: every table is written once, whole. Nothing
here knows of re-runs, new files, repairs or accounting; benchmarks/README.md lists what it doesn't do.

Environment variables must configure Spark, as `benchmarks/measure.py` does.
"""

from __future__ import annotations

import argparse

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

FIELDS = (
    "movie_id", "title", "genre", "studio", "rating", "release_date", "budget", "box_office",
    "vote_average", "vote_count", "runtime_minutes", "updated_at",
)  # fmt: skip
SILVER_COLUMNS = (
    "movie_id", "title", "genre", "studio", "rating", "rating_category", "release_date", "release_year",
    "budget", "box_office", "vote_average", "vote_count", "runtime_minutes", "updated_at",
)  # fmt: skip
REQUIRED = ("movie_id", "title", "genre", "release_date", "updated_at")
WHITE_SPACE = " \t\n\r\v\f"
DATE = r"^\d{4}-\d{2}-\d{2}$"
TIMESTAMP = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})$"

OTHER_SPELLINGS = {
    "Action": ("acton", "aktion"), "Adventure": ("adventrue", "advenure"),
    "Animation": ("animaton", "animated"), "Comedy": ("commedy", "comdy"), "Crime": ("crme", "criem"),
    "Documentary": ("documentry", "docu"), "Drama": ("dramma", "darma"), "Fantasy": ("fantsy", "phantasy"),
    "Horror": ("horor", "horrror"), "Romance": ("romanse", "romace"),
    "Science Fiction": ("sci-fi", "scifi", "sci fi", "science-fiction"), "Thriller": ("thriler", "triller"),
}  # fmt: skip
# The names themselves first: Spark looks a map up from its start.
GENRES = {genre.lower(): genre for genre in OTHER_SPELLINGS} | {
    spelling: genre for genre, spellings in OTHER_SPELLINGS.items() for spelling in spellings
}
CATEGORIES = {"PG-13": "Teen", "R": "Mature", "PG": "Family", "G": "General", "NR": "Unrated", "NC-17": "Adult"}
RATINGS = {rating.replace("-", ""): rating for rating in CATEGORIES} | {"UNRATED": "NR", "NOTRATED": "NR"}
RANGES = {
    "release_date_in_range": ("release_date", "date'1888-01-01'", "date'2100-12-31'"),
    "budget_in_range": ("budget", "0", "10000000000"),
    "box_office_in_range": ("box_office", "0", "10000000000"),
    "vote_average_in_range": ("vote_average", "0", "10"),
    "vote_count_in_range": ("vote_count", "0", "1000000000"),
    "runtime_in_range": ("runtime_minutes", "1", "1000"),
}


def load(spark: SparkSession, raw: str, lake: str) -> None:
    """Write every table of the lake from all files below raw/movies."""
    overwrite(typed(read_lines(spark, raw)), f"{lake}/bronze/movies")
    bronze = spark.read.format("delta").load(f"{lake}/bronze/movies")
    rejected = bronze.where(F.size("_rules") > 0)
    line = F.col("_broken_line").alias("_original")
    overwrite(rejected.select("movie_id", "_file", "_rules", line), f"{lake}/quarantine/movies")
    overwrite(newest_versions(bronze.where(F.size("_rules") == 0)), f"{lake}/silver/movies")
    silver = spark.read.format("delta").load(f"{lake}/silver/movies")
    for key in ("genre", "studio", "release_year"):
        overwrite(totals(silver, key), f"{lake}/gold/movies_by_{key}")


def overwrite(table: DataFrame, path: str) -> None:
    """Replace the Delta table at the path."""
    table.write.format("delta").mode("overwrite").option("compression", "zstd").save(path)


def read_lines(spark: SparkSession, raw: str) -> DataFrame:
    """One row per line: its fields as text, its file, and the line itself if it is no record."""
    schema = ", ".join(f"{name} string" for name in (*FIELDS, "_broken_line"))
    reader = spark.read.schema(schema).option("columnNameOfCorruptRecord", "_broken_line")
    lines = reader.option("recursiveFileLookup", True).json(f"{raw}/raw/movies")
    return lines.select("*", F.col("_metadata.file_name").alias("_file"))


def typed(lines: DataFrame) -> DataFrame:
    """One row per line: typed values, and in _rules the checks it failed; movie_id as it came."""
    # A select each, so that Spark works out every text and value once although checks use them again.
    texts = lines.select(
        "_file",
        "_broken_line",
        F.col("movie_id").alias("_movie_id"),
        *(trimmed(name).alias(name) for name in FIELDS),
    )
    values = texts.select("*", *(value.alias(f"_{name}") for name, value in typed_values().items()))
    failed = F.when(F.col("_broken_line").isNotNull(), F.array(F.lit("malformed_record"))).otherwise(
        F.array_compact(F.array(*failed_checks()))
    )
    return values.select(
        "_file", "_broken_line", failed.alias("_rules"), F.col("_movie_id").alias("movie_id"), "title",
        F.col("_genre").alias("genre"), F.coalesce("studio", F.lit("Unknown")).alias("studio"),
        *(F.col(f"_{name}").alias(name) for name in typed_values() if name != "genre"),
    )  # fmt: skip


def trimmed(name: str) -> Column:
    """The text without white space around it; null when nothing is left."""
    return F.nullif(F.btrim(F.col(name), F.lit(WHITE_SPACE)), F.lit(""))


def typed_values() -> dict[str, Column]:
    """What the trimmed texts mean; null for a text that means nothing."""
    genre = F.regexp_replace(F.lower("genre"), r"\s+", " ")
    rating = F.regexp_replace(F.upper(F.coalesce("rating", F.lit("NR"))), "[^A-Z0-9]", "")
    exact_vote = F.col("vote_average").try_cast("decimal(18,10)")
    vote = exact_vote.try_cast("decimal(4,2)")
    return {
        "genre": looked_up(GENRES, genre),
        "rating": looked_up(RATINGS, rating),
        "release_date": F.when(F.col("release_date").rlike(DATE), F.col("release_date").try_cast("date")),
        "budget": F.col("budget").try_cast("bigint"),
        "box_office": F.col("box_office").try_cast("bigint"),
        "vote_average": F.when(exact_vote == vote, vote),
        "vote_count": F.col("vote_count").try_cast("bigint"),
        "runtime_minutes": F.col("runtime_minutes").try_cast("int"),
        "updated_at": F.when(F.col("updated_at").rlike(TIMESTAMP), F.col("updated_at").try_cast("timestamp")),
    }


def looked_up(names: dict[str, str], text: Column) -> Column:
    """The name that the text is a spelling of."""
    return F.create_map(*(F.lit(word) for pair in names.items() for word in pair))[text]


def failed_checks() -> list[Column]:
    """For each check in the contract's order its name, or null when the record passes."""
    checks = []
    values = typed_values()
    for name in ("movie_id", "title", *values):
        missing = F.when(F.col(name).isNull(), F.lit(f"{name}_missing"))
        if name in REQUIRED:
            checks.append(missing)
        if name in values:
            is_invalid = F.col(name).isNotNull() & F.col(f"_{name}").isNull()
            checks.append(F.when(is_invalid, F.lit(f"{name}_invalid")))
    for rule, (name, least, most) in RANGES.items():
        checks.append(F.when(F.expr(f"_{name} not between {least} and {most}"), F.lit(rule)))
    return checks


def newest_versions(films: DataFrame) -> DataFrame:
    """One row per film: the version that was updated last."""
    version = F.struct(*(name for name in FIELDS if name != "movie_id"))
    newest = films.groupBy(trimmed("movie_id").alias("movie_id")).agg(F.max_by(version, "updated_at").alias("film"))
    category = looked_up(CATEGORIES, F.col("rating"))
    films = newest.select("movie_id", "film.*").withColumn("rating_category", category)
    return films.withColumn("release_year", F.year("release_date")).select(*SILVER_COLUMNS)


def totals(films: DataFrame, key: str) -> DataFrame:
    """One row per group of films."""
    both = F.col("box_office").isNotNull()
    votes = F.when(F.col("vote_average").isNotNull(), F.col("vote_count"))
    # min_by skips films without vote_average, because their place is null.
    place = F.when(
        F.col("vote_average").isNotNull(),
        F.struct(-F.col("vote_average"), -F.coalesce("vote_count", F.lit(-1)), "movie_id"),
    )
    sums = films.groupBy(key).agg(
        F.count("*").alias("movies"),
        F.sum("budget").alias("total_budget"),
        F.count("budget").alias("_budgets"),
        F.sum("box_office").alias("total_box_office"),
        F.count("box_office").alias("_box_offices"),
        F.sum(F.col("box_office") - F.col("budget")).alias("profit"),
        F.sum(F.when(both, F.col("budget"))).alias("_budgets_with_profit"),
        F.sum((F.col("vote_average") * 100).cast("bigint") * F.col("vote_count")).alias("_vote_hundredths"),
        F.sum(votes).alias("_votes"),
        F.min_by(F.struct("movie_id", "title"), place).alias("_best"),
    )
    return sums.select(
        *(key, "movies", "total_budget", "total_box_office"),
        quotient("total_budget", F.col("_budgets"), 20, 2).alias("average_budget"),
        quotient("total_box_office", F.col("_box_offices"), 20, 2).alias("average_box_office"),
        "profit",
        quotient("profit", F.col("_budgets_with_profit"), 20, 4).alias("return_on_investment"),
        quotient("_vote_hundredths", F.col("_votes") * 100, 4, 2).alias("average_vote"),
        F.col("_best.movie_id").alias("best_movie_id"),
        F.col("_best.title").alias("best_movie"),
    )


def quotient(numerator: str, denominator: Column, digits: int, places: int) -> Column:
    """The quotient of two whole numbers, rounded half away from zero; null when the denominator is 0."""
    # 18 places before the rounding: too many for it to be rounded twice to something else.
    exact = F.col(numerator).cast("decimal(20,0)") / F.nullif(denominator, F.lit(0)).cast("decimal(18,0)")
    return F.round(exact, places).cast(f"decimal({digits},{places})")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Load all films by hand-written PySpark and Delta.")
    parser.add_argument("--lake", required=True, help="the folder to write the tables to")
    parser.add_argument("--raw", required=True, help="the folder above raw/")
    options = parser.parse_args()
    spark = SparkSession.builder.appName("bare movies").getOrCreate()
    load(spark, options.raw, options.lake)
    spark.stop()


if __name__ == "__main__":
    main()
