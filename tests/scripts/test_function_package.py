"""A function's zip holds what the function needs, for Lambda's Python, and it runs with nothing else."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

import function_package
import reproducible_zip
from function_imports import FunctionError, handlers, reached

ROOT = Path(__file__).resolve().parents[2]
HANDLER = "def handler(event, context):\n    return event\n"


def make(folder: Path, **files: str) -> Path:
    """A folder of Python files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def test_a_function_is_a_file_that_defines_handler(tmp_path: Path) -> None:
    imports_one = "from send import handler\n\nclass Reader:\n    def handler(self): ...\n"
    folder = make(tmp_path, send=HANDLER, load="import send\n" + HANDLER, shared=imports_one)
    assert handlers(folder) == [folder / "load.py", folder / "send.py"]


def test_modules_are_found_through_each_other_wherever_the_import_stands(tmp_path: Path) -> None:
    folder = make(
        tmp_path,
        send="from __future__ import annotations\nfrom first import x\n" + HANDLER,
        first="import json, os.path\ndef late():\n    import second.part\n",
        second="try:\n    import first\nexcept ImportError:\n    import third\n",
        third="",
        unused="",
    )
    files, used = reached(folder / "send.py", {"faker"})
    assert [path.stem for path in files] == ["first", "second", "send", "third"]
    assert used == set()


def test_an_import_for_type_checkers_needs_nothing(tmp_path: Path) -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import stubs, other\nelse:\n    import real\n"
    folder = make(tmp_path, send=text + HANDLER, other="", real="")
    assert [path.stem for path in reached(folder / "send.py", ())[0]] == ["real", "send"]


def test_the_function_that_records_failed_runs_needs_no_library() -> None:
    assert ROOT / "lambda" / "record_failed_run.py" in handlers(ROOT / "lambda")
    files, used = reached(ROOT / "lambda" / "record_failed_run.py", {"faker"})
    assert ([path.name for path in files], used) == (
        ["failed_steps.py", "patience.py", "record_failed_run.py"],
        set(),
    )


def test_an_import_that_nothing_provides_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path, send="import shared\n" + HANDLER, shared="import boto3, pandas.io\n")
    with pytest.raises(FunctionError) as refused:
        reached(folder / "send.py", {"faker"})
    assert str(refused.value) == (
        f"{folder / 'shared.py'} imports pandas, which neither Lambda's Python nor requirements-lambda.txt has: "
        "add it to the group `lambda` of pyproject.toml and run make requirements"
    )


