"""MiniStack's inside is looked through when the cloud starts: all that we build on is there, or nothing starts."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ministack.services import glue

from local_cloud import control, glue_jobs, replacements, server

# Starts each part as the server does, in a process that is thrown away, and prints what they have asked for.
STARTS = """
import importlib, json
from local_cloud import replacements, server

asked, original = [], replacements.require

def require(module, name, parameters=None):
    asked.append(f"{module.__name__}.{name}")
    return original(module, name, parameters)

replacements.require = require
importlib.import_module("ministack.app")
for part in server.PARTS:
    importlib.import_module(f"local_cloud.{part}").install()
print(json.dumps(asked))
"""


def used(file: Path) -> Iterator[str]:
    """The names inside MiniStack's modules that a module of ours uses, in full."""
    tree, modules = ast.parse(file.read_text(encoding="utf-8")), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("ministack"):
            modules |= {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield f"{modules[node.value.id]}.{node.attr}"


def test_all_that_is_used_is_looked_for_when_the_cloud_starts(tmp_path: Path) -> None:
    variables = server.environment(tmp_path, 4566, cold=True) | {"PYTHONPATH": str(control.PACKAGE.parent)}
    (tmp_path / "tmp").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", STARTS], env=variables, capture_output=True, text=True, timeout=120, check=True
    )
    names = {name for file in control.PACKAGE.glob("*.py") for name in used(file)}
    assert len(names) > 50
    assert names - set(json.loads(done.stdout.splitlines()[-1])) == set()


def test_a_part_whose_ground_is_gone_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    # What the part has put into MiniStack until then is taken out again.
    monkeypatch.setattr(replacements, "setattr", monkeypatch.setattr, raising=False)
    monkeypatch.delattr(glue, "_start_job_run")
    with pytest.raises(replacements.ChangedInside, match=r"ministack\.services\.glue\._start_job_run is gone"):
        glue_jobs.install()
