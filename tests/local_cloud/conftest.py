"""One laptop cloud for all tests of its parts, and clients that talk to it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local_cloud import control


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[control.Cloud]:
    """A cloud on a free port, shared by all tests: name things so that no other test has them."""
    # Cold: hardly any test needs Spark's Java process, which would start ahead.
    started = control.start(tmp_path_factory.mktemp("cloud"), cold=True)
    yield started
    control.stop(started.folder)


@pytest.fixture(scope="session")
def client(cloud: control.Cloud) -> Callable[[str], Any]:
    """Gives the boto3 client of a service, as the cloud's root."""
    clients: dict[str, Any] = {}

    def give(service: str) -> Any:
        if service not in clients:
            clients[service] = cloud.client(service)
        return clients[service]

    return give


@pytest.fixture
def zipped() -> Callable[[str], bytes]:
    """Makes the zip of a function from its code; the module is `f`."""

    def make(code: str) -> bytes:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("f.py", code)
        return content.getvalue()

    return make
