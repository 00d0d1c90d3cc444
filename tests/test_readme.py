"""The README can be trusted: its commands run, its output is real, and what it names is there."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for language, block in BLOCKS if language == "sh" for line in block.splitlines()]


def run(command: str, lake: Path) -> str:
    """What a command of the README prints, on a lake of the test's own."""
    # As in a shell of its own: a make that is started by a make announces the folders that it enters.
    outer = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    environment = {name: value for name, value in os.environ.items() if name not in outer} | {"COLUMNS": "200"}
    command = re.sub(r"^make ", f"make LAKE={lake} ", command)
    done = subprocess.run(
        command,
        shell=True,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_two_commands_print_what_the_readme_shows(tmp_path: Path) -> None:
    demo, query = COMMANDS[:2]
    assert demo == "make demo"
    printed = run(demo, tmp_path / "lake")
    shown = [block for language, block in BLOCKS if language == "text"][:2]
    assert [line for line in shown[0].splitlines() if _squeezed(line) not in _squeezed(printed)] == []
    answer = run(query, tmp_path / "lake")
    assert [line.rstrip() for line in answer.splitlines()] == [line.rstrip() for line in shown[1].splitlines()]


def _squeezed(text: str) -> str:
    return re.sub(r" +", " ", text)


@pytest.mark.parametrize("target", sorted({word for c in COMMANDS for word in re.findall(r"^make (\w+)", c)}))
def test_names_targets_that_exist(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_names_every_folder_and_pipeline() -> None:
    tree = next(block for language, block in BLOCKS if block.startswith("glue_scripts/"))
    named = {line.split("/")[0] for line in tree.splitlines() if line and not line.startswith(" ")}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    folders = {path.split("/")[0] for path in tracked if "/" in path and not path.startswith(".")}
    assert named == folders
    pipelines = {path.stem for path in (ROOT / "glue_scripts" / "pipelines").glob("[a-z]*.yaml")}
    assert {name for name in pipelines if f"{name}.yaml" not in README} == set()


def test_links_lead_somewhere() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md"]
    broken = [
        f"{page.name}: {link}"
        for page in pages
        for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    assert broken == []
