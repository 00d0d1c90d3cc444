"""A lake beside the served one has the same keys in a folder of its own, and can't touch the lake itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.beside import Beside
from lakehouse.storage import FolderStorage


def test_keys_are_those_of_a_lake(tmp_path: Path) -> None:
    lake = FolderStorage(tmp_path)
    apart = Beside(lake, "replay")
    etags = {key: apart.write(key, key.encode()) for key in ("gold/a/1", "gold/a/2", "gold/b/1")}
    lake.write("gold/a/3", b"served")
    assert [stored.key for stored in lake.list("replay/gold/a/")] == ["replay/gold/a/1", "replay/gold/a/2"]
    assert [stored.key for stored in apart.list("gold/a/")] == ["gold/a/1", "gold/a/2"]
    assert [stored.key for stored in apart.list("gold/", "gold/a/1")] == ["gold/a/2", "gold/b/1"]
    found = apart.find("gold/a/2")
    assert found is not None
    assert (found.key, found.etag, apart.find("gold/a/3")) == ("gold/a/2", etags["gold/a/2"], None)
    assert apart.read("gold/b/1") == (b"gold/b/1", etags["gold/b/1"])
    with apart.open("gold/a/1", etags["gold/a/1"]) as stream:
        assert stream.read() == b"gold/a/1"
    apart.copy("gold/a/1", etags["gold/a/1"], "gold/c/1")
    assert lake.read("replay/gold/c/1") == apart.read("gold/c/1") != apart.read("gold/a/2")
    apart.delete("gold/a/1")
    assert lake.find("replay/gold/a/1") is None
    apart.delete_folder("gold")
    assert list(apart.list("gold/")) == []
    assert lake.read("gold/a/3") is not None
    assert apart.spark_path("gold/a") == str(tmp_path / "replay/gold/a")


def test_what_is_served_can_be_read_and_not_changed(tmp_path: Path) -> None:
    lake = FolderStorage(tmp_path)
    etag = lake.write("bronze/a/1", b"served")
    apart = Beside(lake, "preview", ("bronze/",))
    assert [stored.key for stored in apart.list("bronze/a/")] == ["bronze/a/1"]
    assert apart.read("bronze/a/1") == (b"served", etag)
    assert apart.spark_path("bronze/a") == str(tmp_path / "bronze/a")
    for key, change in (
        ("bronze/a/1", lambda key: apart.write(key, b"")),
        ("bronze/a/1", lambda key: apart.copy(key, etag, key)),
        ("bronze/a/1", apart.delete),
        ("bronze/a", apart.delete_folder),
    ):
        with pytest.raises(PermissionError, match=rf"^{key} is the served lake's, and preview/ is beside it"):
            change(key)
    assert lake.read("bronze/a/1") == (b"served", etag)
