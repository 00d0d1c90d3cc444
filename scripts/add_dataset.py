"""Writes the first files of a dataset from a sample of its files: `make new PIPELINE=orders SAMPLE=orders.csv`.

Declaration, script and first case are whole and run at once; names, types and descriptions are proposals to go over.
"""

from __future__ import annotations

import argparse
import keyword
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

import dataset_case
import dataset_files
import pipeline_checks
import progress
from lakehouse.declaration import DeclarationError
from lakehouse.reader import read
from proposal import Proposal, is_legal, propose
from sample import SampleError, read_sample

ROOT = Path(__file__).resolve().parent.parent
PIPELINES, CASES = Path("glue_scripts/pipelines"), Path("tests/pipelines")
TAKEN = ("main", "runs", "sys", "values")
"""Names that a script, or the lake, has already."""
CASE, LAKE = "first", "my-lake"


def add(name: str, path: Path, key: str | None, root: Path = ROOT) -> tuple[Proposal, list[Path]]:
    """Writes a dataset and returns it with its files, or raises before anything is written."""
    _refuse_name(name)
    targets = [root / CASES / name, root / PIPELINES / f"{name}.py", root / PIPELINES / f"{name}.yaml"]
    if there := [target for target in targets if target.exists()]:
        raise SampleError(
            f"{there[0].relative_to(root)} is there already: choose another name, or change that pipeline"
        )
    proposal = propose(name, read_sample(path, name), key)
    _refuse_namesakes(proposal, root)
    with tempfile.TemporaryDirectory(dir=root / PIPELINES.parent, prefix=".new-") as folder:
        staged = _stage(proposal, Path(folder))
        _move(staged, targets)
    return proposal, [file for target in targets for file in ([target] if target.is_file() else _files(target))]


def _refuse_name(name: str) -> None:
    if not is_legal(name) or keyword.iskeyword(name) or name in TAKEN:
        raise SampleError(
            f"PIPELINE={name}: can't be the name of a table and a function; take one of lower case, digits and "
            "underscores that is no word of SQL or Python, such as orders"
        )


def _refuse_namesakes(proposal: Proposal, root: Path) -> None:
    for other in map(read, sorted((root / PIPELINES).glob("[a-z]*.yaml"))):
        tables = {*other.bronze, *other.silver, *other.gold}
        if both := tables & {proposal.name, proposal.gold}:
            raise SampleError(f"{other.name}.yaml declares a table {min(both)} already: choose another PIPELINE=")


def _stage(proposal: Proposal, folder: Path) -> list[Path]:
    """The same files in a folder beside the pipelines, checked as the build checks them."""
    for place, content in dataset_case.case(proposal).items():
        path = folder / "case" / CASE / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    script, declaration = folder / f"{proposal.name}.py", folder / f"{proposal.name}.yaml"
    script.write_text(dataset_files.script(proposal), encoding="utf-8")
    declaration.write_text(dataset_files.declaration(proposal), encoding="utf-8")
    ruff = Path(sys.executable).with_name("ruff")
    subprocess.run([ruff, "format", "--quiet", "--config", ROOT / "pyproject.toml", script], check=True)
    pipeline_checks.check(declaration)
    return [folder / "case", script, declaration]


def _move(staged: list[Path], targets: list[Path]) -> None:
    moved: list[tuple[Path, Path]] = []
    try:
        for source, target in zip(staged, targets, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)
            moved.append((source, target))
    except BaseException:
        for source, target in moved:
            target.rename(source)
        raise


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def show(console: Console, proposal: Proposal, files: list[Path], sample: Path, root: Path = ROOT) -> None:
    """Prints what was proposed and written, and what to do next."""
    records = len(next(iter(proposal.sample.columns.values())))
    table = Table(
        "column", "type", "taken from", "", title=f"{proposal.name}: {records:,} records", title_justify="left"
    )
    for field in proposal.fields:
        part = "key" if field.name in proposal.key else "newest wins" if field.name in proposal.newest_by else ""
        table.add_row(*map(Text, (field.name, field.type, field.source, "; ".join(filter(None, (part, field.note))))))
    for source, held in proposal.sample.unclear.items():
        table.add_row("", "", Text(source), Text(f"{held}: stays in bronze, as text"))
    console.print(table)
    for file in files:
        console.print(f"wrote {file.relative_to(root)}", markup=False, soft_wrap=True)
    raw = f"{LAKE}/raw/{proposal.name}"
    console.print(
        "Next: go over names, types and descriptions, then\n"
        f"  mkdir -p {raw} && cp {shlex.quote(str(sample))} {raw}/\n"
        f"  make run PIPELINE={proposal.name} LAKE={LAKE}\n"
        f'  make query LAKE={LAKE} SQL="SELECT * FROM {proposal.gold}"',
        markup=False,
        soft_wrap=True,
    )


def main(root: Path = ROOT) -> int:
    """Command line: exit code 2 and one clear message when name, sample or key won't do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", required=True, help="name of the new pipeline, and of its table")
    parser.add_argument(
        "--sample", required=True, type=Path, help="a CSV or JSON-lines file as the dataset's files are"
    )
    parser.add_argument(
        "--key", help="column that identifies rows, or several with commas; found if there is an obvious one"
    )
    options = parser.parse_args()
    try:
        proposal, files = add(options.pipeline, options.sample, options.key, root)
    except (SampleError, DeclarationError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    show(progress.open_console(), proposal, files, options.sample, root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
