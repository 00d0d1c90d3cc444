"""The list of what is deployed: build/package/manifest.json, which Terraform, the upload and the doctor read.

Each artefact is stored under a key that holds its hash, so code and infrastructure can't be mixed up. The manifest
also holds the hash of every source, which tells a stale build without building again. Needs no package.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("build/package")
MANIFEST = PACKAGE / "manifest.json"
SOURCES = (
    "glue_scripts/lakehouse/*.py",
    "glue_scripts/pipelines/*.py",
    "glue_scripts/pipelines/*.yaml",
    "lambda/*.py",
    "requirements-lambda.txt",
    "delta_jars/SHA256SUMS",
)
"""What a package is built from, relative to the repository's root."""


class ManifestError(Exception):
    """There is no usable manifest, or a file isn't the one that it names."""


@dataclass(frozen=True)
class Artifact:
    """One file that is deployed; `file` is relative to the repository's root."""

    name: str
    file: str
    sha256: str

    @property
    def key(self) -> str:
        """Where it lies in the deployment bucket."""
        name = Path(self.name)
        return f"artifacts/{name.stem}-{self.sha256[:16]}{name.suffix}"


def write_manifest(root: Path, artifacts: Iterable[Artifact]) -> Path:
    """Write the manifest whole or not at all."""
    entries = {each.name: {"file": each.file, "sha256": each.sha256, "key": each.key} for each in artifacts}
    document = {"artifacts": entries, "sources": source_sums(root)}
    unfinished = root / MANIFEST.with_suffix(".part")
    unfinished.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return unfinished.replace(root / MANIFEST)


def read_manifest(root: Path = ROOT) -> list[Artifact]:
    """The artefacts of the last build, each checked to be the file that was built."""
    artifacts = [Artifact(name, entry["file"], entry["sha256"]) for name, entry in _read(root)["artifacts"].items()]
    for each in artifacts:
        path = root / each.file
        if not path.is_file() or sha256(path) != each.sha256:
            raise ManifestError(f"{path} isn't the file that {MANIFEST} names: run make package")
    return artifacts


def source_sums(root: Path = ROOT) -> dict[str, str]:
    """The SHA-256 of each source by its path."""
    files = sorted(path for pattern in SOURCES for path in root.glob(pattern))
    return {path.relative_to(root).as_posix(): sha256(path) for path in files}


def changed_sources(root: Path = ROOT) -> list[str]:
    """The sources that were added, removed or changed since the build."""
    built, now = _read(root)["sources"], source_sums(root)
    return sorted(name for name in built.keys() | now.keys() if built.get(name) != now.get(name))


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(root: Path) -> dict[str, Any]:
    try:
        document = json.loads((root / MANIFEST).read_bytes())
        return {"artifacts": document["artifacts"], "sources": document["sources"]}
    except FileNotFoundError:
        raise ManifestError("nothing is built: run make package") from None
    except (ValueError, KeyError, TypeError):
        raise ManifestError(f"{root / MANIFEST} can't be read: run make package") from None
