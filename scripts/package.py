"""Builds what is deployed, into build/package: pipelines, engine, functions, and the manifest that names them.

Checks all of it first; the same sources give the same bytes, on any machine.
"""

from __future__ import annotations

import argparse
import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fetch_jars
import function_package
import pipeline_checks
import reproducible_zip
from artifacts import MANIFEST, PACKAGE, ROOT, Artifact, sha256, write_manifest
from function_imports import FunctionError
from lakehouse.declaration import DeclarationError, Pipeline

ARCHIVE = "lakehouse.zip"
JARS = ("delta-spark", "delta-storage")
"""Delta Lake's own jars, for jobs that don't take Glue's."""


def package(root: Path = ROOT) -> list[Artifact]:
    """Checks all sources below the root and builds the package; returns what is deployed.

    Waits for another build of the same folder. Raises DeclarationError, FunctionError or JarError at the first
    mistake, before anything is written.
    """
    with _alone(root):
        return _build(root)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Lets one build at a time write into a folder: each deletes what isn't its own, unfinished files too."""
    lock = root / PACKAGE.with_suffix(".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _build(root: Path) -> list[Artifact]:
    source = root / "glue_scripts"
    pipelines = pipeline_checks.check_all(source / "pipelines")
    dependencies = function_package.install(root / "requirements-lambda.txt", root / "build" / "functions")
    functions = function_package.members(root / "lambda", dependencies)
    kept = [*_scripts(root, pipelines), *_jars(root)]
    _refuse_namesakes([ARCHIVE, *(f"{name}.zip" for name in functions), *(each.name for each in kept)])
    declarations = {f"pipelines/{each.name}.json": each.canonical_json().encode() for each in pipelines}
    code = [*(source / "lakehouse").glob("*.py"), *(source / "pipelines").glob("*.py")]
    engine = declarations | {path.relative_to(source).as_posix(): path.read_bytes() for path in code}
    zips = {ARCHIVE: engine, **{f"functions/{name}.zip": content for name, content in functions.items()}}
    _write(root / PACKAGE, declarations | {name: reproducible_zip.pack(content) for name, content in zips.items()})
    artifacts = [*(_artifact(root, Path(name).name, root / PACKAGE / name) for name in zips), *kept]
    write_manifest(root, artifacts)
    return artifacts


def _scripts(root: Path, pipelines: list[Pipeline]) -> list[Artifact]:
    folder = root / "glue_scripts" / "pipelines"
    return [_artifact(root, f"{each.name}.py", folder / f"{each.name}.py") for each in pipelines]


def _jars(root: Path) -> list[Artifact]:
    folder = root / "delta_jars"
    sums = fetch_jars.read_sums(folder / "SHA256SUMS")
    found = []
    for name in JARS:
        jars = [folder / jar for jar in sums if jar.startswith((f"{name}_", f"{name}-"))]
        if len(jars) != 1:
            raise fetch_jars.JarError(f"{folder / 'SHA256SUMS'} must name one jar of {name}, not {len(jars)}")
        if not jars[0].is_file() or sha256(jars[0]) != sums[jars[0].name]:
            raise fetch_jars.JarError(f"{jars[0]} isn't there as SHA256SUMS names it: run make jars")
        found.append(_artifact(root, f"{name}.jar", jars[0]))
    return found


def _artifact(root: Path, name: str, path: Path) -> Artifact:
    return Artifact(name, path.relative_to(root).as_posix(), sha256(path))


def _refuse_namesakes(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise FunctionError(f"two artefacts are called {name}: rename the function")


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """Makes the folder hold these files and no other, but for the manifest; each is written whole or not at all."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.part")
        unfinished.write_bytes(content)
        unfinished.replace(path)
    wanted = {folder / name for name in files} | {folder / MANIFEST.name}
    for path in folder.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()


def show(artifacts: list[Artifact], root: Path) -> None:
    """Prints what was built."""
    print(f"{'file':<50} {'bytes':>11}  sha256")
    for each in artifacts:
        print(f"{each.file:<50} {(root / each.file).stat().st_size:>11,}  {each.sha256[:12]}")


def main(root: Path = ROOT) -> int:
    """Command line: exit code 1 with the one mistake that was found first."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    try:
        artifacts = package(root)
    except (DeclarationError, FunctionError, fetch_jars.JarError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    show(artifacts, root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
