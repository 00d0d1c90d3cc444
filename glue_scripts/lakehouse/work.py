"""What one commit of a silver table takes, as it says itself: enough to take the same again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lakehouse.delta_log import Commit
from lakehouse.quarantine import NONE
from lakehouse.references import Versions


@dataclass(frozen=True)
class Work:
    """What one silver commit takes: the batches after `after` up to `to`, and the open rejects that it `tries`.

    `attempts`: how many attempts at open rejects the table holds with it, and `attempts_before` without it.
    `references`: the versions of the referenced tables by which it judges.
    """

    after: int
    to: int
    attempts_before: int
    attempts: int
    tries: str = NONE
    references: Versions = field(default_factory=dict)

    @property
    def reopens(self) -> bool:
        """Whether open rejects are tried again."""
        return self.attempts > self.attempts_before

    @property
    def attempt_alone(self) -> Work:
        """Its attempt without its batches."""
        return replace(self, to=self.after)


def work_of(commit: Commit) -> Work:
    """What a silver commit has taken. That of a switch hasn't tried or judged anything."""
    return Work(**{name: commit.hop[name] for name in Work.__dataclass_fields__ if name in commit.hop})
