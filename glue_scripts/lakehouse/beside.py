"""A lake beside the served one: the same keys below a folder of its own, so that the same hops can write there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from lakehouse.storage import Storage, StoredObject


@dataclass(frozen=True)
class Beside:
    """A folder of a lake as a lake. Keys that begin with one of `served` are those of the lake itself."""

    lake: Storage
    folder: str
    served: tuple[str, ...] = ()

    def list(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        """The objects with their keys below the folder."""
        for stored in self.lake.list(self._place(prefix), self._place(after) if after else ""):
            yield replace(stored, key=self._key(stored.key))

    def find(self, key: str) -> StoredObject | None:
        """As the lake does."""
        found = self.lake.find(self._place(key))
        return replace(found, key=key) if found else None

    def open(self, key: str, etag: str) -> BinaryIO:
        """As the lake does."""
        return self.lake.open(self._place(key), etag)

    def read(self, key: str) -> tuple[bytes, str] | None:
        """As the lake does."""
        return self.lake.read(self._place(key))

    def write(self, key: str, content: bytes, *, replaces: str | None = "*") -> str:
        """As the lake does. Raises PermissionError for a key of the lake itself."""
        return self.lake.write(self._own(key), content, replaces=replaces)

    def copy(self, key: str, etag: str, to: str) -> None:
        """As the lake does. Raises PermissionError when it would copy to a key of the lake itself."""
        self.lake.copy(self._place(key), etag, self._own(to))

    def delete(self, key: str) -> None:
        """As the lake does. Raises PermissionError for a key of the lake itself."""
        self.lake.delete(self._own(key))

    def delete_folder(self, folder: str) -> None:
        """As the lake does. Raises PermissionError for a folder of the lake itself."""
        self.lake.delete_folder(self._own(folder))

    def forget(self, folder: str) -> None:
        """As the lake does. Raises PermissionError for a folder of the lake itself."""
        self.lake.forget(self._own(folder))

    def spark_path(self, key: str) -> str:
        """As the lake does."""
        return self.lake.spark_path(self._place(key))

    def _place(self, key: str) -> str:
        return key if self.served and key.startswith(self.served) else f"{self.folder}/{key}"

    def _own(self, key: str) -> str:
        if (place := self._place(key)) == key:
            raise PermissionError(f"{key} is the served lake's, and {self.folder}/ is beside it")
        return place

    def _key(self, place: str) -> str:
        return place.removeprefix(f"{self.folder}/")
