"""What is known of a pipeline's landed files and of the one run that takes them, in one object of the lake.

Whoever learns of files counts a call; a run notes the count before it looks for files, and compares it at its end.
All changes are conditional writes of that object, so that of two which come at once one is done after the other: no
file is left behind, and no two runs go on at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ATTEMPTS = 100
"""Conditional writes before we give up; each one that fails lets another one succeed."""
REFUSED = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")
"""What S3 answers when the object isn't any more what was read: another one, being changed, or gone."""


class ArrivalsError(RuntimeError):
    """What is known of the arrivals can't be used; the message says which object, why, and what to do."""


@dataclass(frozen=True)
class Arrivals:
    """The number of the newest run, whether it goes on, and how many calls there were, ever and when it looked."""

    number: int = 0
    running: bool = False
    calls: int = 0
    taken: int = 0

    def called(self) -> Arrivals:
        """Files have landed: the run that goes on will look again at its end, else there is a next one."""
        now = replace(self, calls=self.calls + 1)
        return now if now.running else now.next()

    def next(self) -> Arrivals:
        """The next run, which takes all that has landed."""
        return replace(self, number=self.number + 1, running=True, taken=self.calls)

    def begun(self, number: int) -> Arrivals:
        """Run `number` is about to look for files. Raises ArrivalsError unless it is the one that goes on."""
        if not self.running or number != self.number:
            raise ArrivalsError(
                f"run {number} isn't the one whose turn it is: runs are started by the function, not by hand; "
                "use make run, or invoke the function with an empty event"
            )
        return replace(self, taken=self.calls)

    def ended(self, number: int) -> Arrivals:
        """Run `number` has ended, well or not: there is a next one if files have landed since it looked."""
        if not self.running or number != self.number:
            return self
        return self.next() if self.calls > self.taken else replace(self, running=False)

    def abandoned(self, number: int) -> Arrivals:
        """Run `number` was aborted before it could say that it ends: another takes its place."""
        return self.next() if self.running and number == self.number else self


@dataclass(frozen=True)
class Store:
    """Where the arrivals of a pipeline are kept."""

    s3: S3Client
    bucket: str
    key: str

    def change(self, how: Callable[[Arrivals], Arrivals]) -> Arrivals:
        """Applies a change to what is there by then, and returns what is there now."""
        for _ in range(ATTEMPTS):
            arrivals, etag = self.read()
            changed = how(arrivals)
            if changed == arrivals or self._write(changed, etag):
                return changed
        raise ArrivalsError(f"s3://{self.bucket}/{self.key} has changed {ATTEMPTS} times under this call; call again")

    def read(self) -> tuple[Arrivals, str | None]:
        """What is there, and its ETag; None before the first call."""
        try:
            found = self.s3.get_object(Bucket=self.bucket, Key=self.key)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            return Arrivals(), None
        content = found["Body"].read()
        try:
            return Arrivals(**json.loads(content)), found["ETag"]
        except (ValueError, TypeError) as error:
            raise ArrivalsError(
                f"s3://{self.bucket}/{self.key} is damaged: {content[:100]!r}; delete it once no run goes on"
            ) from error

    def _write(self, arrivals: Arrivals, etag: str | None) -> bool:
        content = json.dumps(asdict(arrivals)).encode()
        try:
            if etag is None:
                self.s3.put_object(Bucket=self.bucket, Key=self.key, Body=content, IfNoneMatch="*")
            else:
                self.s3.put_object(Bucket=self.bucket, Key=self.key, Body=content, IfMatch=etag)
        except ClientError as error:
            if error.response["Error"]["Code"] not in REFUSED:
                raise
            return False
        return True
