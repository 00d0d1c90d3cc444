"""What the project needs in its own folder: packages, jars, a build that fits, a cloud that answers."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import socket
from pathlib import Path

import artifacts
import fetch_jars
from direct_http import SECONDS_TO_ANSWER, is_healthy
from machine_checks import Check

ROOT = Path(__file__).resolve().parent.parent
NAMES_SHOWN = 5
LAST_PORT = 65535
RESTART = "make down, which clears up what is left, then make up, which takes a free port"


def check_packages(root: Path = ROOT) -> Check:
    """The packages in .venv: each in the version that requirements-dev.txt pins."""
    wanted = pinned_versions((root / "requirements-dev.txt").read_text(encoding="utf-8"))
    needed = f"{len(wanted)} packages in .venv"
    folders = [str(folder) for folder in root.glob(".venv/lib/python*/site-packages")]
    if not folders:
        return Check("Packages", needed, "no .venv", "make setup")
    present = {
        normal_name(package.metadata["Name"]): package.version
        for package in importlib.metadata.distributions(path=folders)
    }
    wrong = [
        f"{name} {present.get(name, 'missing')} instead of {version}"
        for name, version in sorted(wanted.items())
        if present.get(name) != version
    ]
    if not wrong:
        return Check("Packages", needed, f"{len(wanted)} as pinned")
    more = f" and {len(wrong) - NAMES_SHOWN} more" if len(wrong) > NAMES_SHOWN else ""
    return Check("Packages", needed, ", ".join(wrong[:NAMES_SHOWN]) + more, "make setup")


def pinned_versions(requirements: str) -> dict[str, str]:
    """Version by package; those with a condition are left out, since not every machine needs them."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+) \\$", requirements, re.MULTILINE)
    return {normal_name(name): version for name, version in pins}


def normal_name(name: str) -> str:
    """The one spelling of a package's name that the index compares by."""
    return re.sub(r"[-_.]+", "-", name).lower()


def check_jars() -> Check:
    """The Delta Lake jars, each with its sum."""
    try:
        sums = fetch_jars.expected_jars()
        missing = fetch_jars.missing_jars(fetch_jars.JAR_FOLDER, sums)
    except fetch_jars.JarError as error:
        return Check("Delta jars", "as in SHA256SUMS", "something else", str(error))
    if missing:
        return Check("Delta jars", "as in SHA256SUMS", f"{', '.join(missing)} missing", "make setup")
    return Check("Delta jars", "as in SHA256SUMS", f"{len(sums)} verified")


def check_build(root: Path = ROOT) -> Check:
    """What `make package` has built: whole, and of the sources as they are."""
    name, needed = "Build", "none, or of these sources"
    if not (root / artifacts.MANIFEST).exists():
        return Check(name, needed, "none; make apply builds it")
    try:
        built, changed = artifacts.read_manifest(root), artifacts.changed_sources(root)
    except artifacts.ManifestError as error:
        return Check(name, needed, str(error).rpartition(":")[0], "make package")
    if not changed:
        return Check(name, needed, f"{len(built)} artefacts of these sources")
    more = f" and {len(changed) - NAMES_SHOWN} more" if len(changed) > NAMES_SHOWN else ""
    return Check(name, needed, f"changed since: {', '.join(changed[:NAMES_SHOWN])}{more}", "make package")


def check_cloud(root: Path = ROOT) -> Check:
    """The laptop cloud: none, or one whose process and port are still its own."""
    name, needed = "Laptop cloud", "none, or one that answers"
    state_file = root / "build" / "cloud" / "cloud.json"
    try:
        state = json.loads(state_file.read_bytes())
        pid, port = int(state["pid"]), int(state["port"])
    except FileNotFoundError:
        return Check(name, needed, *_without_cloud())
    except (ValueError, KeyError, TypeError):
        return Check(name, needed, f"{state_file}, which can't be read", "end its process yourself and delete the file")
    if is_healthy(port):
        return Check(name, needed, f"process {pid} at http://127.0.0.1:{port}")
    process = f"process {pid}" if _is_alive(pid) else f"process {pid} is gone"
    if _is_held(port):
        return Check(name, needed, f"{process}, and port {port} is another program's", RESTART)
    return Check(name, needed, f"{process}, and nothing answers on port {port}", RESTART)


def _without_cloud() -> tuple[str, str]:
    """What is found where no cloud is, and what to do when none can be started."""
    wanted = os.environ.get("GATEWAY_PORT", "")
    remedy = "give another port in GATEWAY_PORT, or unset it: make up then takes a free one"
    if wanted and not (wanted.isdecimal() and int(wanted) <= LAST_PORT):
        return f"none, and GATEWAY_PORT is {wanted!r}, which is no port", remedy
    if wanted and _is_held(int(wanted)):
        return f"none, and port {wanted}, which GATEWAY_PORT names, is another program's", remedy
    return "none; make up starts one", ""


def _is_held(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(SECONDS_TO_ANSWER)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, as somebody else's
    return True
