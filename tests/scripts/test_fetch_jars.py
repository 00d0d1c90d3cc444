"""Jars are used only when they are exactly the ones that the sums name."""

from __future__ import annotations

import hashlib
import xml.etree.ElementTree as ElementTree
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

import fetch_jars

CONTENT = {"a-1.jar": b"first", "b-2.jar": b"second"}
SUMS = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}


@pytest.fixture
def jar_folder(tmp_path: Path) -> Path:
    """A folder with exactly the expected jars."""
    for name, content in CONTENT.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "ivy.xml").write_text("not a jar")
    return tmp_path


@pytest.fixture
def no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail when Ivy would be started."""
    monkeypatch.setattr(fetch_jars, "retrieve", lambda folder: pytest.fail("Ivy was started"))


def test_the_expected_jars_are_verified(jar_folder: Path) -> None:
    fetch_jars.verify(jar_folder, SUMS)


def test_an_extra_jar_is_an_error_that_names_it(jar_folder: Path) -> None:
    (jar_folder / "c-3.jar").write_bytes(b"third")
    with pytest.raises(fetch_jars.JarError, match=r"not in SHA256SUMS: c-3\.jar; delete it"):
        fetch_jars.verify(jar_folder, SUMS)


def test_a_missing_jar_is_an_error_that_names_it(jar_folder: Path) -> None:
    (jar_folder / "b-2.jar").unlink()
    with pytest.raises(fetch_jars.JarError, match=r"missing: b-2\.jar; run make setup"):
        fetch_jars.verify(jar_folder, SUMS)


def test_a_different_jar_is_an_error_that_names_both_sums(jar_folder: Path) -> None:
    (jar_folder / "a-1.jar").write_bytes(b"changed")
    found = hashlib.sha256(b"changed").hexdigest()
    with pytest.raises(fetch_jars.JarError, match=rf"a-1\.jar: SHA-256 is {found}, expected {SUMS['a-1.jar']}"):
        fetch_jars.verify(jar_folder, SUMS)


@pytest.mark.usefixtures("no_java")
def test_nothing_is_fetched_when_all_is_there(jar_folder: Path) -> None:
    assert fetch_jars.fetch(jar_folder, SUMS) == []


@pytest.mark.usefixtures("no_java")
def test_a_different_jar_is_not_replaced_silently(jar_folder: Path) -> None:
    (jar_folder / "a-1.jar").write_bytes(b"changed")
    with pytest.raises(fetch_jars.JarError, match="expected"):
        fetch_jars.fetch(jar_folder, SUMS)
    assert (jar_folder / "a-1.jar").read_bytes() == b"changed"


def test_only_what_is_missing_is_put_in_place(
    jar_folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def retrieve(staging: Path) -> None:
        for name, content in CONTENT.items():
            (staging / name).write_bytes(content)

    build = tmp_path_factory.mktemp("project") / "build"
    monkeypatch.setattr(fetch_jars, "BUILD_FOLDER", build)
    monkeypatch.setattr(fetch_jars, "retrieve", retrieve)
    (jar_folder / "b-2.jar").unlink()
    assert fetch_jars.fetch(jar_folder, SUMS) == ["b-2.jar"]
    fetch_jars.verify(jar_folder, SUMS)
    assert list(build.iterdir()) == []


def test_a_wrong_download_is_never_put_in_place(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def retrieve(staging: Path) -> None:
        (staging / "a-1.jar").write_bytes(b"first")
        (staging / "b-2.jar").write_bytes(b"tampered with")

    monkeypatch.setattr(fetch_jars, "BUILD_FOLDER", tmp_path_factory.mktemp("build"))
    monkeypatch.setattr(fetch_jars, "retrieve", retrieve)
    with pytest.raises(fetch_jars.JarError, match=r"b-2\.jar: SHA-256 is"):
        fetch_jars.fetch(tmp_path, SUMS)
    assert list(tmp_path.iterdir()) == []


def test_a_broken_sums_file_is_an_error(tmp_path: Path) -> None:
    sums_file = tmp_path / "SHA256SUMS"
    sums_file.write_text("abc  a-1.jar\n")
    with pytest.raises(fetch_jars.JarError, match=r"not a line of sha256sum: 'abc  a-1\.jar'"):
        fetch_jars.read_sums(sums_file)


def jars_of_ivy_xml(configuration: str) -> set[str]:
    """The file names of the artifacts that ivy.xml names itself, for one of its two lists."""
    dependencies = ElementTree.parse(fetch_jars.IVY_FILE).iter("dependency")
    mine = [each.attrib for each in dependencies if each.attrib["conf"].startswith(f"{configuration}->")]
    return {f"{each['name']}-{each['rev']}.jar" for each in mine}


def test_glues_list_is_delta_lake_and_nothing_else() -> None:
    glue = fetch_jars.read_sums(fetch_jars.SUMS_FILE)
    assert set(glue) == jars_of_ivy_xml("glue") == {"delta-spark_4.1_2.13-4.2.0.jar", "delta-storage-4.2.0.jar"}


def test_the_laptops_list_adds_what_s3_needs() -> None:
    glue, laptop = fetch_jars.read_sums(fetch_jars.SUMS_FILE), fetch_jars.read_sums(fetch_jars.LAPTOP_SUMS_FILE)
    assert set(laptop) > jars_of_ivy_xml("laptop")
    assert "hadoop-aws-3.4.2.jar" in laptop
    assert not set(glue) & set(laptop)
    assert fetch_jars.expected_jars() == glue | laptop


def test_no_jar_that_pyspark_ships_comes_a_second_time() -> None:
    spark = find_spec("pyspark")
    assert spark is not None
    assert spark.origin is not None
    shipped = {path.name.rpartition("-")[0] for path in (Path(spark.origin).parent / "jars").glob("*.jar")}
    assert shipped & {name.rpartition("-")[0] for name in fetch_jars.expected_jars()} == set()


def test_a_jar_brings_its_python_package() -> None:
    """Jobs with Delta jars of their own import it from there: there is no other file of it."""
    (jar,) = fetch_jars.JAR_FOLDER.glob("delta-spark_*.jar")
    with zipfile.ZipFile(jar) as content:
        assert {"delta/__init__.py", "delta/tables.py"} <= set(content.namelist())
