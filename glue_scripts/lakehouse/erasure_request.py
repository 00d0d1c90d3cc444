"""Whom a run in Glue is to erase: an object of the lake that the run takes away, all its versions too, as it begins.

Not an argument of the run: Glue keeps those with it, and CloudTrail keeps the call. An argument names the object. It
lies below temporary/, where S3 deletes what nobody has taken.
"""

from __future__ import annotations

import secrets

from lakehouse.storage import Storage


class RequestError(RuntimeError):
    """There is no such request; the message says what to do."""


def put(lake: Storage, pipeline: str, person: str) -> str:
    """Leaves a request for the run that is about to be started; returns its name."""
    name = secrets.token_hex(8)
    lake.write(_key(pipeline, name), person.encode(), replaces=None)
    return name


def take(lake: Storage, pipeline: str, name: str) -> str:
    """Whom it is about; it is gone then. Raises RequestError when it isn't there."""
    if (found := lake.read(_key(pipeline, name))) is None:
        raise RequestError(
            f"{_key(pipeline, name)} isn't there: a run has taken it, or who asked gave up. `make erase` puts another"
        )
    withdraw(lake, pipeline, name)
    return found[0].decode()


def withdraw(lake: Storage, pipeline: str, name: str) -> None:
    """Takes a request away for good, if it is still there."""
    lake.delete(_key(pipeline, name))
    lake.forget(_folder(pipeline))


def _key(pipeline: str, name: str) -> str:
    return f"{_folder(pipeline)}/{name}"


def _folder(pipeline: str) -> str:
    return f"temporary/{pipeline}-erasure/requests"
