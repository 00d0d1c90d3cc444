"""What is deployed is checked first, and the same sources give the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.lakehouse.shop import changed, declaration

import package
import pipeline_checks
from lakehouse.declaration import DeclarationError
from lakehouse.reader import parse, read

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = '''
    """shop: items and their kinds."""

    from __future__ import annotations

    from datetime import date, datetime

    from pyspark.sql import DataFrame
    from pyspark.sql import functions as F

    from lakehouse import values

    OPENED = date(2026, 11, 1)


    def items(bronze: DataFrame) -> DataFrame:
        """One row per item; now() and rand() only stand in this text."""
        then = F.unix_timestamp("day"), F.expr("unix_timestamp(day, 'yyyy')"), datetime.fromisoformat("2026-11-01")
        return bronze.where("kind <> 'now()'").select(values.text("current_date").alias("random"), "uuid")


    def items_by_kind(items: DataFrame) -> DataFrame:
        """One row per kind."""
        return items.groupBy("kind").agg(F.count(F.lit(1)).alias("items"))
'''


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder like glue_scripts with one good pipeline."""
    folder = tmp_path / "source"
    for name in ("lakehouse", "pipelines"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f'"""{name}."""\n')
    (folder / "lakehouse" / "engine.py").write_text("RUNS = True\n")
    (folder / "lakehouse" / "__pycache__").mkdir()
    (folder / "lakehouse" / "__pycache__" / "engine.py").write_text("")
    write(folder, declaration(), SCRIPT)
    return folder


def write(source: Path, document: dict[str, Any], script: str) -> None:
    """Writes the pipeline."""
    (source / "pipelines" / "shop.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    (source / "pipelines" / "shop.py").write_text(textwrap.dedent(script))


def complaint(source: Path) -> str:
    """The one mistake that is found."""
    with pytest.raises(DeclarationError) as refused:
        pipeline_checks.check_all(source / "pipelines")
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_package(source: Path, tmp_path: Path) -> None:
    built = package.package(source, tmp_path / "built")
    assert built == [tmp_path / "built" / "pipelines" / "shop.json", tmp_path / "built" / "lakehouse.zip"]
    canonical = read(source / "pipelines" / "shop.yaml").canonical_json().encode()
    assert built[0].read_bytes() == canonical
    with zipfile.ZipFile(built[1]) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "lakehouse/__init__.py": b'"""lakehouse."""\n',
            "lakehouse/engine.py": b"RUNS = True\n",
            "pipelines/__init__.py": b'"""pipelines."""\n',
            "pipelines/shop.json": canonical,
            "pipelines/shop.py": (source / "pipelines" / "shop.py").read_bytes(),
        }
        assert archive.namelist() == sorted(archive.namelist())


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_bytes_twice(source: Path, tmp_path: Path) -> None:
    package.package(source, tmp_path / "first")
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(source, elsewhere, copy_function=shutil.copyfile)  # other times, other order of files
    for path in elsewhere.rglob("*.py"):
        path.chmod(0o700)
        os.utime(path, (1, 1))
    package.package(elsewhere, tmp_path / "second")
    assert contents(tmp_path / "first") == contents(tmp_path / "second")
    package.package(source, tmp_path / "first")
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


def test_other_code_makes_another_zip_and_no_other_declaration(source: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in package.package(source, tmp_path / "built")}
    (source / "lakehouse" / "engine.py").write_text("RUNS = 5\n")
    after = {path.name: path.read_bytes() for path in package.package(source, tmp_path / "built")}
    assert {name: before[name] == after[name] for name in before} == {"shop.json": True, "lakehouse.zip": False}


def test_a_pipeline_that_is_gone_leaves_nothing(source: Path, tmp_path: Path) -> None:
    stale = tmp_path / "built" / "pipelines" / "gone.json"
    stale.parent.mkdir(parents=True)
    stale.write_text("{}")
    package.package(source, tmp_path / "built")
    assert not stale.exists()


def test_nothing_is_written_when_something_is_wrong(source: Path, tmp_path: Path) -> None:
    write(source, changed("silver.items.rules.price_in_range", "prize > 0"), SCRIPT)
    with pytest.raises(DeclarationError):
        package.package(source, tmp_path / "built")
    assert not (tmp_path / "built").exists()


def test_the_declaration_is_found_in_the_zip(tmp_path: Path) -> None:
    """In a process of its own that has only the zip, as a Glue job has."""
    built = package.package(target=tmp_path / "built")
    code = "from lakehouse.job import find_declaration; print(find_declaration('movies').canonical_json())"
    environment = {**os.environ, "PYTHONPATH": str(built[-1]), "PYTHONDONTWRITEBYTECODE": "1"}
    answer = subprocess.run(
        [sys.executable, "-c", f"import lakehouse, sys; sys.stderr.write(lakehouse.__file__); {code}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stderr == str(built[-1] / "lakehouse" / "__init__.py")
    expected = read(ROOT / "glue_scripts" / "pipelines" / "movies.yaml")
    assert parse("movies", answer.stdout, "movies.json") == expected
    assert built[0].read_bytes() == expected.canonical_json().encode()


def test_the_command_shows_what_it_built(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("ROOT", tmp_path), ("SOURCE", source), ("TARGET", tmp_path / "built")):
        monkeypatch.setattr(package, name, value)
    monkeypatch.setattr(package.package, "__defaults__", (source, tmp_path / "built"))
    monkeypatch.setattr(sys, "argv", ["package.py"])
    assert package.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["file", "bytes", "sha256"]
    files = [tmp_path / "built" / "pipelines" / "shop.json", tmp_path / "built" / "lakehouse.zip"]
    assert [line.split() for line in lines[1:]] == [
        [
            path.relative_to(tmp_path).as_posix(),
            f"{path.stat().st_size:,}",
            hashlib.sha256(path.read_bytes()).hexdigest()[:12],
        ]
        for path in files
    ]


def test_the_command_shows_the_one_mistake(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(source, changed("silver.items.rules.price_in_range", "prize > 0"), SCRIPT)
    monkeypatch.setattr(package.package, "__defaults__", (source, tmp_path / "built"))
    monkeypatch.setattr(sys, "argv", ["package.py"])
    assert package.main() == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: shop.yaml: silver.items.rules.price_in_range: unknown column prize; known: ")
    assert shown.err.count("\n") == 1


def test_the_repository_is_clean() -> None:
    found = pipeline_checks.check_all(ROOT / "glue_scripts" / "pipelines")
    names = sorted(path.stem for path in (ROOT / "glue_scripts" / "pipelines").glob("[a-z]*.yaml"))
    assert [pipeline.name for pipeline in found] == names
    assert "movies" in names


def test_the_sample_dataset_is_clean() -> None:
    assert [each.name for each in pipeline_checks.check_all(ROOT / "tests" / "pipelines" / "parcels")] == ["parcels"]


def test_the_shipped_json_is_read_back(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = declaration()
    del document["gold"]["items_by_kind"]["description"]
    monkeypatch.setattr("lakehouse.declaration.Pipeline.canonical_json", lambda pipeline: json.dumps(document))
    assert complaint(source) == "shop.json: gold.items_by_kind.description: missing key"