def install_by_hand(folder: Path) -> Path:
    """What pip leaves in a folder, with all that a zip has no use for."""
    for name in (
        *("pack/__init__.py", "pack/data.json", "pack/__pycache__/__init__.cpython-313.pyc", "pack/tests/test_it.py"),
        *("single.py", "bin/pack", "pack-1.0.dist-info/METADATA", "pack-1.0.dist-info/licenses/LICENSE"),
        *(f"pack-1.0.dist-info/{name}" for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_only_a_function_that_imports_a_dependency_carries_them(tmp_path: Path) -> None:
    folder = make(tmp_path / "lambda", plain=HANDLER, rich="import shared\n" + HANDLER, shared="import single\n")
    members = function_package.members(folder, install_by_hand(tmp_path / "installed"))
    assert {name: sorted(content) for name, content in members.items()} == {
        "plain": ["plain.py"],
        "rich": [
            *("pack-1.0.dist-info/METADATA", "pack-1.0.dist-info/licenses/LICENSE"),
            *("pack/__init__.py", "pack/data.json", "rich.py", "shared.py", "single.py"),
        ],
    }
    assert members["rich"]["pack/data.json"] == b"pack/data.json"


def test_a_module_named_like_a_dependency_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "lambda", send="import single\n" + HANDLER, single="")
    with pytest.raises(FunctionError) as refused:
        function_package.members(folder, install_by_hand(tmp_path / "installed"))
    name = folder / "single.py"
    assert str(refused.value) == f"{name} has the name of a file in requirements-lambda.txt: rename it"


def test_what_lambda_would_refuse_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make(tmp_path / "lambda", send=HANDLER)
    (tmp_path / "none").mkdir()
    monkeypatch.setattr(function_package, "UNZIPPED_LIMIT", len(HANDLER))
    assert list(function_package.members(folder, tmp_path / "none")) == ["send"]
    monkeypatch.setattr(function_package, "UNZIPPED_LIMIT", len(HANDLER) - 1)
    with pytest.raises(FunctionError, match=r"send\.py and its dependencies have 46 bytes, and Lambda takes 45: "):
        function_package.members(folder, tmp_path / "none")


def make_wheel(folder: Path, name: str, tag: str) -> str:
    """A wheel that holds one file; returns the line that requires it."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": f"TAG = {tag!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text)}\n"
    folder.mkdir(exist_ok=True)
    wheel = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in (files | {f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}).items():
            archive.writestr(path, text)
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels: the only place in which pip may look."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    return tmp_path / "wheels"


def test_requirements_are_installed_for_lambda_and_kept(tmp_path: Path, wheels: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    wanted = make_wheel(wheels, "native", "cp313-cp313-manylinux2014_aarch64")
    requirements.write_text(wanted)
    installed = function_package.install(requirements, tmp_path / "cache")
    assert (installed / "native.py").read_text() == "TAG = 'cp313-cp313-manylinux2014_aarch64'\n"
    assert list(installed.rglob("*.pyc")) == []
    shutil.rmtree(wheels)  # a second time nothing is asked for
    assert function_package.install(requirements, tmp_path / "cache") == installed
    requirements.write_text("# other requirements: none\n")
    other = function_package.install(requirements, tmp_path / "cache")
    assert list(other.iterdir()) == []
    assert list((tmp_path / "cache").iterdir()) == [other]


def test_a_wheel_with_another_hash_is_refused(tmp_path: Path, wheels: Path) -> None:
    make_wheel(wheels, "native", "py3-none-any")
    (tmp_path / "requirements.txt").write_text(f"native==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(FunctionError, match=r"(?s)^pip can't install .*requirements\.txt for Lambda:\n .*HASHES"):
        function_package.install(tmp_path / "requirements.txt", tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_requirement_without_a_hash_is_refused(tmp_path: Path, wheels: Path) -> None:
    make_wheel(wheels, "native", "py3-none-any")
    (tmp_path / "requirements.txt").write_text("native==1.0\n")
    with pytest.raises(FunctionError, match=r"(?s)for Lambda:\n .*--require-hashes mode"):
        function_package.install(tmp_path / "requirements.txt", tmp_path / "cache")


def test_the_requirements_are_the_same_on_every_machine() -> None:
    """pip reads conditions as those of the machine that it runs on, not of the one that it installs for."""
    text = (ROOT / "requirements-lambda.txt").read_text(encoding="utf-8")
    conditions = {found.strip() for found in re.findall(r"^\S+==\S+ ;([^\\]+)", text, re.MULTILINE)}
    assert conditions <= {"sys_platform == 'win32'"}


def test_they_are_those_of_the_deployed_functions() -> None:
    """Terraform's word for the architecture and pip's; a compiled package for another one fails at the first call."""
    text = (ROOT / "terraform" / "modules" / "function" / "function.tf").read_text(encoding="utf-8")
    architecture = re.search(r'architectures\s*=\s*\["(\w+)"\]', text)
    runtime = re.search(r'runtime\s*=\s*"python([\d.]+)"', text)
    assert architecture is not None
    assert runtime is not None
    platform = {"arm64": "manylinux2014_aarch64", "x86_64": "manylinux2014_x86_64"}[architecture.group(1)]
    options = function_package.RUNTIME
    assert options[options.index("--platform") + 1] == platform
    assert options[options.index("--python-version") + 1] == runtime.group(1)


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generator's zip, with the Faker that is installed here: the same version, nothing is fetched."""
    dependencies = tmp_path_factory.mktemp("dependencies")
    for file in importlib.metadata.files("faker") or ():
        if file.parts[0] != ".." and file.suffix != ".pyc":
            (dependencies / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), dependencies / file)
    archive = tmp_path_factory.mktemp("zip") / "generate_movies.zip"
    archive.write_bytes(
        reproducible_zip.pack(function_package.members(ROOT / "lambda", dependencies)["generate_movies"])
    )
    return archive


def test_the_generator_is_imported_with_nothing_but_its_zip(generator: Path, tmp_path: Path) -> None:
    """As in Lambda, where the zip is unpacked; boto3 isn't even there before the first call."""
    with zipfile.ZipFile(generator) as archive:
        archive.extractall(tmp_path / "task")
    code = (
        f"import sys; sys.path[:] = [{str(tmp_path / 'task')!r}, *(p for p in sys.path if 'site-packages' not in p)]\n"
        "import faker, generate_movies, json\n"
        "from datetime import date\n"
        "places = [faker.__file__, generate_movies.__file__, sys.modules['film_file'].__file__]\n"
        "body = generate_movies.generate(date(2026, 11, 1), generate_movies.Settings(movies=3))\n"
        "print(json.dumps([places, len(body.splitlines()) > 2, 'boto3' in sys.modules]))\n"
    )
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert answer.stderr == ""
    names = ("faker/__init__.py", "generate_movies.py", "film_file.py")
    assert json.loads(answer.stdout) == [[str(tmp_path / "task" / name) for name in names], True, False]


@pytest.fixture
def no_generator_loaded() -> Iterator[None]:
    """The generator's modules are imported anew, and gone afterwards."""
    names = ("film_", "generate_movies")
    before = {name: sys.modules.pop(name) for name in [*sys.modules] if name.startswith(names)}
    yield
    for name in [name for name in sys.modules if name.startswith(names)]:
        del sys.modules[name]
    sys.modules.update(before)


@pytest.mark.usefixtures("no_generator_loaded")
def test_the_generator_of_the_zip_writes_to_s3(generator: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(generator))
    for name, value in (("RAW_BUCKET", "oakvale-test-raw"), ("MOVIES", "5"), ("AWS_DEFAULT_REGION", "eu-west-1")):
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        import generate_movies

        assert str(generate_movies.__file__).startswith(str(generator))
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="oakvale-test-raw", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        answer = generate_movies.handler({"date": "2026-11-01"}, None)
        assert answer["outcome"] == "written"
        stored = s3.get_object(Bucket="oakvale-test-raw", Key=answer["key"])["Body"].read()
    assert len(stored) == answer["bytes"] > 0
