"""Fetch the jars for Spark into delta_jars/ and verify each against its SHA-256.

Two lists: SHA256SUMS names Delta Lake's jars, which a Glue job can bring along, and SHA256SUMS.laptop what only
a laptop needs: S3 for Spark. Needs no Maven: Ivy, which pyspark carries, resolves delta_jars/ivy.xml from Maven
Central through the user's ordinary Ivy cache. Does nothing, in a few milliseconds, when the verified jars are there.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import java_runtime

ROOT = Path(__file__).resolve().parent.parent
JAR_FOLDER = ROOT / "delta_jars"
SUMS_FILE = JAR_FOLDER / "SHA256SUMS"
LAPTOP_SUMS_FILE = JAR_FOLDER / "SHA256SUMS.laptop"
IVY_FILE = JAR_FOLDER / "ivy.xml"
BUILD_FOLDER = ROOT / "build"
TIMEOUT_SECONDS = 600


class JarError(Exception):
    """The jars can't be fetched, or they aren't the ones that the sums name."""


def expected_jars() -> dict[str, str]:
    """The SHA-256 of every jar that a laptop needs, by file name: Glue's list and the laptop's addition."""
    # Not with `|`, which needs Python 3.9: the doctor runs with older ones, too.
    return {**read_sums(SUMS_FILE), **read_sums(LAPTOP_SUMS_FILE)}


def read_sums(sums_file: Path) -> dict[str, str]:
    """The expected SHA-256 of each jar by file name, from a file in the format of sha256sum."""
    sums = {}
    for line in sums_file.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not name.endswith(".jar"):
            raise JarError(f"{sums_file}: not a line of sha256sum: {line!r}")
        sums[name] = digest
    return sums


def missing_jars(folder: Path, sums: dict[str, str]) -> list[str]:
    """The jars that the sums name and the folder lacks; any wrong or extra jar is an error."""
    present = {path.name: path for path in folder.glob("*.jar")}
    extra = sorted(present.keys() - sums.keys())
    if extra:
        raise JarError(f"{folder}: not in SHA256SUMS: {', '.join(extra)}; delete it and try again")
    for name, path in sorted(present.items()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != sums[name]:
            raise JarError(
                f"{path}: SHA-256 is {digest}, expected {sums[name]}; "
                "delete it, and what Ivy's cache (~/.ivy2/cache) holds of it, and try again"
            )
    return sorted(sums.keys() - present.keys())


def verify(folder: Path, sums: dict[str, str]) -> None:
    """Stop with an error unless the folder holds exactly the jars of the sums."""
    missing = missing_jars(folder, sums)
    if missing:
        raise JarError(f"{folder}: missing: {', '.join(missing)}; run make setup")


def retrieve(folder: Path) -> None:
    """Let Ivy put the artifacts of ivy.xml, of both lists, into the folder."""
    spark = find_spec("pyspark")
    if spark is None or spark.origin is None:
        raise JarError("pyspark is not installed: run make setup")
    ivy = sorted((Path(spark.origin).parent / "jars").glob("ivy-*.jar"))
    if len(ivy) != 1:
        raise JarError(f"expected one ivy-*.jar in pyspark, found {len(ivy)}")
    java = java_runtime.find_java().home / "bin" / "java"
    command = [
        *(str(java), "-jar", str(ivy[0]), "-warn", "-ivy", str(IVY_FILE)),
        *("-types", "jar", "-retrieve", str(folder / "[artifact]-[revision].[ext]")),
    ]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise JarError(f"Ivy took over {TIMEOUT_SECONDS} s: is Maven Central reachable?") from None
    if answer.returncode != 0:
        # Ivy lists each place that it tried; the reasons come last.
        reasons = (answer.stdout + answer.stderr).rpartition(":::: ERRORS")[2].split("\n")
        lines = "".join(f"\n  {line.strip()}" for line in reasons if line.strip())
        raise JarError(f"Ivy can't fetch the jars (put into {JAR_FOLDER} by hand, they do as well):{lines}")


def fetch(folder: Path, sums: dict[str, str]) -> list[str]:
    """Fetch what is missing, verify it, only then move it into place; returns the new names."""
    missing = missing_jars(folder, sums)
    if missing:
        BUILD_FOLDER.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BUILD_FOLDER, prefix="jars-") as staging:
            retrieve(Path(staging))
            verify(Path(staging), sums)
            for name in missing:
                os.replace(Path(staging) / name, folder / name)
    return missing


def main() -> int:
    """Command line: exit code 1 with one clear message when the jars can't be had."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    try:
        sums = expected_jars()
        if missing := missing_jars(JAR_FOLDER, sums):
            print(f"Fetching {len(missing)} jars for Spark from Maven Central ...", flush=True)
        fetched = fetch(JAR_FOLDER, sums)
    except (JarError, java_runtime.JavaNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if fetched:
        print(f"Fetched and verified {len(fetched)} jars in {JAR_FOLDER.name}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
