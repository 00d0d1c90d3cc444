"""A corpus of bad files: their bytes, what must become of them, and what plain Spark makes of them."""
