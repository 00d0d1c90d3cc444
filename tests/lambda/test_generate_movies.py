"""The function: puts a day's file into the raw bucket, once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import boto3
import pytest
from moto import mock_aws

import generate_movies
from film_settings import Settings
from generate_movies import generate, generate_counted, handler, key

FIRST, SECOND, THIRD = date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A raw bucket, named in the environment."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("RAW_BUCKET", "oakvale-raw")
    monkeypatch.setenv("MOVIES", "20")
    generate_movies._s3.cache_clear()
    with mock_aws():
        made = boto3.resource("s3").Bucket("oakvale-raw")
        made.create(CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield made
    generate_movies._s3.cache_clear()


def test_the_function_puts_the_file_once(bucket: Any) -> None:
    event = {"version": "0", "detail-type": "Scheduled Event", "time": "2026-11-03T02:00:00Z", "detail": {}}
    written = handler(event, None)
    stored = bucket.Object(key(THIRD)).get()["Body"].read()
    expected, summary = generate_counted(THIRD, Settings(movies=20))
    assert stored == expected
    assert written == {
        "key": key(THIRD),
        "bytes": len(expected),
        "records": summary.records,
        "outcome": "written",
        "planted": dict(summary.planted),
    }
    assert handler(event, None) == written | {"outcome": "unchanged"}
    assert [each.key for each in bucket.objects.all()] == [key(THIRD)]


def test_the_event_goes_before_the_environment(bucket: Any) -> None:
    event = {"date": "2026-11-01", "time": "2026-11-03T02:00:00Z", "movies": 4, "dirt": {"all": 0}}
    assert handler(event, None)["records"] == 4
    assert bucket.Object(key(FIRST)).get()["Body"].read() == generate(FIRST, Settings(movies=4, dirt={}))


def test_other_bytes_under_the_key_are_an_error_and_stay(bucket: Any) -> None:
    bucket.put_object(Key=key(FIRST), Body=b"mine")
    with pytest.raises(FileExistsError, match=r"s3://oakvale-raw/raw/movies.* other bytes"):
        handler({"date": "2026-11-01"}, None)
    assert bucket.Object(key(FIRST)).get()["Body"].read() == b"mine"


def test_an_error_of_s3_is_not_taken_for_success(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAW_BUCKET", "oakvale-other")
    with pytest.raises(Exception, match="NoSuchBucket"):
        handler({"date": "2026-11-01"}, None)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, "date"),
        ({"date": "yesterday"}, "date"),
        ({"date": 20261101}, "date"),
        ({"time": "soon"}, "time"),
        ({"time": 5}, "time"),
        ({"time": "2026-11-01T02:00:00"}, "offset"),
        ({"date": "2026-11-01", "sead": 7}, "'sead'"),
        ({"date": "2026-11-01", "seed": "x"}, "seed"),
        ({"date": "2020-11-01"}, "first_day"),
    ],
)
def test_a_wrong_event_is_refused(bucket: Any, event: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        handler(event, None)
    assert not list(bucket.objects.all())


def test_the_time_of_an_event_is_taken_in_utc(bucket: Any) -> None:
    assert handler({"time": "2026-11-02T01:00:00+02:00"}, None)["key"] == key(FIRST)


@pytest.mark.parametrize("name", [None, "", "Not A Bucket"])
def test_the_bucket_must_be_named(name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAW_BUCKET", raising=False)
    if name is not None:
        monkeypatch.setenv("RAW_BUCKET", name)
    with pytest.raises(ValueError, match="RAW_BUCKET"):
        handler({"date": "2026-11-01"}, None)
