"""A folder and a bucket answer alike: one set of tests for both."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from lakehouse import storage as storages
from lakehouse.storage import Changed, FolderStorage, S3Storage, Storage, open_storage, write_known
from tests.lakehouse.conftest import BUCKET

KEYS = (
    "raw/a-b/1.csv",
    "raw/a.csv",
    "raw/a/1.csv",
    "raw/a/2/x.csv",
    "raw/a/é.csv",
    "raw/a0.csv",
    "raw/b.csv",
    "rawer/1.csv",
)
"""In the order of their UTF-8 bytes: `-` and `.` come before `/`, digits behind it."""


@pytest.fixture
def filled(storage: Storage) -> Storage:
    """A storage with an object under every key of KEYS, written in another order."""
    for key in sorted(KEYS, key=lambda key: key[::-1]):
        storage.write(key, key.encode())
    return storage


def keys(storage: Storage, prefix: str, after: str = "") -> list[str]:
    """What a listing shows."""
    return [found.key for found in storage.list(prefix, after)]


def test_a_listing_is_in_the_order_of_keys(filled: Storage) -> None:
    assert sorted(KEYS, key=str.encode) == list(KEYS)
    assert keys(filled, "raw") == list(KEYS)
    assert keys(filled, "raw/") == list(KEYS[:-1])


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("raw/a", KEYS[:6]),
        ("raw/a/", KEYS[2:5]),
        ("raw/a/2", ("raw/a/2/x.csv",)),
        ("raw/a/2/x.csv", ("raw/a/2/x.csv",)),
        ("raw/a/2/x.csv/", ()),
        ("raw/a.csv/", ()),
        ("raw/z", ()),
        ("none/", ()),
        ("none/at/all", ()),
    ],
)
def test_a_prefix_is_of_the_key_not_of_a_folder(filled: Storage, prefix: str, expected: tuple[str, ...]) -> None:
    assert keys(filled, prefix) == list(expected)


@pytest.mark.parametrize("after", ["", *KEYS, "raw/a", "raw/a/", "raw/a/2", "raw/a/2/", "raw/a/zz", "raw/a1", "sun"])
def test_a_listing_begins_behind_after(filled: Storage, after: str) -> None:
    assert keys(filled, "raw/", after) == [key for key in KEYS[:-1] if key.encode() > after.encode()]


def test_an_empty_storage_lists_nothing(storage: Storage) -> None:
    assert keys(storage, "raw/") == []


def test_an_object_is_found_as_it_is_listed(storage: Storage) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    etag = storage.write("raw/a.csv", b"12345")
    found = storage.find("raw/a.csv")
    assert found is not None
    assert (found.key, found.etag, found.size) == ("raw/a.csv", etag, 5)
    assert found.modified_at.utcoffset() == timedelta(0)
    assert before <= found.modified_at <= datetime.now(UTC)
    assert list(storage.list("raw/")) == [found]


@pytest.mark.parametrize("key", ["raw/none.csv", "raw/a.csv/inside.csv"])
def test_what_is_not_there_is_not_found(storage: Storage, key: str) -> None:
    storage.write("raw/a.csv", b"a")
    assert storage.find(key) is None
    assert storage.read(key) is None
    with pytest.raises(Changed):
        storage.open(key, "0-0")


def test_an_object_is_read_with_its_etag(storage: Storage) -> None:
    etag = storage.write("raw/a.csv", b"content")
    assert storage.read("raw/a.csv") == (b"content", etag)


def test_a_version_opens_seekable(storage: Storage) -> None:
    etag = storage.write("raw/a.csv", b"content")
    with storage.open("raw/a.csv", etag) as stream:
        assert stream.read(3) == b"con"
        stream.seek(0)
        assert stream.read() == b"content"


def test_a_replaced_version_does_not_open(storage: Storage) -> None:
    etag = storage.write("raw/a.csv", b"old")
    newer = storage.write("raw/a.csv", b"newer")
    assert newer != etag
    with pytest.raises(Changed):
        storage.open("raw/a.csv", etag)
    with storage.open("raw/a.csv", newer) as stream:
        assert stream.read() == b"newer"


def test_a_vanished_version_does_not_open(storage: Storage) -> None:
    etag = storage.write("raw/a.csv", b"old")
    storage.delete("raw/a.csv")
    with pytest.raises(Changed):
        storage.open("raw/a.csv", etag)


def test_a_write_without_a_condition_replaces(storage: Storage) -> None:
    storage.write("lease.json", b"one")
    etag = storage.write("lease.json", b"two")
    assert storage.read("lease.json") == (b"two", etag)


def test_a_write_that_must_not_replace(storage: Storage) -> None:
    etag = storage.write("lease.json", b"one", replaces=None)
    with pytest.raises(Changed):
        storage.write("lease.json", b"two", replaces=None)
    assert storage.read("lease.json") == (b"one", etag)


def test_a_write_that_must_replace_one_version(storage: Storage) -> None:
    first = storage.write("lease.json", b"one")
    second = storage.write("lease.json", b"two", replaces=first)
    with pytest.raises(Changed):
        storage.write("lease.json", b"three", replaces=first)
    assert storage.read("lease.json") == (b"two", second)


def test_a_write_that_must_replace_what_is_gone(storage: Storage) -> None:
    etag = storage.write("lease.json", b"one")
    storage.delete("lease.json")
    with pytest.raises(Changed):
        storage.write("lease.json", b"two", replaces=etag)
    assert storage.read("lease.json") is None


def test_a_write_is_known_again_by_its_content(storage: Storage) -> None:
    first = storage.write("lease.json", b"one")
    second = write_known(storage, "lease.json", b"two", replaces=first)
    assert write_known(storage, "lease.json", b"two", replaces=first) == second
    with pytest.raises(Changed):
        write_known(storage, "lease.json", b"three", replaces=first)
    assert storage.read("lease.json") == (b"two", second)


@pytest.mark.parametrize("name", ["a.csv", "a b+c.csv", "läden%20&?#=.csv"])
def test_a_version_is_copied_and_stays(storage: Storage, name: str) -> None:
    etag = storage.write(f"raw/{name}", b"content")
    storage.copy(f"raw/{name}", etag, f"archive/x/{name}")
    assert storage.read(f"raw/{name}") == (b"content", etag)
    assert [found[0] for found in [storage.read(f"archive/x/{name}")] if found] == [b"content"]
    assert keys(storage, "archive/") == [f"archive/x/{name}"]


def test_what_is_replaced_or_gone_is_not_copied(storage: Storage) -> None:
    etag = storage.write("raw/a.csv", b"old")
    storage.write("raw/a.csv", b"newer")
    with pytest.raises(Changed, match=r"raw/a\.csv"):
        storage.copy("raw/a.csv", etag, "archive/a.csv")
    storage.delete("raw/a.csv")
    with pytest.raises(Changed, match=r"raw/a\.csv"):
        storage.copy("raw/a.csv", etag, "archive/a.csv")
    assert keys(storage, "archive/") == []


def test_a_bucket_copies_in_parts_and_without_tags(bucket: S3Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storages, "PART", 5 << 20)
    large = bytes(range(256)) * (6 << 12)
    for key, content, parts in (("raw/large.csv", large, "-2"), ("raw/small.csv", b"a", "")):
        bucket.client.put_object(Bucket=BUCKET, Key=key, Body=content, Tagging="kind=raw")
        etag = bucket.client.head_object(Bucket=BUCKET, Key=key)["ETag"].strip('"')
        bucket.copy(key, etag, f"archive/{key}")
        found = bucket.read(f"archive/{key}")
        assert found is not None
        assert found[0] == content
        assert found[1].endswith(parts)
        assert bucket.client.get_object_tagging(Bucket=BUCKET, Key=f"archive/{key}")["TagSet"] == []


def test_deleting_twice_is_no_error(storage: Storage) -> None:
    storage.write("raw/a.csv", b"a")
    storage.delete("raw/a.csv")
    storage.delete("raw/a.csv")
    assert storage.find("raw/a.csv") is None


def test_a_bucket_lists_no_folder_markers(bucket: S3Storage) -> None:
    bucket.write("raw/", b"")
    bucket.write("raw/a.csv", b"a")
    assert keys(bucket, "raw/") == ["raw/a.csv"]


def test_a_bucket_lists_all_pages(bucket: S3Storage) -> None:
    expected = [f"raw/{number:04d}.csv" for number in range(1001)]
    for key in expected:
        bucket.write(key, b"")
    assert keys(bucket, "raw/") == expected


def test_a_folder_tells_times_to_the_microsecond(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path)
    (tmp_path / "a.csv").write_bytes(b"a")
    os.utime(tmp_path / "a.csv", ns=(0, 1_790_000_000_123_456_999))
    found = storage.find("a.csv")
    assert found is not None
    assert found.modified_at == datetime(2026, 9, 21, 14, 13, 20, 123456, tzinfo=UTC)


def test_a_folder_knows_a_version_by_time_and_size(tmp_path: Path) -> None:
    storage, path = FolderStorage(tmp_path), tmp_path / "a.csv"
    path.write_bytes(b"one")
    os.utime(path, ns=(0, 5))
    etag = storage.find("a.csv")
    os.utime(path, ns=(0, 6))
    assert storage.find("a.csv") != etag
    path.write_bytes(b"three")
    os.utime(path, ns=(0, 5))
    assert storage.find("a.csv") != etag


def test_an_interrupted_write_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = FolderStorage(tmp_path)
    etag = storage.write("gates/a.json", b"old")

    def crash(*paths: object) -> None:
        raise OSError("no power")

    monkeypatch.setattr("lakehouse.storage.os.replace", crash)
    with pytest.raises(OSError, match="no power"):
        storage.write("gates/a.json", b"new")
    assert storage.read("gates/a.json") == (b"old", etag)
    assert keys(storage, "gates/") == ["gates/a.json"]


def test_spark_names_the_same_place(tmp_path: Path, bucket: S3Storage) -> None:
    assert FolderStorage(tmp_path).spark_path("raw/a b.csv") == f"{tmp_path}/raw/a b.csv"
    assert bucket.spark_path("raw/a b.csv") == f"s3://{BUCKET}/raw/a b.csv"


@pytest.mark.parametrize("root", ["s3://oakvale-test", "s3://oakvale-test/"])
def test_a_bucket_is_a_root(bucket: S3Storage, root: str) -> None:
    opened = open_storage(root)
    assert isinstance(opened, S3Storage)
    assert opened.bucket == BUCKET


def test_a_folder_is_a_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    opened = open_storage("lake")
    assert isinstance(opened, FolderStorage)
    assert opened.root == tmp_path / "lake"


@pytest.mark.parametrize(
    ("root", "message"),
    [
        ("s3://", "a lake root on S3 is a whole bucket, s3://name; found 's3://'"),
        ("s3://name/below", "a lake root on S3 is a whole bucket, s3://name; found 's3://name/below'"),
        ("gs://name", "a lake root is a folder or s3://bucket; found 'gs://name'"),
        ("file:///lake", "a lake root is a folder or s3://bucket; found 'file:///lake'"),
    ],
)
def test_other_roots_are_refused(root: str, message: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  the message is compared whole
        open_storage(root)
    assert str(refused.value) == message


def test_a_folder_is_deleted_whole_and_alone(filled: Storage, tmp_path: Path) -> None:
    if isinstance(filled, S3Storage):  # a folder as Hadoop marks one
        filled.client.put_object(Bucket=BUCKET, Key="raw/a/2/")
    filled.delete_folder("raw/a")
    assert keys(filled, "raw/") == ["raw/a-b/1.csv", "raw/a.csv", "raw/a0.csv", "raw/b.csv"]
    if isinstance(filled, S3Storage):
        assert filled.client.list_objects_v2(Bucket=BUCKET, Prefix="raw/a/")["KeyCount"] == 0
    else:
        assert not (tmp_path / "lake" / "raw" / "a").exists()
    filled.delete_folder("raw/a")  # no error when there is none


def test_what_was_replaced_or_deleted_is_forgotten(bucket: S3Storage) -> None:
    """Below a folder, and of no other whose name begins alike."""
    bucket.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for key in ("a/1 é+&.csv", "a/2", "a.more", "b"):
        bucket.write(key, b"before")
        bucket.write(key, b"now")
    bucket.delete("a/2")

    def kept() -> dict[str, int]:
        found = bucket.client.list_object_versions(Bucket=BUCKET)
        every = [item["Key"] for item in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]]
        return {key: every.count(key) for key in every}

    assert kept() == {"a/1 é+&.csv": 2, "a/2": 3, "a.more": 2, "b": 2}
    bucket.forget("a")
    assert kept() == {"a/1 é+&.csv": 1, "a.more": 2, "b": 2}
    assert [bucket.read(key) is not None for key in ("a/1 é+&.csv", "a/2")] == [True, False]


def test_a_marker_goes_after_what_it_hides_on_a_later_page() -> None:
    """Else the deleted object would be there again, and be the latest."""
    pages = [
        {"DeleteMarkers": [{"Key": "a/1", "VersionId": "marker", "IsLatest": True}]},
        {
            "Versions": [
                {"Key": "a/1", "VersionId": "hidden", "IsLatest": False},
                {"Key": "a/2", "VersionId": "now", "IsLatest": True},
            ]
        },
    ]
    gone: list[str] = []
    client = SimpleNamespace(
        get_paginator=lambda operation: SimpleNamespace(paginate=lambda **_: iter(pages)),
        delete_object=lambda **version: gone.append(version["VersionId"]),
    )
    S3Storage(BUCKET, client).forget("a")
    assert gone == ["hidden", "marker"]


def test_a_folder_forgets_what_killed_writes_have_left(tmp_path: Path) -> None:
    lake = FolderStorage(tmp_path)
    lake.write("a", b"now")
    (tmp_path / ".tmp" / "tmp1").write_bytes(b"half")
    lake.forget("a")
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["a", "lock"]
