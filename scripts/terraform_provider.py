"""Find a place from which Terraform can install the AWS provider: its own ways, or a mirror on this machine.

Its own ways are the registry, its configuration file and the plugin folders that it knows. Where none of them has
the provider, a folder that holds it in Terraform's layout does as well. Needs no package.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from terraform_program import clean

ROOT = Path(__file__).resolve().parent.parent
CHOICE = ROOT / "build" / "terraform" / "provider.json"
"""What has worked on this machine."""
MIRROR_VARIABLE = "OAKVALE_PROVIDER_MIRROR"
LAYOUT = "*/hashicorp/aws"
"""Where a mirror holds the provider, below its own folder; the first part is the registry's host."""
HOW_TO_GET_IT = (
    "connect to the internet, or make a mirror where there is a connection "
    f"(terraform -chdir=terraform providers mirror FOLDER), copy it here, and name it: export {MIRROR_VARIABLE}=FOLDER"
)
SECONDS_TO_ANSWER, TIMEOUT_SECONDS = 5, 30
# No version of this number exists: Terraform looks for it wherever it would look, and downloads nothing.
PROBE = 'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws", version = "0.0.0" }\n  }\n}\n'
REACHED = "no available releases match"
# The kernel's, people's own, and passing folders: no place for a mirror, or none to look around in.
NOT_SEARCHED = {
    *("Users", "Volumes", "dev", "home", "lost+found", "media", "mnt", "net", "private", "proc", "root", "run", "sys"),
    *("System", "tmp", "var"),
}


class ProviderError(Exception):
    """Terraform can't get the AWS provider: `reason` says why, `remedy` how it can."""

    def __init__(self, reason: str, remedy: str = HOW_TO_GET_IT) -> None:
        super().__init__(f"{reason}: {remedy}")
        self.reason, self.remedy = reason, remedy


def choose(program: str) -> Path | None:
    """The mirror to install from; None stands for Terraform's own ways. Raises ProviderError when nothing has it."""
    if named := os.environ.get(MIRROR_VARIABLE):
        if not is_mirror(Path(named)):
            raise ProviderError(f"{MIRROR_VARIABLE} is {named}, but there is no {LAYOUT} in it")
        return Path(named).absolute()
    reached, reason = reaches(program)
    if reached:
        return None
    mirror = next(mirrors(), None)
    if mirror is None:
        raise ProviderError(f"Terraform can't get the AWS provider ({reason}), and there is no mirror here")
    return mirror


def reaches(program: str) -> tuple[bool, str]:
    """Whether Terraform finds the provider by its own ways, and if not, why."""
    variables = {**clean(os.environ), "TF_REGISTRY_CLIENT_TIMEOUT": str(SECONDS_TO_ANSWER)}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "probe.tf").write_text(PROBE, encoding="utf-8")
        try:
            answer = subprocess.run(
                [program, f"-chdir={folder}", "init", "-no-color", "-input=false"],
                env={**variables, "TF_REGISTRY_DISCOVERY_RETRY": "0", "TF_DATA_DIR": str(Path(folder) / "data")},
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False, f"the registry doesn't answer within {TIMEOUT_SECONDS} s"
    said = " ".join(re.sub("[╷│╵]", " ", answer.stderr).split())
    return REACHED in said, said.partition("To see which modules")[0].strip()


def mirrors() -> Iterator[Path]:
    """The mirrors on this machine: in the usual places first, then in a bounded search."""
    seen = set()
    for folder in (*_usual_places(), *_found()):
        if folder not in seen and is_mirror(folder):
            seen.add(folder)
            yield folder


def is_mirror(folder: Path) -> bool:
    """Whether the folder holds the provider as Terraform expects it."""
    return any(folder.glob(LAYOUT))


def _usual_places() -> Iterator[Path]:
    if cache := os.environ.get("TF_PLUGIN_CACHE_DIR"):
        yield Path(cache)
    yield Path.home() / ".terraform.d" / "plugins"
    data = [os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")]
    data += (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    yield from (Path(folder) / "terraform" / "plugins" for folder in data if folder)


def _found(top: Path = Path("/")) -> Iterator[Path]:
    """Folders one or two levels below the top of the file system, as container images have them."""
    for folder in sorted(top.iterdir()):
        if folder.name not in NOT_SEARCHED and not folder.name.startswith(".") and folder.is_dir():
            for depth in ("", "*/"):
                yield from sorted(path.parents[2] for path in folder.glob(depth + LAYOUT))


def remembered() -> tuple[bool, Path | None]:
    """Whether there is a choice that has worked and still can, and which."""
    try:
        mirror = json.loads(CHOICE.read_bytes())["mirror"]
    except (OSError, ValueError, KeyError, TypeError):
        return False, None
    if os.environ.get(MIRROR_VARIABLE) or (mirror is not None and not is_mirror(Path(mirror))):
        return False, None
    return True, None if mirror is None else Path(mirror)


def remember(mirror: Path | None) -> None:
    """Keep a choice that has worked."""
    CHOICE.parent.mkdir(parents=True, exist_ok=True)
    CHOICE.write_text(json.dumps({"mirror": None if mirror is None else str(mirror)}) + "\n", encoding="utf-8")
