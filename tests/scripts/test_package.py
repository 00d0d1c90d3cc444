"""What is deployed is checked first, and the same sources give the same bytes."""

from __future__ import annotations

import fcntl
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

import artifacts
import fetch_jars
import package
import pipeline_checks
from artifacts import Artifact
from function_imports import FunctionError
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


FUNCTION = "def handler(event, context):\n    return {'greeting': 'hello'}\n"
JARS = ("delta-spark_4.1_2.13-4.2.0.jar", "delta-storage-4.2.0.jar")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one good pipeline, one function without dependencies, and jars."""
    for name in ("glue_scripts/lakehouse", "glue_scripts/pipelines"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "__init__.py").write_text(f'"""{Path(name).name}."""\n')
    (tmp_path / "glue_scripts" / "lakehouse" / "engine.py").write_text("RUNS = True\n")
    (tmp_path / "glue_scripts" / "lakehouse" / "__pycache__").mkdir()
    (tmp_path / "glue_scripts" / "lakehouse" / "__pycache__" / "engine.py").write_text("")
    write(tmp_path / "glue_scripts", declaration(), SCRIPT)
    (tmp_path / "lambda").mkdir()
    (tmp_path / "lambda" / "greet.py").write_text(FUNCTION)
    (tmp_path / "requirements-lambda.txt").write_text("# nothing\n")
    return add_jars(tmp_path)


def add_jars(root: Path) -> Path:
    """Jars that are none, and their sums."""
    (root / "delta_jars").mkdir()
    for name in JARS:
        (root / "delta_jars" / name).write_text(name)
    sums = "".join(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in JARS)
    (root / "delta_jars" / "SHA256SUMS").write_text(sums)
    return root


@pytest.fixture
def source(root: Path) -> Path:
    """Its folder of pipelines."""
    return root / "glue_scripts"


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


def test_nobody_else_builds_meanwhile(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_manifest = package.write_manifest

    def written(root: Path, artifacts: list[Artifact]) -> Path:
        with (root / "build" / "package.lock").open("wb") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return write_manifest(root, artifacts)

    monkeypatch.setattr(package, "write_manifest", written)
    assert package.package(root) == package.package(root)


def test_a_package(root: Path, source: Path) -> None:
    artifacts = package.package(root)
    script = (source / "pipelines" / "shop.py").read_bytes()
    function = root / "build" / "package" / "functions" / "greet.zip"
    assert [(each.name, each.file) for each in artifacts] == [
        ("lakehouse.zip", "build/package/lakehouse.zip"),
        ("greet.zip", "build/package/functions/greet.zip"),
        ("shop.py", "glue_scripts/pipelines/shop.py"),
        ("delta-spark.jar", f"delta_jars/{JARS[0]}"),
        ("delta-storage.jar", f"delta_jars/{JARS[1]}"),
    ]
    assert artifacts[2].sha256 == hashlib.sha256(script).hexdigest()
    canonical = read(source / "pipelines" / "shop.yaml").canonical_json().encode()
    assert (root / "build" / "package" / "pipelines" / "shop.json").read_bytes() == canonical
    assert unzipped(root / artifacts[0].file) == {
        "lakehouse/__init__.py": b'"""lakehouse."""\n',
        "lakehouse/engine.py": b"RUNS = True\n",
        "pipelines/__init__.py": b'"""pipelines."""\n',
        "pipelines/shop.json": canonical,
        "pipelines/shop.py": script,
    }
    assert unzipped(function) == {"greet.py": FUNCTION.encode()}


def unzipped(path: Path) -> dict[str, bytes]:
    """The files of a zip that is whole and in order."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted(archive.namelist())
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_manifest_names_each_artefact_by_its_content(root: Path) -> None:
    artifacts = package.package(root)
    manifest = json.loads((root / "build" / "package" / "manifest.json").read_text())
    assert list(manifest["artifacts"]) == sorted(each.name for each in artifacts)
    digest = hashlib.sha256((root / "build" / "package" / "lakehouse.zip").read_bytes()).hexdigest()
    assert manifest["artifacts"]["lakehouse.zip"] == {
        "file": "build/package/lakehouse.zip",
        "sha256": digest,
        "key": f"artifacts/lakehouse-{digest[:16]}.zip",
    }
    digest = hashlib.sha256(JARS[0].encode()).hexdigest()
    assert manifest["artifacts"]["delta-spark.jar"]["key"] == f"artifacts/delta-spark-{digest[:16]}.jar"


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_bytes_twice(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    package.package(root)
    elsewhere = tmp_path_factory.mktemp("other") / "repository"  # other times, modes and order of files
    shutil.copytree(root, elsewhere, copy_function=shutil.copyfile, ignore=shutil.ignore_patterns("build"))
    for path in elsewhere.rglob("*.py"):
        path.chmod(0o700)
        os.utime(path, (1, 1))
    package.package(elsewhere)
    first = contents(root / "build" / "package")
    assert len(first) == 4
    assert contents(elsewhere / "build" / "package") == first
    package.package(root)
    assert contents(root / "build" / "package") == first


def test_other_code_makes_another_zip_and_nothing_else(root: Path, source: Path) -> None:
    before = {each.name: each.key for each in package.package(root)}
    (source / "lakehouse" / "engine.py").write_text("RUNS = 5\n")
    after = {each.name: each.key for each in package.package(root)}
    assert [name for name in before if before[name] != after[name]] == ["lakehouse.zip"]


def test_what_is_gone_leaves_nothing(root: Path) -> None:
    built = root / "build" / "package"
    for name in ("pipelines/gone.json", "functions/gone.zip", "lakehouse.zip.part"):
        (built / name).parent.mkdir(parents=True, exist_ok=True)
        (built / name).write_text("{}")
    package.package(root)
    files = {path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file()}
    assert files == {"pipelines/shop.json", "functions/greet.zip", "lakehouse.zip", "manifest.json"}


def test_nothing_is_written_when_something_is_wrong(root: Path, source: Path) -> None:
    write(source, changed("silver.items.rules.price_in_range", "prize > 0"), SCRIPT)
    with pytest.raises(DeclarationError):
        package.package(root)
    assert not (root / "build" / "package").exists()


def test_two_artefacts_of_one_name_are_refused(root: Path) -> None:
    (root / "lambda" / "lakehouse.py").write_text(FUNCTION)
    with pytest.raises(FunctionError, match=r"^two artefacts are called lakehouse\.zip: rename the function$"):
        package.package(root)
    assert not (root / "build" / "package").exists()


@pytest.mark.parametrize("content", [None, "other bytes"])
def test_a_jar_that_is_missing_or_another_is_refused(root: Path, content: str | None) -> None:
    jar = root / "delta_jars" / JARS[1]
    jar.unlink() if content is None else jar.write_text(content)
    with pytest.raises(fetch_jars.JarError) as refused:
        package.package(root)
    assert str(refused.value) == f"{jar} isn't there as SHA256SUMS names it: run make jars"


def test_a_list_without_a_delta_jar_is_refused(root: Path) -> None:
    sums = root / "delta_jars" / "SHA256SUMS"
    sums.write_text(sums.read_text().splitlines()[0] + "\n")
    with pytest.raises(fetch_jars.JarError) as refused:
        package.package(root)
    assert str(refused.value) == f"{sums} must name one jar of delta-storage, not 0"


def test_the_declaration_is_found_in_the_zip(tmp_path: Path) -> None:
    """In a process of its own that has only the zip, as a Glue job has."""
    (tmp_path / "glue_scripts").symlink_to(ROOT / "glue_scripts")
    (tmp_path / "requirements-lambda.txt").touch()
    built = tmp_path / package.package(add_jars(tmp_path))[0].file
    code = "from lakehouse.job import find_declaration; print(find_declaration('movies').canonical_json())"
    environment = {**os.environ, "PYTHONPATH": str(built), "PYTHONDONTWRITEBYTECODE": "1"}
    answer = subprocess.run(
        [sys.executable, "-c", f"import lakehouse, sys; sys.stderr.write(lakehouse.__file__); {code}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stderr == str(built / "lakehouse" / "__init__.py")
    expected = read(ROOT / "glue_scripts" / "pipelines" / "movies.yaml")
    assert parse("movies", answer.stdout, "movies.json") == expected
    assert (tmp_path / "build/package/pipelines/movies.json").read_bytes() == expected.canonical_json().encode()


def test_the_command_shows_what_it_built(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["package.py"])
    assert package.main(root) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["file", "bytes", "sha256"]
    assert [line.split() for line in lines[1:]] == [
        [each.file, f"{(root / each.file).stat().st_size:,}", each.sha256[:12]] for each in read_manifest_in_order(root)
    ]


def read_manifest_in_order(root: Path) -> list[artifacts.Artifact]:
    """The artefacts as they are shown: zips, scripts, jars."""
    order = ("lakehouse.zip", "greet.zip", "shop.py", "delta-spark.jar", "delta-storage.jar")
    return sorted(artifacts.read_manifest(root), key=lambda each: order.index(each.name))


def test_the_command_shows_the_one_mistake(
    root: Path, source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(source, changed("silver.items.rules.price_in_range", "prize > 0"), SCRIPT)
    monkeypatch.setattr(sys, "argv", ["package.py"])
    assert package.main(root) == 1
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
