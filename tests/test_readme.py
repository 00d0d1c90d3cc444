"""The README can be trusted: its commands run, its output is real, and what it names is there."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

import demo
from local_cloud import control

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
SHELL = [block.splitlines() for language, block in BLOCKS if language == "sh"]
PAGES = [path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))]
SHOWN = [
    line for page in PAGES for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()
]


def run(command: str) -> str:
    """What a command of the README prints, in a shell of its own."""
    # A make that is started by a make announces the folders that it enters.
    outer = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    environment = {name: value for name, value in os.environ.items() if name not in outer} | {"COLUMNS": "200"}
    done = subprocess.run(
        command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def commands_with(first: str) -> list[str]:
    """The commands of the block that begins so."""
    return next(block for block in SHELL if block[0].startswith(first))


@pytest.mark.timeout(1200)
def test_the_two_commands_print_what_the_readme_shows() -> None:
    setup, demonstrate = commands_with("make setup")
    run(setup)
    printed = _squeezed(run(demonstrate))
    shown = next(block for language, block in BLOCKS if language == "text").splitlines()
    assert len(shown) > 5
    assert [line for line in shown if _squeezed(line) not in printed] == []
    titles = {title for name in demo.USUAL for title in demo.PARTS[name].QUERIES}
    assert {*titles, "Next:"} - {*printed.splitlines()} == set()
    # Bronze is idle in the run that heals, too.
    assert re.findall(r"^movies (\w+): idle in", printed, re.MULTILINE) == ["bronze", "bronze", "silver", "gold"]
    assert control.running(demo.FOLDER) is None


@pytest.mark.timeout(1200)
def test_the_steps_work_one_after_the_other() -> None:
    steps = commands_with("make up")
    assert (steps[0], steps[-1]) == ("make up", "make down")
    assert control.running() is None, "a laptop cloud is up, and this test would stop it: make down first"
    try:
        printed = [run(step) for step in steps[:-1]]
    finally:
        run(steps[-1])
    best = "Action 271 23359429686 6.61 Murphy's River"
    assert best in _squeezed(printed[steps.index(next(step for step in steps if step.startswith("make query")))])
    trace, status = printed[-2:]
    assert "silver.movies (genre = Drama): " in trace
    # The files may have come in more than one batch.
    assert re.search(r"bronze (\d) of \1 batches, silver \1 of \1, gold 3 of 3 tables up to date", status)


def test_the_commands_on_a_folder_work(tmp_path: Path) -> None:
    generate, *others = commands_with(".venv/bin/python lambda/")
    printed = {}
    for command in (generate, *others):
        assert "my-lake" in command
        printed[command.split()[1]] = run(command.replace("my-lake", str(tmp_path / "lake")))
    assert "raw/movies/2026/11/07/movies-2026-11-07.jsonl" in printed["query"]
    assert "silver.movies (release_year = 2005): " in printed["trace"]
    assert re.search(r" raw/movies/2026/11/0\d/movies-2026-11-0\d\.jsonl +\d+$", printed["trace"], re.MULTILINE)
    assert "bronze 1 of 1 batches, silver 1 of 1, gold 3 of 3 tables up to date" in printed["status"]


def _squeezed(text: str) -> str:
    return re.sub(r" +", " ", text).strip()


@pytest.mark.parametrize("target", sorted({word for c in SHOWN for word in re.findall(r"^make (\w+)", c)}))
def test_names_targets_that_exist(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_ci_runs_the_command_that_it_names() -> None:
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1:] == commands_with("make check")


def test_names_every_folder() -> None:
    tree = next(block for language, block in BLOCKS if block.startswith("glue_scripts/"))
    named = {line.split("/")[0] for line in tree.splitlines() if line and not line.startswith(" ")}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    folders = {path.split("/")[0] for path in tracked if "/" in path and not path.startswith(".")}
    assert named == folders


def test_links_lead_somewhere() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md"]
    broken = [
        f"{page.name}: {link}"
        for page in pages
        for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    assert broken == []
