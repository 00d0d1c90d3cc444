"""Puts each Lambda function with its modules and dependencies together, as Lambda's Python wants to find them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from function_imports import FunctionError, handlers, reached

UNZIPPED_LIMIT = 250 * 1024 * 1024
"""Lambda's own limit in bytes."""
RUNTIME = (
    *("--platform", "manylinux2014_aarch64", "--python-version", "3.13", "--implementation", "cp"),
    *("--only-binary", ":all:"),
)
"""What pip must install for, wherever it runs: the runtime and architecture of terraform/modules/function."""
TIMEOUT_SECONDS = 600
# Written by pip for this machine: launchers with its paths, and the lists of files that name them.
OF_THIS_MACHINE = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
LEFT_OUT = {"__pycache__", "tests"}


def members(folder: Path, dependencies: Path) -> dict[str, dict[str, bytes]]:
    """The content of each function's zip, by the function's name."""
    installed = _installed(dependencies)
    importable = {name.partition("/")[0].removesuffix(".py") for name in installed}
    found = {}
    for handler in handlers(folder):
        files, used = reached(handler, importable)
        content = {path.name: path.read_bytes() for path in files}
        overlap = sorted(content.keys() & installed.keys())
        if overlap:
            raise FunctionError(f"{folder / overlap[0]} has the name of a file in requirements-lambda.txt: rename it")
        if used:
            content |= {name: path.read_bytes() for name, path in installed.items()}
        _check_size(handler, content)
        found[handler.stem] = content
    return found


def install(requirements: Path, cache: Path) -> Path:
    """The folder in which the requirements are installed for Lambda; made anew only when they have changed."""
    wanted = requirements.read_bytes()
    folder = cache / hashlib.sha256(wanted + repr(RUNTIME).encode()).hexdigest()[:16]
    if folder.is_dir():
        return folder
    shutil.rmtree(cache, ignore_errors=True)
    cache.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=cache) as staging:
        target = Path(staging) / "installed"
        target.mkdir()
        if b"==" in wanted:
            _pip_install(requirements, target)
        os.replace(target, folder)
    return folder


def _pip_install(requirements: Path, target: Path) -> None:
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"),
        *("--require-hashes", *RUNTIME, "--target", str(target), "--requirement", str(requirements)),
    ]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise FunctionError(f"pip took over {TIMEOUT_SECONDS} s: is the package index reachable?") from None
    if answer.returncode != 0:
        reasons = "".join(f"\n  {line}" for line in answer.stderr.strip().splitlines())
        raise FunctionError(f"pip can't install {requirements} for Lambda:{reasons}")


def _installed(dependencies: Path) -> dict[str, Path]:
    """The files that a function needs of what is installed, by their name in the zip."""
    files = {}
    for path in sorted(dependencies.rglob("*")):
        name = path.relative_to(dependencies)
        metadata = name.parts[0].endswith(".dist-info") and path.name in OF_THIS_MACHINE
        if path.is_file() and name.parts[0] != "bin" and not LEFT_OUT.intersection(name.parts) and not metadata:
            files[name.as_posix()] = path
    return files


def _check_size(handler: Path, content: dict[str, bytes]) -> None:
    size = sum(map(len, content.values()))
    if size > UNZIPPED_LIMIT:
        raise FunctionError(
            f"{handler} and its dependencies have {size:,} bytes, and Lambda takes {UNZIPPED_LIMIT:,}: "
            "leave a dependency out of the group `lambda` of pyproject.toml"
        )
