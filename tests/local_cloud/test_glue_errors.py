"""The message of a failed run is the line that a person wants to read."""

from __future__ import annotations

import pytest

from local_cloud.glue_errors import error_message

PYTHON = """\
something before
Traceback (most recent call last):
  File "movies.py", line 5, in <module>
    raise ValueError("no such film")
ValueError: no such film
"""
CHAINED = """\
Traceback (most recent call last):
  File "a.py", line 1, in <module>
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
lakehouse.storage.Changed: s3://lake/x is gone
"""
JAVA = """\
Traceback (most recent call last):
  File "movies.py", line 5, in <module>
py4j.protocol.Py4JJavaError: An error occurred while calling o45.save.
: org.apache.spark.SparkException: no file
\tat org.apache.spark.sql.DataFrameWriter.save(DataFrameWriter.scala:1)
Caused by: java.nio.file.AccessDeniedException: s3://lake
\tat org.apache.hadoop.fs.s3a.S3AUtils.translateException(S3AUtils.java:270)
Caused by: software.amazon.awssdk.services.s3.model.S3Exception: Forbidden
\t... 21 more
"""
SYNTAX = """\
  File "movies.py", line 1
    def
       ^
SyntaxError: invalid syntax
"""


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (PYTHON, "ValueError: no such film"),
        (CHAINED, "lakehouse.storage.Changed: s3://lake/x is gone"),
        (JAVA, "org.apache.spark.SparkException: no file; Caused by: java.nio.file.AccessDeniedException: s3://lake"),
        (JAVA.partition("Caused")[0], "org.apache.spark.SparkException: no file"),
        (SYNTAX, "SyntaxError: invalid syntax"),
        ("movies.py: error: argument --layer: invalid choice: 'tin'\n", None),
        ("java.lang.Exception: x\n\tat a.B(C.scala:1)\n\t... 14 more\n", "java.lang.Exception: x"),
        ("", "the script ended with exit code 3 and said nothing"),
    ],
)
def test_the_message_is_the_last_error(said: str, message: str | None) -> None:
    assert error_message(said.splitlines(), 3) == (message or said.strip())


def test_a_killed_script_is_told_from_one_that_exits() -> None:
    assert error_message([], -9) == "the script ended with signal 9 and said nothing"


def test_a_message_is_never_longer_than_glue_takes() -> None:
    assert len(error_message(["x" * 5000], 1)) == 4000
