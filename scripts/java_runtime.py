"""Find the Java runtime that Spark needs: version 17, the one that Glue 6.0 runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REQUIRED_VERSION = 17
HOW_TO_GET_IT = (
    "install Java 17 (Debian, Ubuntu: sudo apt install openjdk-17-jre-headless; "
    "macOS: brew install openjdk@17) or set JAVA_HOME to one"
)
USUAL_PLACES = (
    "/usr/lib/jvm/*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "/opt/homebrew/opt/openjdk@17/libexec/openjdk.jdk/Contents/Home",
    "/usr/local/opt/openjdk@17/libexec/openjdk.jdk/Contents/Home",
    str(Path.home() / ".sdkman/candidates/java/*"),
)


class JavaNotFoundError(Exception):
    """No Java runtime of the required version is on this machine; `found` tells which others are."""

    def __init__(self, found: str) -> None:
        super().__init__(f"Java {REQUIRED_VERSION} is needed, found {found}: {HOW_TO_GET_IT}")
        self.found = found


@dataclass(frozen=True)
class Java:
    """One Java runtime: its folder and its full version, such as 17.0.15."""

    home: Path
    version: str

    @property
    def major(self) -> int:
        """The feature release: 17 for 17.0.15."""
        return int(re.split(r"\D", self.version)[0])


def find_java() -> Java:
    """The first runtime of the required version: JAVA_HOME, then PATH, then the usual places."""
    found = []
    for home in _candidates():
        java = _inspect(home)
        if java is None or java in found:
            continue
        if java.major == REQUIRED_VERSION:
            return java
        found.append(java)
    raise JavaNotFoundError(", ".join(f"{java.version} in {java.home}" for java in found) or "no Java")


def _candidates() -> Iterator[Path]:
    # GitHub's runners name their installed runtimes JAVA_HOME_17_X64 and the like.
    for name in ("JAVA_HOME", f"JAVA_HOME_{REQUIRED_VERSION}_X64", f"JAVA_HOME_{REQUIRED_VERSION}_arm64"):
        if os.environ.get(name):
            yield Path(os.environ[name])
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path).resolve().parent.parent
    for pattern in USUAL_PLACES:
        yield from sorted(Path("/").glob(pattern.lstrip("/")))


def _inspect(home: Path) -> Java | None:
    if not (home / "bin" / "java").is_file():
        return None
    try:
        # Every JDK since 9 has this file, and reading it costs nothing; starting Java does.
        release = (home / "release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _ask(home / "bin" / "java")
    version = re.search(r'^JAVA_VERSION="(\d[^"]*)"', release, re.MULTILINE)
    return Java(home, version.group(1)) if version else None


def _ask(program: Path) -> Java | None:
    # macOS has a /usr/bin/java that only passes the call on, or fails when there is no Java.
    answer = subprocess.run(
        [program, "-XshowSettings:properties", "-version"], capture_output=True, text=True, check=False
    )
    home = re.search(r"^\s*java\.home = (.+)$", answer.stderr, re.MULTILINE)
    version = re.search(r"^\s*java\.version = (\d\S*)$", answer.stderr, re.MULTILINE)
    return Java(Path(home.group(1)), version.group(1)) if home and version else None
