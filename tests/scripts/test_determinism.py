"""Whatever gives another value in another run is found, in SQL and in Python; what only looks like it isn't."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

import determinism

GLUE_SCRIPTS = Path(__file__).resolve().parents[2] / "glue_scripts"
SCRIPTS = (*sorted((GLUE_SCRIPTS / "pipelines").glob("*.py")), GLUE_SCRIPTS / "lakehouse" / "values.py")
"""The transforms, and what they are made of."""


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("now() > updated_at", "now()"),
        ("updated_at < NOW ( )", "now()"),
        ("updated_at < current_timestamp", "current_timestamp()"),
        ("updated_at < CURRENT_TIMESTAMP()", "current_timestamp()"),
        ("day <= current_date", "current_date()"),
        ("day <= curdate()", "curdate()"),
        ("at < localtimestamp()", "localtimestamp()"),
        ("x > unix_timestamp()", "unix_timestamp()"),
        ("rand() < 0.5", "rand()"),
        ("rand(5) < 0.5", "rand()"),
        ("randn() < 0.5", "randn()"),
        ("random() < 0.5", "random()"),
        ("uniform(1, 9) < 5", "uniform()"),
        ("id = uuid()", "uuid()"),
        ("shuffle(list)[0] = 1", "shuffle()"),
        ("monotonically_increasing_id() > 1", "monotonically_increasing_id()"),
        ("spark_partition_id() = 0", "spark_partition_id()"),
        ("input_file_name() like '%x'", "input_file_name()"),
        ("user_name = current_user", "current_user()"),
        ("`now`() > at", "now()"),
        ("case when a then length(b) + rand() end", "rand()"),
        ("kind = 'now()'", None),
        ('kind = "rand()"', None),
        ("random > 1 and now < 2 and uuid is null", None),
        ("`current_date` > 1", None),
        ("unix_timestamp(day) > 1", None),
        ("a /* now() */ > 1 -- rand()", None),
        ("renown(1) > brand(2)", None),
        ("", None),
        ("a", None),
        ("'unclosed", None),
    ],
)
def test_sql(sql: str, found: str | None) -> None:
    assert determinism.in_sql(sql) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [("now() as at", "now()"), ("current_date", None), ("see now (or later)", "now()"), ("no. 5: it's rand", None)],
)
def test_texts_that_may_be_sql(text: str, found: str | None) -> None:
    assert determinism.in_sql(text, whole=False) == found


def found(line: str) -> tuple[str, int, str] | None:
    """What is found in a function with one line."""
    head = "from datetime import date, datetime\nfrom pyspark.sql import functions as F\n\n\ndef items(bronze):\n"
    return determinism.in_script(ast.parse(f"{head}    {line}\n"))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("return bronze.withColumn('at', F.now())", "now()"),
        ("return bronze.withColumn('at', F.current_timestamp())", "current_timestamp()"),
        ("return bronze.where(F.col('day') < F.current_date())", "current_date()"),
        ("return bronze.withColumn('id', F.uuid())", "uuid()"),
        ("return bronze.withColumn('x', F.rand(5))", "rand()"),
        ("return bronze.withColumn('x', F.monotonically_increasing_id())", "monotonically_increasing_id()"),
        ("return bronze.withColumn('x', F.shuffle('list'))", "shuffle()"),
        ("return bronze.withColumn('x', F.unix_timestamp())", "unix_timestamp()"),
        ("return bronze.sample(0.5)", "sample()"),
        ("return bronze.sampleBy('kind', {})", "sampleBy()"),
        ("return bronze.randomSplit([1, 2])[0]", "randomSplit()"),
        ("return bronze.withColumn('at', F.lit(datetime.now()))", "now()"),
        ("return bronze.withColumn('at', F.lit(date.today()))", "today()"),
        ("return bronze.withColumn('at', F.expr('now()'))", "now()"),
        ("return bronze.withColumn('at', F.expr(f'{1} + rand()'))", "rand()"),
        ("return bronze.selectExpr('*', 'uuid() as id')", "uuid()"),
        ("return bronze.where('day < current_date')", "current_date()"),
        ("return bronze.filter(F.expr('day < ' + 'current_timestamp'))", "current_timestamp()"),
        ("text = 'uuid() as id'; return bronze.selectExpr(text)", "uuid()"),
        ("random = F.rand; return bronze.withColumn('x', random())", "rand()"),
        ("return bronze.withColumn('x', F.call_function('rand'))", "rand()"),
        ("return bronze.withColumn('x', getattr(F, 'uuid')())", "uuid()"),
        ("import random", "import random"),
        ("import uuid as identity", "import uuid"),
        ("from time import time", "from time import ..."),
        ("from secrets import token_hex", "from secrets import ..."),
        ("from pyspark.sql.functions import col, rand as chance", "rand()"),
    ],
)
def test_script(line: str, name: str) -> None:
    assert found(line) == ("items", 6, name)


@pytest.mark.parametrize(
    "line",
    [
        "return bronze.select(F.col('now'), 'uuid', F.lit('rand'))",
        "return bronze.where(\"kind = 'now()'\")",
        "return bronze.withColumn('current_date', F.to_date('day'))",
        "return bronze.withColumn('x', F.unix_timestamp('day'))",
        "return bronze.where(F.col('day') < F.lit(date(2026, 11, 1)))",
        "return bronze.withColumn('at', F.lit(datetime.fromisoformat('2026-11-01')))",
        "'''Neither now() nor rand().'''",
        "random, uuid = 1, 2; return bronze.limit(random + uuid)",
        "from datetime import time; return time(12)",
        "return {'today': 1}['today']",
    ],
)
def test_what_only_looks_like_it(line: str) -> None:
    assert found(line) is None


def test_the_place_is_told() -> None:
    script = textwrap.dedent(
        '''
        """now()"""
        from pyspark.sql import functions as G

        CLOCK = "now"
        BROKEN = "a, now() b"

        def items(bronze):
            """now()"""
            def inner():
                return G.rand
        '''
    )
    assert determinism.in_script(ast.parse(script)) == ("top level", 6, "now()")
    assert determinism.in_script(ast.parse(script.replace("now() b", "b"))) == ("items", 11, "rand()")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_repositorys_own_scripts(path: Path) -> None:
    assert determinism.in_script(ast.parse(path.read_text(encoding="utf-8"))) is None
