"""Objects of a lake: an S3 bucket or a folder, with the few calls that the engine needs outside of Spark.

Both know an object by key and ETag, list keys in order, and write conditionally: that is what discovery and the lease
stand on.
"""

from __future__ import annotations

import fcntl
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

PATIENCE: dict[str, Any] = {
    "connect_timeout": 5,
    "read_timeout": 15,
    "retries": {"mode": "standard", "total_max_attempts": 5},
}
"""How long AWS is waited for: a renewal of the lease that gets no answer is repeated before the lease runs out."""
PART = 256 << 20
"""Bytes that S3 copies in one request: more would take longer than an answer is waited for; its limit is 5 GB."""


@dataclass(frozen=True)
class StoredObject:
    """One object as a listing shows it; `etag` changes with the content, `modified_at` is in UTC."""

    key: str
    etag: str
    size: int
    modified_at: datetime


class Changed(Exception):
    """The object isn't the one that was asked for: replaced or gone, or there although it must not be."""


class Storage(Protocol):
    """What a lake root must be able to do; keys are relative to the root and use `/`."""

    def list(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        """Objects whose key begins with `prefix` and is greater than `after`, in the order of keys."""

    def find(self, key: str) -> StoredObject | None:
        """One object, or None when there is none."""

    def open(self, key: str, etag: str) -> BinaryIO:
        """The bytes of that very version, seekable. Raises Changed when it is replaced or gone."""

    def read(self, key: str) -> tuple[bytes, str] | None:
        """Content and ETag, or None when there is no such object."""

    def write(self, key: str, content: bytes, *, replaces: str | None = "*") -> str:
        """Writes one object whole and returns its ETag.

        `replaces`: the ETag it must have now, None = must not exist, "*" = whatever is there. Raises Changed otherwise.
        """

    def copy(self, key: str, etag: str, to: str) -> None:
        """Copies that very version, whole, to another key. Raises Changed when it is replaced or gone."""

    def delete(self, key: str) -> None:
        """Removes the object; no error when there is none."""

    def delete_folder(self, folder: str) -> None:
        """Removes all objects below `folder/`, and what a file system keeps of the folder itself."""

    def forget(self, place: str) -> None:
        """Removes for good what is kept of replaced and deleted objects: of one key, or below a folder (`folder/`)."""

    def spark_path(self, key: str) -> str:
        """The same place as Spark names it, not escaped."""


def open_storage(root: str) -> Storage:
    """The storage behind a lake root: `s3://bucket` or a folder."""
    if root.startswith("s3://"):
        bucket = root.removeprefix("s3://").rstrip("/")
        if not bucket or "/" in bucket:
            raise ValueError(f"a lake root on S3 is a whole bucket, s3://name; found {root!r}")
        return S3Storage(bucket)
    if "://" in root:
        raise ValueError(f"a lake root is a folder or s3://bucket; found {root!r}")
    return FolderStorage(Path(root).absolute())


def write_known(storage: Storage, key: str, content: bytes, *, replaces: str | None) -> str:
    """As `write` with a condition; content that nobody else writes is known again."""
    try:
        return storage.write(key, content, replaces=replaces)
    except Changed:
        # A write whose answer got lost is repeated by the client, and then refused because of itself.
        found = storage.read(key)
        if not found or found[0] != content:
            raise
        return found[1]


class FolderStorage:
    """A folder as an object store: whole writes by rename, ETag from time and size, one lock file for conditions."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def list(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        folder = prefix.rpartition("/")[0]
        for key in self._keys(folder, after):
            if key.startswith(prefix) and (found := self.find(key)):
                yield found

    def _keys(self, folder: str, after: str) -> Iterator[str]:
        path = self.root / folder
        if not path.is_dir():
            return
        # A folder sorts as its name with a slash, as its keys do on S3; one that ends before `after` isn't entered.
        for name in sorted(entry.name + ("/" if entry.is_dir() else "") for entry in os.scandir(path)):
            key = f"{folder}/{name}".lstrip("/")
            if name.endswith("/"):
                if key > after or after.startswith(key):
                    yield from self._keys(key.rstrip("/"), after)
            elif key > after:
                yield key

    def find(self, key: str) -> StoredObject | None:
        try:
            stat = (self.root / key).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        modified = datetime.fromtimestamp(stat.st_mtime_ns // 1000 / 1_000_000, UTC)
        return StoredObject(key, f"{stat.st_mtime_ns:x}-{stat.st_size:x}", stat.st_size, modified)

    def open(self, key: str, etag: str) -> BinaryIO:
        try:
            stream = (self.root / key).open("rb")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Changed(f"{key} is gone") from error
        if (found := self.find(key)) is None or found.etag != etag:
            stream.close()
            raise Changed(f"{key} has been replaced")
        return stream

    def read(self, key: str) -> tuple[bytes, str] | None:
        found = self.find(key)
        return ((self.root / key).read_bytes(), found.etag) if found else None

    def write(self, key: str, content: bytes, *, replaces: str | None = "*") -> str:
        with self._lock():
            found = self.find(key)
            if replaces != "*" and (found.etag if found else None) != replaces:
                raise Changed(f"{key} is {'another version' if found else 'gone'}")
            self._put(key, io.BytesIO(content))
            return cast(StoredObject, self.find(key)).etag

    def copy(self, key: str, etag: str, to: str) -> None:
        with self.open(key, etag) as source:  # without the lock, which a lease's renewal can't wait long for
            self._put(to, source)

    def _put(self, key: str, content: BinaryIO) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=self._temporary())
        with os.fdopen(descriptor, "wb") as stream:
            shutil.copyfileobj(content, stream)
            stream.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)

    def _temporary(self) -> Path:
        folder = self.root / ".tmp"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self._temporary() / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def delete(self, key: str) -> None:
        (self.root / key).unlink(missing_ok=True)

    def delete_folder(self, folder: str) -> None:
        if (self.root / folder).is_dir():
            shutil.rmtree(self.root / folder)

    def forget(self, place: str) -> None:
        with self._lock():  # no write is under way: what is there was left by processes that were killed
            for path in (self.root / ".tmp").iterdir():
                if path.name != "lock":
                    path.unlink(missing_ok=True)

    def spark_path(self, key: str) -> str:
        return str(self.root / key)


class S3Storage:
    """A bucket; conditions are S3's own (If-Match, If-None-Match)."""

    def __init__(self, bucket: str, client: Any = None) -> None:
        import boto3  # not at the top: a lake in a folder needs no AWS library
        from botocore.config import Config

        self.bucket, self.client = bucket, client or boto3.client("s3", config=Config(**PATIENCE))

    def list(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix, StartAfter=after
        )
        for page in pages:
            for item in page.get("Contents", []):
                if not item["Key"].endswith("/"):  # a console's "folder"
                    yield StoredObject(
                        item["Key"],
                        item["ETag"].strip('"'),
                        item["Size"],
                        item["LastModified"].astimezone(UTC),
                    )

    def find(self, key: str) -> StoredObject | None:
        try:
            answer = self._call("head_object", key)
        except Changed:
            return None
        return StoredObject(
            key, answer["ETag"].strip('"'), answer["ContentLength"], answer["LastModified"].astimezone(UTC)
        )

    def open(self, key: str, etag: str) -> BinaryIO:
        stream = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115  the caller closes it
        try:
            shutil.copyfileobj(self._call("get_object", key, IfMatch=etag)["Body"], stream)
        except BaseException:
            stream.close()
            raise
        stream.seek(0)
        return stream

    def read(self, key: str) -> tuple[bytes, str] | None:
        try:
            answer = self._call("get_object", key)
        except Changed:
            return None
        return answer["Body"].read(), answer["ETag"].strip('"')

    def write(self, key: str, content: bytes, *, replaces: str | None = "*") -> str:
        condition = {"*": {}, None: {"IfNoneMatch": "*"}}.get(replaces, {"IfMatch": replaces})
        return str(self._call("put_object", key, Body=content, **condition)["ETag"].strip('"'))

    def copy(self, key: str, etag: str, to: str) -> None:
        from boto3.s3.transfer import TransferConfig

        # Without the tags: to read and write them takes rights of their own.
        extra = {"CopySourceIfMatch": f'"{etag}"', "TaggingDirective": "REPLACE"}
        parts = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
        with self._changes_of(key):
            self.client.copy({"Bucket": self.bucket, "Key": key}, self.bucket, to, ExtraArgs=extra, Config=parts)

    def _call(self, operation: str, key: str, **arguments: Any) -> dict[str, Any]:
        with self._changes_of(key):
            return cast(dict[str, Any], getattr(self.client, operation)(Bucket=self.bucket, Key=key, **arguments))

    @contextmanager
    def _changes_of(self, key: str) -> Iterator[None]:
        from botocore.exceptions import ClientError

        try:
            yield
        except ClientError as error:
            if error.response["Error"]["Code"] in (
                "NoSuchKey",
                "404",
                "PreconditionFailed",
                "412",
                "ConditionalRequestConflict",
            ):
                raise Changed(f"s3://{self.bucket}/{key} is gone or another version") from error
            raise

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=key)

    def delete_folder(self, folder: str) -> None:
        # Not by list(): Hadoop marks folders by keys that end in a slash, and Delta takes such a folder for a table.
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{folder}/")
        for item in [item for page in pages for item in page.get("Contents", [])]:
            self.delete(item["Key"])

    def forget(self, place: str) -> None:
        for page in self.client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=place):
            replaced = [item for item in page.get("Versions", []) if not item["IsLatest"]]
            for item in [*replaced, *page.get("DeleteMarkers", [])]:
                if item["Key"] == place or place.endswith("/"):
                    self.client.delete_object(Bucket=self.bucket, Key=item["Key"], VersionId=item["VersionId"])

    def spark_path(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"
