"""movies: films from a generated catalogue, typed and normalised, then summed up by genre, studio and release year."""

from __future__ import annotations

import sys

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse import values
from lakehouse.job import main

GENRES = {
    "Action": ("acton", "aktion"),
    "Adventure": ("adventrue", "advenure"),
    "Animation": ("animaton", "animated"),
    "Comedy": ("commedy", "comdy"),
    "Crime": ("crme", "criem"),
    "Documentary": ("documentry", "docu"),
    "Drama": ("dramma", "darma"),
    "Fantasy": ("fantsy", "phantasy"),
    "Horror": ("horor", "horrror"),
    "Romance": ("romanse", "romace"),
    "Science Fiction": ("sci-fi", "scifi", "sci fi", "science-fiction"),
    "Thriller": ("thriler", "triller"),
}
SPELLINGS = {spelling: genre for genre, others in GENRES.items() for spelling in (genre.lower(), *others)}
RATINGS = {
    "G": "G",
    "PG": "PG",
    "PG13": "PG-13",
    "R": "R",
    "NC17": "NC-17",
    "NR": "NR",
    "UNRATED": "NR",
    "NOTRATED": "NR",
}
AUDIENCES = {
    "G": "General",
    "PG": "Family",
    "PG-13": "Teen",
    "R": "Mature",
    "NC-17": "Adult",
    "NR": "Unrated",
}


def movies(bronze: DataFrame) -> DataFrame:
    """One row per version of a film."""
    rating_code = F.regexp_replace(F.upper(F.coalesce(values.text("rating"), F.lit("NR"))), "[^A-Z0-9]", "")
    rating = values.lookup(rating_code, RATINGS)
    return bronze.select(
        values.text("movie_id").alias("movie_id"),
        values.text("title").alias("title"),
        values.lookup(values.spelling("genre"), SPELLINGS).alias("genre"),
        F.coalesce(values.text("studio"), F.lit("Unknown")).alias("studio"),
        rating.alias("rating"),
        values.lookup(rating, AUDIENCES).alias("rating_category"),
        values.date("release_date").alias("release_date"),
        F.year(values.date("release_date")).alias("release_year"),
        values.integer("budget").alias("budget"),
        values.integer("box_office").alias("box_office"),
        values.decimal("vote_average", 4, 2).alias("vote_average"),
        values.integer("vote_count").alias("vote_count"),
        values.integer("runtime_minutes", "int").alias("runtime_minutes"),
        values.timestamp("updated_at").alias("updated_at"),
        "_record",
    )


def movies_by_genre(movies: DataFrame) -> DataFrame:
    """One row per genre."""
    return _summed_up(movies, "genre")


def movies_by_studio(movies: DataFrame) -> DataFrame:
    """One row per studio."""
    return _summed_up(movies, "studio")


def movies_by_release_year(movies: DataFrame) -> DataFrame:
    """One row per year of first release."""
    return _summed_up(movies, "release_year")


def _summed_up(movies: DataFrame, group: str) -> DataFrame:
    complete = F.col("budget").isNotNull() & F.col("box_office").isNotNull()
    voted = F.col("vote_average").isNotNull() & F.col("vote_count").isNotNull()
    profit = F.sum(F.when(complete, F.col("box_office") - F.col("budget")))
    # The smallest movie_id wins a tie: Spark's max_by takes the greatest, so the comparison runs the other way round.
    best = F.min_by(
        F.struct("movie_id", "title"),
        F.when(
            F.col("vote_average").isNotNull(),
            F.struct(-F.col("vote_average"), -F.coalesce("vote_count", F.lit(-1)), "movie_id"),
        ),
    )
    return movies.groupBy(group).agg(
        F.count(F.lit(1)).alias("movies"),
        F.sum("budget").alias("total_budget"),
        values.ratio(F.sum("budget"), F.count("budget"), "decimal(20,2)").alias("average_budget"),
        F.sum("box_office").alias("total_box_office"),
        values.ratio(F.sum("box_office"), F.count("box_office"), "decimal(20,2)").alias("average_box_office"),
        profit.alias("profit"),
        values.ratio(profit, F.sum(F.when(complete, F.col("budget"))), "decimal(20,4)").alias("return_on_investment"),
        values.ratio(
            F.sum(F.when(voted, F.col("vote_average") * F.col("vote_count"))),
            F.sum(F.when(voted, F.col("vote_count"))),
            "decimal(4,2)",
        ).alias("average_vote"),
        best["movie_id"].alias("best_movie_id"),
        best["title"].alias("best_movie"),
    )


if __name__ == "__main__":
    main(sys.modules[__name__])
