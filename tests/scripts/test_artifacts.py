"""The manifest is read back only when it is whole and names what is there, and tells a stale build."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import artifacts
from artifacts import Artifact, ManifestError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one source and a build of one file."""
    for name in ("lambda/greet.py", "glue_scripts/lakehouse/engine.py", "glue_scripts/pipelines/shop.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / artifacts.PACKAGE).mkdir(parents=True)
    (tmp_path / artifacts.PACKAGE / "greet.zip").write_text("zip")
    artifacts.write_manifest(tmp_path, [built()])
    return tmp_path


def built() -> Artifact:
    """The artefact of that build."""
    return Artifact("greet.zip", "build/package/greet.zip", hashlib.sha256(b"zip").hexdigest())


def test_the_key_holds_the_hash() -> None:
    digest = hashlib.sha256(b"zip").hexdigest()
    assert built().key == f"artifacts/greet-{digest[:16]}.zip"


def test_what_was_written_is_read(root: Path) -> None:
    assert artifacts.read_manifest(root) == [built()]
    assert [path.name for path in (root / artifacts.PACKAGE).iterdir() if path.suffix == ".part"] == []


def test_no_build(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"^nothing is built: run make package$"):
        artifacts.read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"artifacts": {}}'])
def test_a_broken_manifest_is_named(root: Path, text: str) -> None:
    (root / artifacts.MANIFEST).write_text(text)
    with pytest.raises(ManifestError) as refused:
        artifacts.read_manifest(root)
    assert str(refused.value) == f"{root / artifacts.MANIFEST} can't be read: run make package"


@pytest.mark.parametrize("change", [lambda path: path.unlink(), lambda path: path.write_text("other")])
def test_a_file_that_is_not_the_built_one_is_named(root: Path, change: object) -> None:
    path = root / "build/package/greet.zip"
    change(path)  # type: ignore[operator]
    with pytest.raises(ManifestError) as refused:
        artifacts.read_manifest(root)
    assert str(refused.value) == f"{path} isn't the file that build/package/manifest.json names: run make package"


def test_sources_that_were_added_changed_or_removed_since_the_build_are_named(root: Path) -> None:
    assert artifacts.changed_sources(root) == []
    (root / "lambda" / "new.py").write_text("new")
    (root / "glue_scripts/lakehouse/engine.py").write_text("changed")
    (root / "glue_scripts/pipelines/shop.yaml").unlink()
    expected = ["glue_scripts/lakehouse/engine.py", "glue_scripts/pipelines/shop.yaml", "lambda/new.py"]
    assert artifacts.changed_sources(root) == expected
