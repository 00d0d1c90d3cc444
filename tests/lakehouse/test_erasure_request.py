"""Who is to be erased comes to the run by an object that is gone, all its versions too, once it is read."""

from __future__ import annotations

import pytest

from lakehouse import erasure_request
from lakehouse.erasure_request import RequestError
from lakehouse.storage import S3Storage, Storage
from tests.lakehouse.conftest import BUCKET

FOLDER = "temporary/retail-erasure/requests"


def kept(bucket: S3Storage) -> list[str]:
    """All versions and marks of deletion."""
    found = bucket.client.list_object_versions(Bucket=BUCKET)
    return [item["Key"] for item in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]]


def test_each_run_takes_its_own_request_once(storage: Storage) -> None:
    first, second = (erasure_request.put(storage, "retail", person) for person in ("123", " é '5\n"))
    assert first != second
    assert [found.key for found in storage.list("temporary/")] == sorted(f"{FOLDER}/{name}" for name in (first, second))
    assert erasure_request.take(storage, "retail", second) == " é '5\n"
    with pytest.raises(RequestError, match=rf"^{FOLDER}/{second} isn't there: .* `make erase` puts another$"):
        erasure_request.take(storage, "retail", second)
    assert erasure_request.take(storage, "retail", first) == "123"


def test_nothing_is_kept_of_a_request_that_is_taken_or_withdrawn(bucket: S3Storage) -> None:
    bucket.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    first, second = (erasure_request.put(bucket, "retail", "123") for _ in range(2))
    erasure_request.take(bucket, "retail", first)
    assert kept(bucket) == [f"{FOLDER}/{second}"]
    for _ in range(2):  # no error when it is gone
        erasure_request.withdraw(bucket, "retail", second)
        assert kept(bucket) == []
