"""Terraform's program and its provider are found where they can be, and what is missing is named with its remedy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.scripts.conftest import FakeTerraform

import terraform_program
import terraform_provider
from terraform_program import TerraformNotFoundError
from terraform_provider import ProviderError

REACHED = (
    "Error: Failed to query available provider packages\n\nno available releases\nmatch the given constraints 0.0.0\n"
)
UNREACHED = """╷
│ Error: Failed to query available provider packages
│
│ could not connect to the
│ registry: no such host
│
│ To see which modules are currently depending on it, run terraform providers
╵
"""


def make_mirror(folder: Path) -> Path:
    """A folder in the layout that Terraform wants."""
    (folder / "registry.test" / "hashicorp" / "aws" / "5.100.0" / "linux_amd64").mkdir(parents=True)
    return folder


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a mirror in the usual places or anywhere else."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "share"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    (tmp_path / "top").mkdir()
    monkeypatch.setattr(terraform_provider._found, "__defaults__", (tmp_path / "top",))


def test_the_program_and_its_version(terraform: FakeTerraform) -> None:
    assert terraform_program.find_terraform() == terraform_program.Terraform(str(terraform.program), "1.11.4")


@pytest.mark.parametrize("version", ["1.10.5", "0.15.0"])
def test_an_older_terraform_is_named(terraform: FakeTerraform, version: str) -> None:
    terraform.answers("version", f'{{"terraform_version": "{version}"}}')
    with pytest.raises(TerraformNotFoundError) as refused:
        terraform_program.find_terraform()
    assert refused.value.found == f"{version} in {terraform.program}"
    assert str(refused.value).startswith(f"Terraform 1.11 or newer is needed, found {version} in ")


@pytest.mark.parametrize("version", ["1.11.0", "1.12.0-rc1", "2.0.0"])
def test_a_newer_terraform_does(terraform: FakeTerraform, version: str) -> None:
    terraform.answers("version", f'{{"terraform_version": "{version}"}}')
    assert terraform_program.find_terraform().version == version


def test_a_program_that_is_something_else(terraform: FakeTerraform) -> None:
    terraform.answers("version", "terraform, the game\n")
    with pytest.raises(TerraformNotFoundError) as refused:
        terraform_program.find_terraform()
    assert refused.value.found == f"{terraform.program}, which doesn't tell its version"


def test_no_terraform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TerraformNotFoundError, match=r"^Terraform 1\.11 or newer is needed, found no Terraform: "):
        terraform_program.find_terraform()


def test_a_configuration_file_that_is_not_there_is_not_named(tmp_path: Path) -> None:
    (tmp_path / "here.tfrc").touch()
    for name, kept in (("here.tfrc", True), ("gone.tfrc", False)):
        cleaned = terraform_program.clean({"TF_CLI_CONFIG_FILE": str(tmp_path / name), "HOME": "x"})
        assert ("TF_CLI_CONFIG_FILE" in cleaned) is kept
        assert (cleaned["HOME"], cleaned["CHECKPOINT_DISABLE"]) == ("x", "1")


def test_terraforms_own_ways_come_first(terraform: FakeTerraform, tmp_path: Path) -> None:
    make_mirror(tmp_path / "top" / "mirror")
    terraform.answers("init", error=REACHED, code=1)
    assert terraform_provider.choose(str(terraform.program)) is None
    [(arguments, variables)] = terraform.calls()
    assert variables["TF_REGISTRY_CLIENT_TIMEOUT"] == "5"
    folder = Path(arguments[0].removeprefix("-chdir="))
    assert not folder.exists()
    assert variables["TF_DATA_DIR"] == str(folder / "data")


@pytest.mark.parametrize("depth", ["mirror", "somewhere/mirror"])
def test_without_them_a_mirror_is_looked_for(terraform: FakeTerraform, tmp_path: Path, depth: str) -> None:
    mirror = make_mirror(tmp_path / "top" / depth)
    terraform.answers("init", error=UNREACHED, code=1)
    assert terraform_provider.choose(str(terraform.program)) == mirror


def test_nobodys_own_folders_are_searched(tmp_path: Path) -> None:
    for name in ("home/me/mirror", "root/mirror", ".hidden/mirror", "tools/deep/mirror"):
        make_mirror(tmp_path / "top" / name)
    assert list(terraform_provider.mirrors()) == []


def test_the_usual_places_come_before_a_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", str(tmp_path / "cache"))
    places = ["cache", "home/.terraform.d/plugins", "home/.local/share/terraform/plugins", "share/terraform/plugins"]
    expected = [make_mirror(tmp_path / name) for name in (*places, "top/mirror")]
    assert list(terraform_provider.mirrors()) == expected


def test_no_provider_anywhere(terraform: FakeTerraform) -> None:
    terraform.answers("init", error=UNREACHED, code=1)
    with pytest.raises(ProviderError) as refused:
        terraform_provider.choose(str(terraform.program))
    assert refused.value.reason == (
        "Terraform can't get the AWS provider (Error: Failed to query available provider packages "
        "could not connect to the registry: no such host), and there is no mirror here"
    )
    assert refused.value.remedy.endswith("copy it here, and name it: export OAKVALE_PROVIDER_MIRROR=FOLDER")
    assert str(refused.value) == f"{refused.value.reason}: {refused.value.remedy}"


def test_a_registry_that_hangs_is_not_waited_for(terraform: FakeTerraform, monkeypatch: pytest.MonkeyPatch) -> None:
    terraform.answers("init", hang=True)
    monkeypatch.setattr(terraform_provider, "TIMEOUT_SECONDS", 0.5)
    assert terraform_provider.reaches(str(terraform.program)) == (False, "the registry doesn't answer within 0.5 s")


def test_a_named_mirror_is_the_only_choice(
    terraform: FakeTerraform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terraform_provider, "CHOICE", tmp_path / "provider.json")
    terraform_provider.remember(None)
    monkeypatch.setenv("OAKVALE_PROVIDER_MIRROR", str(make_mirror(tmp_path / "mine")))
    assert terraform_provider.remembered() == (False, None)
    assert terraform_provider.choose(str(terraform.program)) == tmp_path / "mine"
    monkeypatch.setenv("OAKVALE_PROVIDER_MIRROR", str(tmp_path / "empty"))
    with pytest.raises(ProviderError) as refused:
        terraform_provider.choose(str(terraform.program))
    assert refused.value.reason == (
        f"OAKVALE_PROVIDER_MIRROR is {tmp_path / 'empty'}, but there is no */hashicorp/aws in it"
    )
    assert terraform.calls() == []


def test_a_choice_is_remembered_while_it_can_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terraform_provider, "CHOICE", tmp_path / "build" / "provider.json")
    monkeypatch.delenv("OAKVALE_PROVIDER_MIRROR", raising=False)
    assert terraform_provider.remembered() == (False, None)
    terraform_provider.remember(None)
    assert terraform_provider.remembered() == (True, None)
    mirror = make_mirror(tmp_path / "mirror")
    terraform_provider.remember(mirror)
    assert terraform_provider.remembered() == (True, mirror)
    os.rename(mirror, tmp_path / "moved")
    assert terraform_provider.remembered() == (False, None)
    terraform_provider.CHOICE.write_text("{")
    assert terraform_provider.remembered() == (False, None)
