"""`make` alone tells what there is, and wrong calls say how it is meant."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PIPELINES = sorted(path.stem for path in (ROOT / "glue_scripts" / "pipelines").glob("[a-z]*.yaml"))
TARGETS = re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE)


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make as a user does, not as a child of the make that runs the tests."""
    outer = (
        "MAKEFLAGS",
        "MAKELEVEL",
        "MFLAGS",
        "PIPELINE",
        "SQL",
        "LAKE",
        "ENV",
        "NAME",
        "START",
        "DAYS",
        "RATE",
        "SECONDS",
        "TABLE",
        "KEY",
        "SAMPLE",
        "REPOSITORY",
    )
    environment = {name: value for name, value in os.environ.items() if name not in outer}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_every_target_has_help() -> None:
    documented = re.findall(r"^([a-z][a-z-]*):[^=\n]*## \S", MAKEFILE, re.MULTILINE)
    assert documented == TARGETS


def test_every_target_is_phony() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony is not None
    assert phony.group(1).split() == TARGETS


def test_make_alone_lists_every_target_with_its_help() -> None:
    answer = make()
    assert answer.returncode == 0
    assert re.findall(r"^  make (\S+) +\S", answer.stdout, re.MULTILINE) == TARGETS
    assert len(answer.stdout.splitlines()) == len(TARGETS)
    assert "make run PIPELINE=movies" in answer.stdout


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("run", "which pipeline? Usage: make run PIPELINE=name [ENV=local | LAKE=folder]; there are: "),
        (
            "new",
            "which dataset, from what? Usage: make new PIPELINE=name SAMPLE=file.csv [KEY=column,...]; there are: ",
        ),
        ("repair", "what is to be repaired? Usage: make repair PIPELINE=name LAKE=folder; there are: "),
        (
            "replay",
            "what is to be rebuilt? Usage: make replay PIPELINE=name [ENV=local | LAKE=folder] [SWITCH=1]; there are: ",
        ),
        (
            "migrate",
            "whose columns? Usage: make migrate PIPELINE=name [ENV=local | LAKE=folder] [ACCEPT_LOSS=1]; there are: ",
        ),
        ("preview", "whose gold rows? Usage: make preview PIPELINE=name LAKE=folder; there are: "),
        ("maintain", "whose tables? Usage: make maintain PIPELINE=name [ENV=local | LAKE=folder]; there are: "),
        ("archive", "whose files? Usage: make archive PIPELINE=name [ENV=local | LAKE=folder]; there are: "),
        ("quarantine", "whose rejects? Usage: make quarantine PIPELINE=name [ENV=local | LAKE=folder]; there are: "),
        ("readmit", "whose rejects? Usage: make readmit PIPELINE=name [ENV=local | LAKE=folder]; there are: "),
        (
            "erase",
            "who is to be erased? Usage: make erase PIPELINE=name PERSON=id [ENV=local | LAKE=folder]; there are: ",
        ),
        ("delivery", "whose jobs? Usage: make delivery REPOSITORY=owner/name [ENV=local] [IDENTITY_PROVIDER=arn]"),
        ("query", 'which query? Usage: make query SQL="select ..." [ENV=local | LAKE=folder]'),
        ("trace", "which row? Usage: make trace TABLE=movies_by_genre KEY=genre=Drama [ENV=local | LAKE=folder]"),
        ("backfill", "which days? Usage: make backfill START=2026-11-01 DAYS=3 [ENV=local]"),
        ("stream", "how many events, how long? Usage: make stream RATE=50 SECONDS=60 [ENV=local]"),
        ("fire", "what is to be fired? Usage: make fire NAME=schedule [TIME=2026-11-02T02:00:00Z]"),
    ],
)
def test_a_missing_argument_is_named_before_anything_runs(target: str, message: str) -> None:
    answer = make(target)
    assert answer.returncode == 2
    assert message in answer.stderr
    assert answer.stdout == ""
    if message.endswith("there are: "):
        listed = answer.stderr.partition(message)[2].splitlines()[0].removesuffix(".  Stop.")
        assert sorted(listed.split()) == PIPELINES


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\n[ "$1" = --version ] && { echo "Python 3.8.18"; exit 0; }\nexit 1\n')
    python.chmod(0o755)
    stamp = tmp_path / "stamp"
    answer = make(f"PYTHON={python}", f"STAMP={stamp}", str(stamp))
    assert answer.returncode == 2
    expected = f"Python 3.11 or newer is needed, {python} is Python 3.8.18; name another one: make PYTHON="
    assert expected in answer.stderr
    assert not stamp.exists()


@pytest.mark.parametrize(
    ("target", "variable", "options"),
    [
        ("query", "SQL", ["scripts/query.py", "--lake", "films"]),
        ("trace", "KEY", ["scripts/trace_row.py", "--lake", "films", "--table", "t", "--key"]),
        ("new", "KEY", ["scripts/add_dataset.py", "--pipeline", "p", "--sample", "s.csv", "--key"]),
    ],
)
def test_what_is_asked_for_reaches_the_script_unchanged(
    tmp_path: Path, target: str, variable: str, options: list[str]
) -> None:
    printer = tmp_path / "python"
    printer.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    printer.chmod(0o755)
    stamp = tmp_path / "stamp"
    stamp.touch()
    text = "select '$HOME $(shell id) `id`' as \"a b\" from t"
    place = ("LAKE=films", "TABLE=t", "PIPELINE=p", "SAMPLE=s.csv", f"BIN={tmp_path}", f"STAMP={stamp}")
    answer = make(f"--old-file={stamp}", target, f"{variable}={text}", *place)
    assert answer.stdout.splitlines() == [*options, text]
